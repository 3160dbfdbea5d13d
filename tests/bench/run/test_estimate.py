"""What a plan will take, before it is run."""

from __future__ import annotations

import platform
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image

from imgstore_tui.bench.plan.grid import plan_cells
from imgstore_tui.bench.plan.plans import named_plan
from imgstore_tui.bench.results.follow import cells_of
from imgstore_tui.bench.results.journal import Journal
from imgstore_tui.bench.results.past_costs import NO_PAST_COSTS, PastCosts, load_past_costs
from imgstore_tui.bench.run.estimate import estimate, known_size
from imgstore_tui.bench.run.preflight import DataSize, check_space, space_needed
from imgstore_tui.bench.run.runner import run_plan
from imgstore_tui.bench.system.app_folders import runs_folder
from imgstore_tui.core.access import Access
from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.core.events import Event, TrialFinished
from imgstore_tui.core.model import Plan, Run
from imgstore_tui.core.operations import CacheState, Operation, Status
from imgstore_tui.plugins import registry
from imgstore_tui.testing.fake_runs import fake_run

SMALL = DataSize(3072, 100_000, False)
QUICK = replace(Plan(), specs=named_plan("quick").specs)
"""The plan of version 1: five operations at four numbers of images, six rounds."""


def timed(run: Run, trial_s: float, preparing_s: float = 2.0) -> Run:
    """Return a run of this machine whose trials began so many seconds apart."""
    first = datetime.fromisoformat(run.started_at) + timedelta(seconds=preparing_s)
    measurements = tuple(
        replace(trial, started_at=(first + timedelta(seconds=number * trial_s)).isoformat())
        for number, trial in enumerate(run.measurements)
    )
    return replace(run, environment=replace(run.environment, host=platform.node()), measurements=measurements)


def test_trials_are_those_that_will_be_run() -> None:
    expected = estimate(QUICK, {"synthetic": SMALL})
    assert expected.cells == len(plan_cells(QUICK)) == 51
    assert expected.trials == 306


def test_a_folder_brings_its_source_row() -> None:
    plan = replace(QUICK, datasets=("folder:/nowhere",))
    assert estimate(plan, {}).cells == 51 + 3 * 4, "three reads of four numbers of images, not looked at yet"
    assert estimate(plan, {"folder:/nowhere": replace(SMALL, has_files=True)}).cells == 51 + 3 * 4
    assert estimate(replace(plan, baseline=False), {}).cells == 51


def test_what_was_not_looked_at_is_not_known() -> None:
    expected = estimate(replace(QUICK, datasets=("synthetic", "folder:/nowhere")), {"synthetic": SMALL})
    assert (expected.need, expected.seconds, expected.cut_short) == (None, None, False)


def test_a_plan_that_is_not_fit_to_run_takes_nothing() -> None:
    assert estimate(replace(QUICK, specs=()), {"synthetic": SMALL}).trials == 0
    assert estimate(replace(QUICK, datasets=("no such data",)), {}).need is None


def test_larger_images_more_rounds_and_more_levels_take_more() -> None:
    one = estimate(QUICK, {"synthetic": SMALL})
    large = estimate(QUICK, {"synthetic": replace(SMALL, image_bytes=300_000)})
    longer = estimate(replace(QUICK, rounds=12), {"synthetic": SMALL})
    assert one.need is not None
    for more in (large, longer):
        assert more.need is not None
        assert more.seconds is not None
        assert one.seconds is not None
        assert (more.need.bytes, more.seconds) > (one.need.bytes, one.seconds)


def test_the_need_is_what_a_run_is_refused_for(tmp_path: Path) -> None:
    dataset = registry.make_dataset("synthetic")
    dataset.scan()
    need = space_needed(QUICK, {"synthetic": DataSize.of(dataset)})
    check_space(need, tmp_path)
    with pytest.raises(UnavailableError, match="TiB"):
        check_space(replace(need, bytes=1e18), tmp_path)


def test_files_stored_as_they_are_need_the_room_of_files_not_of_their_pixels(tmp_path: Path) -> None:
    for number in range(4):
        Image.new("RGB", (1000, 1000), (number, 0, 0)).save(tmp_path / f"{number}.jpg")
    text = f"folder:{tmp_path}"
    dataset = registry.make_dataset(text)
    dataset.scan()
    size = DataSize.of(dataset)
    plan = replace(QUICK, datasets=(text,), cutoffs=(4,), rounds=12, specs=(registry.resolve_spec("disk+original"),))
    assert size.image_bytes == 3_000_000
    assert size.file_bytes == pytest.approx((tmp_path / "0.jpg").stat().st_size, rel=0.01)
    assert space_needed(plan, {text: size}).bytes < 2 * 4 * size.image_bytes
    decoded = replace(plan, specs=(registry.resolve_spec("disk"),))
    assert space_needed(decoded, {text: size}).bytes > 12 * 4 * size.image_bytes


