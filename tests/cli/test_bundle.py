"""``export -f bundle`` and ``run --from``: a run is repeated from its bundle alone, and compared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imgstore_tui.cli.main import guarded, run_command
from tests.support.program import program, sentence

SMALL = (
    "run",
    "-b",
    "lmdb,npy",
    "-n",
    "5",
    "-d",
    "synthetic,size=8",
    "-o",
    "write-many,read-many",
    "--seed",
    "7",
    "--quiet",
)


@pytest.mark.full
def test_a_run_is_repeated_from_its_bundle_and_compared(own_home: Path) -> None:
    assert program(*SMALL, "--rounds", "6").returncode == 0
    assert program("export", "last", "-f", "bundle", "-o", "first.zip").returncode == 0
    for journal in (own_home / "runs").iterdir():
        journal.unlink()  # the bundle is all there is
    done = program("run", "--from", "first.zip", "--quiet")
    assert done.returncode == 0, done.stderr
    first_id = json.loads(program("show", "first.zip", "--json").stdout)["id"]
    assert f" against {first_id}" in done.stdout
    records = [json.loads(program("show", name, "--json").stdout) for name in ("first.zip", "last")]
    first, second = records
    assert first["id"] != second["id"]
    assert first["plan"]["seed"] == second["plan"]["seed"] == 7
    assert [data["fingerprint"] for data in first["datasets"]] == [data["fingerprint"] for data in second["datasets"]]
    assert {trial["spec"] for trial in second["measurements"]} == {"lmdb", "npy"}


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("run", "--from", "nothing.zip"), 2, "There is no run 'nothing.zip'"),
        (("run", "--from", "broken.zip"), 3, "is no bundle of a run, or damaged"),
        (("run", "--from", "broken.zip", "--plan", "quick"), 2, "The plan comes from --from. Leave --plan out"),
    ],
)
def test_what_cannot_be_repeated_is_refused_in_a_sentence(
    words: tuple[str, ...], code: int, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("broken.zip").write_bytes(b"no archive")
    assert guarded(lambda: run_command(words)) == code
    assert message in capfd.readouterr().err


def test_arguments_change_the_plan_of_a_bundle() -> None:
    from imgstore_tui.present import exports
    from imgstore_tui.testing.fake_runs import fake_run

    Path("run.zip").write_bytes(exports.get("bundle").export(fake_run(("lmdb",), (10, 100))))
    done = program("run", "--from", "run.zip", "-n", "3", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "cutoffs = [3]" in done.stdout
    assert 'specs = ["lmdb"]' in done.stdout
    assert "/scratch" not in done.stdout


def test_a_bundle_without_its_data_says_so() -> None:
    from imgstore_tui.present import exports
    from imgstore_tui.testing.fake_runs import fake_run

    Path("run.zip").write_bytes(exports.get("bundle").export(fake_run(("lmdb",), (10,), dataset="folder:gone")))
    done = program("run", "--from", "run.zip", "--quiet")
    assert done.returncode != 0
    assert "gone" in sentence(done)
