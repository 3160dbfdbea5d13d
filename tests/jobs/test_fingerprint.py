"""One fingerprint: a run and a conversion of the same images print the same, resumed or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgstore_tui.bench.run.runner import run_plan
from imgstore_tui.core.errors import DataError
from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import Operation, Payload
from imgstore_tui.jobs.convert import Conversion, fill, plan_conversion, prepare
from imgstore_tui.plugins.registry import resolve_spec
from imgstore_tui.testing.fake_executor import FakeExecutor
from tests.support.datasets import save

COUNT = 20


@pytest.fixture
def photos(tmp_path: Path) -> str:
    """A folder of pictures of two sizes, with two labels."""
    for number in range(COUNT):
        height, width = (24, 16) if number % 3 else (8, 8)
        save(tmp_path / "photos" / f"{number % 2}" / f"{number:02}.png", height, width, seed=number)
    return f"folder:{tmp_path / 'photos'}"


def fingerprint_of_run(dataset: str, spec: str, payload: Payload = Payload.END_TO_END) -> str:
    plan = Plan(
        datasets=(dataset,), specs=(resolve_spec(spec),), cutoffs=(COUNT,), operations=(Operation.WRITE_MANY,),
        payload=payload, rounds=1,
    )  # fmt: skip
    return run_plan(plan, executor=FakeExecutor()).datasets[0].fingerprint


def conversion(dataset: str, spec: str, destination: Path) -> Conversion:
    return plan_conversion(dataset, spec, destination, count=COUNT, replace=False, restart=False)


def ignore(step: str, done: int, total: int) -> None:
    pass


@pytest.mark.sample_first(2)
@pytest.mark.parametrize("spec", ["lmdb", "hdf5+png", "disk+jpeg", "npy"])
def test_a_run_and_a_conversion_have_one_fingerprint(spec: str, tmp_path: Path) -> None:
    dataset = "synthetic,size=8"
    fingerprint = conversion(dataset, spec, tmp_path / "out").run(ignore).fingerprint
    assert fingerprint == fingerprint_of_run(dataset, spec)
    assert fingerprint != fingerprint_of_run("synthetic,size=9", spec)


@pytest.mark.sample_first
@pytest.mark.parametrize("spec", ["lmdb", "disk+png", "disk+original"])
def test_so_have_pictures_of_varying_shapes(spec: str, photos: str, tmp_path: Path) -> None:
    fingerprint = conversion(photos, spec, tmp_path / "out").run(ignore).fingerprint
    assert fingerprint == fingerprint_of_run(photos, spec)


def test_so_have_files_that_are_not_decoded(photos: str, tmp_path: Path) -> None:
    dataset = f"{photos},decode=no"
    fingerprint = conversion(dataset, "disk+original", tmp_path / "out").run(ignore).fingerprint
    assert fingerprint == fingerprint_of_run(dataset, "disk+original", Payload.ENCODED)


@pytest.mark.sample_first(2)
@pytest.mark.parametrize("spec", ["lmdb", "sqlite+png", "lmdb+jpeg", "sqlite+original"])
def test_a_resumed_conversion_has_it_too(
    spec: str, photos: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted = interrupt(conversion(photos, spec, tmp_path / "out"), monkeypatch)
    done = conversion(photos, spec, tmp_path / "out").run(ignore)
    assert 0 < interrupted <= done.resumed < COUNT
    assert done.fingerprint == fingerprint_of_run(photos, spec)


def test_a_picture_that_changes_unnoticed_is_refused_in_a_resumed_conversion(
    photos: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt(conversion(photos, "lmdb+jpeg", tmp_path / "out"), monkeypatch)
    monkeypatch.setattr(prepare.ImagePreparer, "is_unchanged", lambda self, record: True)
    resumed = conversion(photos, "lmdb+jpeg", tmp_path / "out")
    resumed.dataset.scan()
    path = resumed.dataset.file(0)
    save(path, 24, 16, seed=99)
    with pytest.raises(DataError, match=r"Image 0 has changed since this conversion began\. Add --restart"):
        resumed.run(ignore)


def interrupt(job: Conversion, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run a conversion until its dataset raises Ctrl-C; return how many images are durable then."""
    monkeypatch.setattr(fill, "FIRST_SESSION", 4)
    monkeypatch.setattr(fill, "SESSION_S", 0)
    monkeypatch.setattr(prepare, "BATCH", 4)
    monkeypatch.setattr(fill, "check_space", lambda *_: None)  # it reads a sample from everywhere
    label = job.dataset.label

    def interrupted_label(index: int) -> int:
        if index >= 14:
            raise KeyboardInterrupt
        return label(index)

    monkeypatch.setattr(job.dataset, "label", interrupted_label)
    with pytest.raises(KeyboardInterrupt):
        job.run(ignore)
    return job.durable_images