@pytest.mark.full
def test_stores_that_changes_are_made_to_need_their_files_too(tmp_path: Path) -> None:
    plan = replace(
        QUICK, datasets=("synthetic,size=8",), specs=(registry.resolve_spec("disk"),), cutoffs=(20,), rounds=2,
        operations=(Operation.WRITE_MANY, Operation.APPEND, Operation.DELETE), scratch=str(tmp_path), budget_s=None,
    )  # fmt: skip
    dataset = registry.make_dataset(plan.datasets[0])
    dataset.scan()
    need = space_needed(plan, {plan.datasets[0]: DataSize.of(dataset)})
    seen: list[int] = []

    def count(event: Event) -> None:
        if isinstance(event, TrialFinished):
            seen.append(len(list(tmp_path.rglob("*.png"))))

    run = run_plan(plan, listen=count)
    assert {trial.status for trial in run.measurements} == {Status.OK}
    assert max(seen) == pytest.approx(need.files, rel=0.05)


def test_the_budget_is_said_to_end_what_it_ends() -> None:
    assert not estimate(replace(QUICK, budget_s=None), {"synthetic": SMALL}).cut_short
    assert estimate(replace(QUICK, budget_s=1.0), {"synthetic": SMALL}).cut_short


def test_past_runs_are_learned_from_in_proportion() -> None:
    slow, quick = (PastCosts.learn([timed(fake_run(), seconds)]) for seconds in (1.0, 0.1))
    sizes = {"synthetic": SMALL}
    slower, quicker, unknown = (estimate(QUICK, sizes, rates) for rates in (slow, quick, NO_PAST_COSTS))
    assert (slower.measured, quicker.measured, unknown.measured) == (True, True, False)
    assert slower.seconds == pytest.approx(306 * 1.0, rel=0.1)
    assert quicker.seconds == pytest.approx(306 * 0.1, rel=0.1)


def test_the_nearest_cutoff_and_the_same_backend_count_first() -> None:
    run = timed(fake_run(["lmdb"], (10, 1000)), 0.5)
    rates = PastCosts.learn([run])
    near, far = (
        next(cell for cell in plan_cells(replace(QUICK, cutoffs=(cutoff,))) if cell.spec == "lmdb" and cell.cutoff > 1)
        for cutoff in (1000, 10_000)
    )
    lmdb = registry.resolve_spec("lmdb")
    assert rates.factor(near, lmdb) == rates.factor(far, lmdb)
    disk = next(cell for cell in plan_cells(QUICK) if cell.spec == "disk")
    factor, is_measured = rates.factor(disk, registry.resolve_spec("disk"))
    assert is_measured is False, "never measured here, though something like it was"
    assert factor != 1.0


def test_a_backend_that_was_measured_with_another_codec_only_was_not_measured_itself() -> None:
    cells = {
        spec: next(cell for cell in cells_of(fake_run([spec], (1000,))) if cell.operation is Operation.READ_MANY)
        for spec in ("lmdb", "lmdb+png")
    }
    specs = {label: registry.resolve_spec(label) for label in cells}
    encoded = PastCosts.learn([timed(fake_run(["lmdb+png"], (1000,)), 5.0)])
    png, bare = (encoded.factor(cells[label], specs[label]) for label in ("lmdb+png", "lmdb"))
    assert (png[1], bare[1]) == (True, False)
    assert png[0] == bare[0], "the nearest that is known"
    both = PastCosts.learn(
        [timed(fake_run([spec], (1000,)), each) for spec, each in (("lmdb", 0.5), ("lmdb+png", 5.0))]
    )
    cold = replace(cells["lmdb"], cache=CacheState.COLD)
    of_pixels = both.factor(cells["lmdb"], specs["lmdb"])
    assert both.factor(cold, specs["lmdb"]) == of_pixels, "its own other level comes before another codec"


