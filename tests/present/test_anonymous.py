"""Exports without host, user, paths, addresses and names of files: grep finds none of them in any format."""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgstore_tui.core.model import Run, ServerFacts
from imgstore_tui.plugins.catalogue import missing_imports
from imgstore_tui.present import exports
from imgstore_tui.present.anonymous import anonymous_run
from imgstore_tui.present.exports.json import parse_json
from imgstore_tui.testing.fake_runs import fake_run
from tests.support.program import program

DATA = "/home/annasecret/Holiday 2021, Rome"
SCRATCH = ("/mnt/fastdisk/annasecret", "/net/nas-of-annasecret/slow")
SECRETS = ("annasecret", "holiday", "rome", "fastdisk", "nas-of", "workhorse", "dscf", "db.example", "verona", "mapper")


def telling_run() -> Run:
    """Return a run whose every sentence names something that is nobody's business."""
    dataset, other = f'folder:"{DATA}",limit=5', "store:postgresql://db.example.com/anna#verona"
    run = fake_run(("disk", "lmdb"), (1, 10), 3, dataset=dataset)
    trials = [replace(trial, scratch=SCRATCH[trial.round % 2]) for trial in run.measurements]
    reasons = [
        f"{SCRATCH[0]}/imgstore-tui-1/store-000001 cannot be written: No space left on device.",
        f"{DATA}/cats/dscf0001.JPG is damaged.",
        "Verona/dscf0002.png cannot be decoded, nor can dscf0003.tiff.",
        "The server at postgresql://annasecret@db.example.com/anna does not answer.",
        "Run by annasecret on workhorse.verona.example.",
        f"{dataset} has 5 images.",
    ]
    for place, reason in enumerate(reasons):
        trials[place] = replace(trials[place], status=type(trials[0].status).FAILED, seconds=None, reason=reason)
        trials[-1 - place] = replace(trials[-1 - place], warnings=(reason,), cache_proof=reason, server=reason)
    facts = replace(
        run.datasets[0], summary="folder Holiday 2021, Rome: 5 pictures", excluded_count=1,
        excluded=(("cats/dscf0009.jpg", f"{DATA}/cats/dscf0009.jpg is cut short"),),
    )  # fmt: skip
    server = ServerFacts("postgres", "PostgreSQL", "17", "postgresql://db.example.com/anna", settings={
        "data_directory": "/home/annasecret/pg", "fsync": "on",
    })  # fmt: skip
    return replace(
        run,
        plan=replace(run.plan, datasets=(dataset, other), scratch=SCRATCH[0]),
        environment=replace(
            run.environment, host="workhorse.verona.example", scratch=SCRATCH[0],
            scratch_device="/dev/mapper/annasecret",
            notes=(reasons[0],), servers=(server,),
        ),
        datasets=(facts, replace(facts, text=other, summary=f"store {other[6:]}", excluded=())),
        measurements=tuple(trials), warnings=tuple(reasons), title="Figures of annasecret on workhorse",
    )  # fmt: skip


def readable(data: bytes) -> str:
    """Return the text of an export, of the compressed parts of a PDF and of an archive, too."""
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            data = b"\n".join(archive.read(name) for name in archive.namelist())
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL):
        try:
            data += zlib.decompress(stream)
        except zlib.error:
            continue
    return data.decode("utf-8", "replace").lower()


@pytest.mark.parametrize("name", exports.names())
def test_no_export_tells_who_measured_where(name: str) -> None:
    if missing_imports(exports.catalogue.get(name)):
        assert name in ("png", "pdf")
        return
    run = telling_run()
    exporter = exports.get(name)
    contained = [secret for secret in SECRETS if secret in readable(exporter.export(run))]
    # A drawing names the data alone, and a picture has no letters.
    assert len(contained) >= {"png": 0, "pdf": 0, "svg": 1, "tex": 3}.get(name, 5), "the run tells it otherwise"
    text = readable(exporter.export(anonymous_run(run)))
    assert [secret for secret in SECRETS if secret in text] == []
    assert "/home/" not in text
    assert "/mnt/" not in text


def test_equal_places_get_equal_words_and_figures_stay() -> None:
    run = telling_run()
    bare = anonymous_run(run)
    assert bare.plan.datasets == ("folder:data-1,limit=5", "store:data-2")
    assert {trial.dataset for trial in bare.measurements} == {"folder:data-1,limit=5"}
    assert [trial.scratch for trial in bare.measurements[::18][:2]] == ["scratch-2", "scratch-1"]
    assert bare.warnings[0] == "scratch-1 cannot be written: No space left on device."
    assert bare.warnings[5] == "folder:data-1,limit=5 has 5 images."
    assert [trial.seconds for trial in bare.measurements] == [trial.seconds for trial in run.measurements]
    assert bare.environment.cpu == run.environment.cpu
    assert anonymous_run(fake_run()).measurements == fake_run().measurements


def test_the_command_exports_a_real_run_so(tmp_path: Path) -> None:
    pictures = tmp_path / "annasecret" / "my holiday"
    pictures.mkdir(parents=True)
    for number in range(3):
        Image.fromarray(np.full((8, 8, 3), number, np.uint8)).save(pictures / f"dscf{number}.png")
    (pictures / "dscf9.png").write_bytes(b"\x89PNG no more")
    scratch = tmp_path / "fastdisk"
    scratch.mkdir()
    words = ["-d", f'folder:"{pictures}"', "-b", "lmdb", "-n", "2,5", "--rounds", "1", "--scratch", str(scratch)]
    assert program("run", *words, "--quiet").returncode == 0
    for name in ("json", "md"):
        done = program("export", "last", "-f", name, "--anonymous", USER="annasecret", LOGNAME="annasecret")
        assert done.returncode == 0, done.stderr
        text = done.stdout.lower()
        assert [word for word in (*SECRETS, str(tmp_path), "/tmp/") if word in text] == []
        if name == "json":
            assert parse_json(done.stdout).datasets[0].images == 3
            assert json.loads(done.stdout)["environment"]["host"] == ""
