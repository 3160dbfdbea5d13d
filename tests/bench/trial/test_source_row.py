"""The source row: read where it lies, weighed, compared, and never written to."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imgstore_tui.analysis.aggregate import summarise
from imgstore_tui.bench.plan.grid import plan_cells
from imgstore_tui.bench.plan.plans import dump_plan, load_plan
from imgstore_tui.bench.protocol.messages import Step
from imgstore_tui.bench.run.runner import run_plan
from imgstore_tui.bench.trial.source_row import ListedFile, SourceRow, write_list
from imgstore_tui.core.backend import Content, PayloadKind
from imgstore_tui.core.errors import StoreError, UnsupportedError, UsageError
from imgstore_tui.core.events import RunStarted, TrialFinished
from imgstore_tui.core.model import Measurement, Plan, Run
from imgstore_tui.core.operations import CacheState, Operation, Payload, Status, SyncLevel
from imgstore_tui.core.spec import IN_PLACE
from imgstore_tui.plugins.registry import resolve_spec
from imgstore_tui.testing.conformance_dataset import snapshot
from imgstore_tui.testing.fake_executor import FakeExecutor
from tests.support.datasets import save

READS = {Operation.READ_ONE, Operation.GET_ONE, Operation.READ_MANY, Operation.READ_RANDOM}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    for number, name in enumerate(("a/1.png", "a/2.jpg", "b/3.bmp", "b/4.png", "b/5.tif", "b/6.webp")):
        save(root / name, 20 + number, 30, seed=number)
    return root


def plan_of(photos: Path, *specs: str, **changes: object) -> Plan:
    plan = Plan(
        specs=tuple(resolve_spec(spec) for spec in specs or ("disk",)),
        datasets=(f"folder:{photos}",),
        cutoffs=(1, 4),
        operations=tuple(operation for operation in Operation if not operation.changes),
        rounds=1,
        budget_s=None,
    )
    return replace(plan, **changes)  # type: ignore[arg-type]


def source_of(run: Run) -> dict[tuple[Operation, int], Measurement]:
    return {(m.operation, m.cutoff): m for m in run.measurements if m.spec == "source"}


def listed(folder: Path, photos: Path) -> list[Path]:
    files = sorted(path for path in photos.rglob("*") if path.is_file())
    write_list(folder, [ListedFile.of(path, number - 2) for number, path in enumerate(files)])
    return files


def test_files_are_read_by_id_in_any_order_with_repeats(tmp_path: Path, photos: Path) -> None:
    files = listed(tmp_path, photos)
    with SourceRow(15).open(tmp_path) as reader:
        labels = np.zeros(5, np.int64)
        ids = [3, 0, 3, 6, 14]
        assert reader.read_bytes(ids, labels) == [files[index % 6].read_bytes() for index in ids]
        assert labels.tolist() == [1, -2, 1, -2, 0]
        assert reader.read_labels().tolist() == [index % 6 - 2 for index in range(15)]
        for beyond in (-1, 15):
            with pytest.raises(StoreError, match="there is no image"):
                reader.read_bytes([beyond], labels[:1])


def test_it_weighs_what_du_says_of_the_files(tmp_path: Path, photos: Path) -> None:
    os.link(photos / "a" / "1.png", photos / "a" / "same.png")
    listed(tmp_path, photos)
    usage = SourceRow(7).disk_usage(tmp_path)
    statuses = [path.stat() for path in photos.rglob("*") if path.is_file() and path.name != "same.png"]
    assert usage.files == 6
    assert usage.apparent_bytes == sum(status.st_size for status in statuses)
    assert usage.allocated_bytes == sum(status.st_blocks * 512 for status in statuses)
    assert SourceRow(8).disk_usage(tmp_path).allocated_bytes is None  # nobody has stored the repeated ones


def test_nothing_about_it_writes(tmp_path: Path, photos: Path) -> None:
    listed(tmp_path, photos)
    before = snapshot((photos,))
    backend = SourceRow(6)
    with pytest.raises(UnsupportedError, match="only read"):
        backend.create(photos / "new", Content(1, PayloadKind.BYTES, "original"), SyncLevel.BUFFERED)
    with pytest.raises(UnsupportedError, match="cannot change"):
        backend.edit(tmp_path, SyncLevel.BUFFERED)
    with pytest.raises(UnsupportedError, match="only read"):
        backend.destroy(tmp_path)
    assert backend.make_durable(tmp_path) == 0
    assert snapshot((photos,)) == before


def vanish(path: Path) -> None:
    path.unlink()


def grow(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


def touch(path: Path) -> None:
    os.utime(path, ns=(1, 1))


def become_a_link(path: Path) -> None:
    path.rename(path.with_suffix(".moved"))
    path.symlink_to(path.with_suffix(".moved"))


def become_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (vanish, "is gone"), (grow, "has changed"), (touch, "has changed"),
        (become_a_link, "has become a link"), (become_a_pipe, "has changed"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_as_it_was_is_named(
    tmp_path: Path, photos: Path, change: Callable[[Path], None], message: str
) -> None:
    files = listed(tmp_path, photos)
    change(files[2])
    with SourceRow(6).open(tmp_path) as reader:
        reader.read_bytes([1], np.zeros(1, np.int64))
        with pytest.raises(StoreError, match=f"'{files[2]}' {message} since the run began"):
            reader.read_bytes([2], np.zeros(1, np.int64))


@pytest.mark.sample_first
@pytest.mark.parametrize("payload", [Payload.END_TO_END, Payload.ENCODED])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_with_real_children_reads_it_first_verified_and_leaves_it_alone(
    photos: Path, payload: Payload, workers: int
) -> None:
    before = snapshot((photos,))
    run = run_plan(plan_of(photos, "disk+original", "lmdb", payload=payload, workers=workers))
    assert snapshot((photos,)) == before
    assert {m.status for m in run.measurements} == {Status.OK}, [m.reason for m in run.measurements]
    assert set(source_of(run)) == {(operation, cutoff) for operation in READS for cutoff in (1, 4)}
    for m in run.measurements:
        assert m.verified
        if m.spec == "source":
            assert (m.backend, m.codec, m.preset, m.options) == ("source", "original", "", {})
            assert m.files == m.cutoff
            assert m.pixel_bytes
            assert m.resident_before == 1.0
            assert m.open_s is not None or m.operation is Operation.GET_ONE
            assert (m.codec_s is None) == (payload is Payload.ENCODED)
    reads = [entry for entry in summarise(run) if not entry.cell.operation.writes and entry.cell.cutoff == 4]
    assert [entry.cell.spec for entry in reads[:3]] == ["source", "disk+original", "lmdb"]
    assert len({entry.store_pixel_bytes for entry in reads}) == 1
    assert reads[0].disk is not None
    assert reads[0].disk.files == 4


@pytest.mark.full
def test_cold_it_is_proven_cold(photos: Path) -> None:
    plan = plan_of(photos, cache=(CacheState.COLD,), operations=(Operation.READ_ONE, Operation.READ_MANY))
    run = run_plan(plan)
    rows = [m for m in run.measurements if m.spec == "source"]
    assert rows
    for m in rows:
        if m.status is Status.SKIPPED:  # on a file system that lives in memory
            assert "stayed in memory" in str(m.reason)
        else:
            assert (m.status, m.resident_before) == (Status.OK, 0.0), m.reason


def test_labels_alone_and_writes_have_no_source_row(photos: Path) -> None:
    cells = plan_cells(plan_of(photos, operations=(Operation.WRITE_MANY, Operation.READ_LABELS)), [f"folder:{photos}"])
    assert {cell.spec for cell in cells} == {"disk"}


@pytest.mark.sample_first
@pytest.mark.parametrize(
    "changes",
    [{"baseline": False}, {"payload": Payload.RAW}, {"datasets": ("synthetic,size=8",)}],
    ids=["switched off", "raw", "no files"],
)
def test_where_it_does_not_belong_it_is_not(photos: Path, changes: dict[str, object]) -> None:
    executor = FakeExecutor()
    run = run_plan(plan_of(photos, **changes), executor=executor)
    assert source_of(run) == {}
    assert all(request.spec != IN_PLACE for request in executor.requests)


def test_resized_pictures_are_no_files_any_more(photos: Path) -> None:
    run = run_plan(plan_of(photos, datasets=(f"folder:{photos},resize=16x16",)), executor=FakeExecutor())
    assert source_of(run) == {}


def test_it_is_counted_before_the_first_trial_and_no_store_is_made_for_it(photos: Path) -> None:
    executor = FakeExecutor()
    started: list[RunStarted] = []
    run = run_plan(
        plan_of(photos, cutoffs=(4,)),
        executor=executor,
        listen=lambda event: started.append(event) if isinstance(event, RunStarted) else None,
    )
    assert [cell for cell in started[0].cells if cell.spec == "source"] == list(started[0].cells)[:4]
    requests = [request for request in executor.requests if request.spec == IN_PLACE]
    assert [request.step for request in requests] == [Step.VERIFY, *[Step.TRIAL] * 4]
    assert {request.location for request in requests} == {request.pixel_cache for request in requests}
    assert run.datasets[0].original_bytes is not None


def test_a_picture_that_goes_while_the_run_is_on_fails_the_source_row_alone(photos: Path) -> None:
    def spoil(event: object) -> None:
        if isinstance(event, RunStarted):
            (photos / "b" / "4.png").unlink()
            grow(photos / "a" / "1.png")

    plan = plan_of(photos, "disk+original", cutoffs=(6,))
    run = run_plan(plan, listen=spoil)
    results = {m.spec: (m.status, m.reason) for m in run.measurements}
    assert results["disk+original"] == (Status.OK, None)
    status, reason = results["source"]
    assert status is Status.FAILED
    assert str(reason).startswith("Not run, because the files in place are not what was scanned: Picture '")
    assert str(reason).endswith("since the run began.")


def test_nobody_chooses_it(photos: Path) -> None:
    for text in ("source", "source+png", "source:fanout=3"):
        with pytest.raises(UsageError, match="your own files"):
            resolve_spec(text)


def test_the_switch_is_part_of_a_plan_file(tmp_path: Path, photos: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(dump_plan(plan_of(photos, baseline=False)))
    assert load_plan(path).baseline is False


def test_a_trial_is_finished_for_every_cell(photos: Path) -> None:
    events: list[TrialFinished] = []
    run_plan(
        plan_of(photos, rounds=2),
        executor=FakeExecutor(),
        listen=lambda event: events.append(event) if isinstance(event, TrialFinished) else None,
    )
    assert len([event for event in events if event.measurement.spec == "source"]) == 2 * 2 * 4