def test_a_pause_between_two_sittings_is_no_trial() -> None:
    run = timed(fake_run(), 0.2)
    late = [
        replace(trial, started_at=(datetime.fromisoformat(trial.started_at or "") + timedelta(hours=9)).isoformat())
        for trial in run.measurements[100:]
    ]
    resumed = replace(run, measurements=(*run.measurements[:100], *late))
    sizes = {"synthetic": SMALL}
    assert estimate(QUICK, sizes, PastCosts.learn([resumed])).seconds == pytest.approx(
        estimate(QUICK, sizes, PastCosts.learn([run])).seconds, rel=0.05
    )


def test_a_pause_within_a_run_is_no_trial() -> None:
    run = timed(fake_run(cutoffs=(1000,), rounds=2), 0.2)
    cells = len(run.measurements)

    def later(number: int) -> float:
        return 40.0 * (number > cells // 3) + 30.0 * (number > cells // 2)

    late = tuple(
        replace(trial, started_at=(datetime.fromisoformat(trial.started_at or "") + timedelta(seconds=s)).isoformat())
        for number, trial in enumerate(run.measurements)
        for s in [later(number)]
    )
    paused = replace(run, measurements=late, paused_s=69.9)
    for entry in run.plan.specs:
        (cell,) = {
            m.cell for m in run.measurements if m.cell.spec == entry.label and m.operation is Operation.READ_MANY
        }
        assert PastCosts.learn([paused]).factor(cell, entry)[0] == pytest.approx(
            PastCosts.learn([run]).factor(cell, entry)[0], rel=0.01
        )


def test_saved_runs_of_this_machine_teach_and_broken_ones_do_not() -> None:
    assert load_past_costs().runs == 0
    mine = timed(fake_run(), 0.1)
    for number, run in enumerate((mine, replace(mine, environment=replace(mine.environment, host="elsewhere")))):
        journal = Journal.begin(replace(run, id=f"20260102-00000{number}-x"))
        for trial in run.measurements:
            journal.add(trial)
        journal.end("finished", "2026-01-02T03:05:00+00:00")
    (runs_folder() / "20260103-000000-broken.jsonl").write_text("\x00[red]")
    assert load_past_costs().runs == 1


def saved(run: Run, name: str) -> None:
    """Save a run as one of this machine."""
    journal = Journal.begin(replace(run, id=f"20260102-000000-{name}"))
    for trial in run.measurements:
        journal.add(trial)
    journal.end("finished", "2026-01-02T03:05:00+00:00")


def expected_of(spec: str) -> tuple[float, bool]:
    """Return the seconds expected of a plan of one method, and whether it was measured here before."""
    plan = replace(QUICK, specs=(registry.resolve_spec(spec),), cutoffs=(1000,), operations=(Operation.READ_MANY,))
    expected = estimate(plan, {"synthetic": SMALL}, load_past_costs())
    assert expected.seconds is not None
    return expected.seconds, expected.measured


def test_the_past_of_a_label_that_meant_other_options_is_not_that_of_today() -> None:
    run = timed(fake_run(["hdf5"], (1000,), operations=[Operation.READ_MANY]), 4.0)
    direct = dict(registry.resolve_spec("hdf5:access=direct").options)
    trials = tuple(replace(trial, spec="hdf5", options=direct, access=None) for trial in run.measurements)
    specs = tuple(replace(spec, label="hdf5", options=tuple(direct.items())) for spec in run.plan.specs)
    saved(replace(run, plan=replace(run.plan, specs=specs), measurements=trials), "direct")
    assert expected_of("hdf5:access=direct")[1], "which is what hdf5 meant in that run"
    assert not expected_of("hdf5")[1]


def test_the_past_of_another_access_is_that_of_another_method() -> None:
    run = timed(fake_run(["hdf5"], (1000,), operations=[Operation.READ_MANY]), 4.0)
    assert {trial.access for trial in run.measurements} == {Access.LIBRARY}
    saved(replace(run, measurements=tuple(replace(m, access=Access.OWN) for m in run.measurements)), "own")
    assert not expected_of("hdf5")[1], "the same label and options, read round the library"
    slow, _ = expected_of("hdf5")
    saved(timed(fake_run(["hdf5"], (1000,), operations=[Operation.READ_MANY]), 0.4), "library")
    quick, measured = expected_of("hdf5")
    assert measured
    assert quick < slow / 5


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("synthetic", 3072),
        ("synthetic,size=64,channels=1", 4096),
        ("synthetic,varying=yes", None),
        ("folder:/nowhere", None),
        ("nonsense [red]", None),
    ],
)
def test_what_needs_no_look_is_known_at_once(text: str, size: int | None) -> None:
    known = known_size(text)
    assert (None if known is None else known.image_bytes) == size
