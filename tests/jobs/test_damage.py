"""What a flipped byte costs: each loss is one that a flip has caused, and nothing is left behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgstore_tui.cli.main import guarded, run_command
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.jobs.damage import DamageResult, FlipOutcome, measure_damage, reading_process
from imgstore_tui.jobs.damage.reading import REFUSED, digests
from imgstore_tui.plugins import registry
from tests.support.entry_points import offer
from tests.support.program import program, sentence

DATA = "synthetic,size=16"


def damage(*labels: str, images: int = 12, flips: int = 12, seed: int = 0) -> list[DamageResult]:
    return measure_damage(DATA, [registry.resolve_spec(label) for label in labels], images, flips, seed)


def test_a_byte_of_bare_pixels_costs_one_image_without_a_word() -> None:
    (result,) = damage("hdf5")
    pixels = [flip for flip in result.flips if flip.lost]
    assert len(pixels) > 6
    assert {(flip.changed, flip.refused) for flip in pixels if flip.lost == 1} == {(1, 0)}
    assert result.images == 12
    assert result.stored_bytes > 12 * 16 * 16 * 3


@pytest.mark.full
def test_a_byte_of_a_checked_picture_is_noticed() -> None:
    (result,) = damage("lmdb+png", images=30)
    hit = [flip for flip in result.flips if flip.lost == 1]
    assert hit
    assert all(flip.refused == 1 for flip in hit)


@pytest.mark.full
def test_the_seed_decides_which_bytes_are_flipped() -> None:
    one, again, other = (damage("hdf5", flips=4, seed=seed)[0] for seed in (1, 1, 2))
    assert one == again
    assert [flip.offset for flip in one.flips] != [flip.offset for flip in other.flips]


@pytest.mark.full
def test_the_store_is_whole_again_after_each_flip_and_gone_at_the_end(tmp_path: Path) -> None:
    before = sorted(Path.cwd().iterdir())
    (result,) = damage("disk", flips=20)
    # A byte that stayed flipped would be counted by all flips after it.
    lost = [flip.lost for flip in result.flips if flip.lost < result.images]
    assert max(lost) == 1
    assert sorted(Path.cwd().iterdir()) == before


def test_summaries_count_flips() -> None:
    flips = (
        FlipOutcome("a", 0, 0, 0, crashed=False),
        FlipOutcome("a", 1, 1, 0, crashed=False),
        FlipOutcome("b", 2, 0, 1, crashed=False),
        FlipOutcome("", 3, 0, 10, crashed=True),
    )
    result = DamageResult("some", 10, 100, flips)
    assert (result.mean_lost, result.most_lost) == (3.0, 10)
    assert (result.harmless, result.unnoticed, result.total_losses, result.crashes) == (1, 1, 1, 1)


def test_a_label_that_changes_counts_as_a_loss(tmp_path: Path) -> None:
    spec = registry.resolve_spec("hdf5")
    backend, codec = registry.make_local(spec), registry.make_codec(spec)
    from imgstore_tui.core.backend import Content, PayloadKind
    from imgstore_tui.core.operations import SyncLevel

    results = []
    for name, last in (("one", 5), ("other", 6)):
        content = Content(3, PayloadKind.ARRAY, "raw", (2, 2, 3), "uint8", 36)
        with backend.create(tmp_path / name, content, SyncLevel.BUFFERED) as writer:
            writer.put_array(range(3), np.zeros((3, 2, 2, 3), np.uint8), np.array([1, 2, last]))
        results.append(digests(backend, codec, tmp_path / name, 3))
    assert [one == other for one, other in zip(*results, strict=True)] == [True, True, False]
    assert digests(backend, codec, tmp_path / "none", 3) == [REFUSED] * 3


FRAGILE = '''
import hashlib, os, pathlib
from imgstore_tui.backends.npy import NpyBackend

class Fragile(NpyBackend):
    """As npy."""
    name = "fragile"

    def open(self, location):
        seen = pathlib.Path(os.environ["FRAGILE_SEEN"])
        now = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(self.files(location)))).hexdigest()
        if seen.exists() and seen.read_text() != now:
            os._exit(9)
        seen.write_text(now)
        return super().open(location)
'''


@pytest.mark.full
def test_a_process_that_dies_of_a_flip_costs_all_images_and_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fragile_plug_in.py").write_text(FRAGILE)
    offer(tmp_path, {"imgstore_tui.backends": {"fragile": "fragile_plug_in:Fragile"}}, monkeypatch)
    done = program(
        "damage", "-b", "fragile", "-d", DATA, "-n", "4", "--flips", "3", "--json", FRAGILE_SEEN=str(tmp_path / "seen")
    )
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)["results"]
    assert [(flip["crashed"], flip["refused"]) for flip in result["flips"]] == [(True, 4)] * 3


def test_a_store_of_many_images_may_take_longer_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_process, "LEAST_LIMIT_S", 0.0)
    monkeypatch.setattr(reading_process, "IMAGE_LIMIT_S", 100.0)  # far more than the process takes to start
    (result,) = damage("hdf5", images=2, flips=0)
    assert result.images == 2
    monkeypatch.setattr(reading_process, "IMAGE_LIMIT_S", 0.0)
    with pytest.raises(StoreError, match=r"took more than .*; take fewer images \(-n\)"):
        damage("hdf5", images=2, flips=0)


def record(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert guarded(lambda: run_command(["damage", *words, "--json", "--quiet"])) == 0
    values = json.loads(capsys.readouterr().out)
    assert isinstance(values, dict)
    return values


def test_the_command_prints_a_table_and_a_record(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("-b", "lmdb,disk", "-d", DATA, "-n", "6", "--flips", "3")
    values = record(capsys, *words)
    assert [result["spec"] for result in values["results"]] == ["lmdb", "disk"]
    assert all(len(result["flips"]) == 3 for result in values["results"])
    assert guarded(lambda: run_command(["damage", *words, "--quiet"])) == 0
    out = capsys.readouterr().out
    assert "What one flipped byte costs" in out
    assert "3 bytes of each store flipped" in " ".join(out.split())


def test_a_server_is_refused() -> None:
    spec = registry.resolve_spec("postgres", require_available=False)
    with pytest.raises(UnsupportedError, match="on a server"):
        measure_damage(DATA, [spec], 3, 3, 0)


def test_data_that_is_not_there_is_refused_and_nothing_is_left() -> None:
    done = program("damage", "-d", "folder:nowhere", "--quiet")
    assert done.returncode != 0
    assert "nowhere" in sentence(done)
    assert list(Path.cwd().iterdir()) == []
