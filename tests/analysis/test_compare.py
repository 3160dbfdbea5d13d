"""Tests the comparison of two runs: differences are reported, chance is not, and the rest is stated."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace

import pytest

from imgstore_tui.analysis.compare import ComparisonResult, compare_runs
from imgstore_tui.core.access import Access
from imgstore_tui.core.model import Cell, Run
from imgstore_tui.core.operations import Operation, Status
from imgstore_tui.core.options import OptionValue
from imgstore_tui.present.comparison_record import comparison_record
from imgstore_tui.present.tables.comparison import (
    comparison_caption,
    comparison_lines,
    comparison_tables,
    comparison_verdict,
)
from imgstore_tui.present.tables.table_model import Emphasis
from imgstore_tui.testing.fake_runs import fake_run


def slowed(run: Run, spec: str, factor: float) -> Run:
    trials = tuple(
        replace(trial, seconds=trial.seconds * factor) if trial.spec == spec and trial.seconds else trial
        for trial in run.measurements
    )
    return replace(run, id="20260103-000000-slower", measurements=trials)


def test_a_run_differs_from_itself_nowhere() -> None:
    run = fake_run()
    comparison = compare_runs([run], run)
    assert {pair.result for pair in comparison.cells} == {ComparisonResult.NONE_SHOWN}
    assert (comparison.only_base, comparison.only_run, comparison.obstacles, comparison.changes) == (0, 0, (), ())
    assert not comparison.worse
    assert comparison_lines(comparison) == [("Same data, machine, place and software, as far as the runs say.", False)]


def test_what_takes_twice_as_long_is_found_and_nothing_else() -> None:
    comparison = compare_runs([fake_run()], slowed(fake_run(seed=1), "lmdb", 2.0))
    by_spec = {spec: {p.result for p in comparison.cells if p.cell.spec == spec} for spec in ("disk", "lmdb")}
    assert by_spec["lmdb"] == {ComparisonResult.SLOWER}
    assert ComparisonResult.NONE_SHOWN in by_spec["disk"]
    assert comparison.worse
    (pair,) = [p for p in comparison.cells if (p.cell.spec, p.cell.operation, p.cell.cutoff)
               == ("lmdb", Operation.READ_MANY, 1000)]  # fmt: skip
    assert pair.ratio is not None
    assert 1.6 < pair.ratio.low < 2.0 < pair.ratio.high < 2.4
    back = compare_runs([slowed(fake_run(seed=1), "lmdb", 2.0)], fake_run())
    assert {p.result for p in back.cells if p.cell.spec == "lmdb"} == {ComparisonResult.FASTER}


def test_few_rounds_and_failures_are_no_finding() -> None:
    few = compare_runs([fake_run(rounds=5)], slowed(fake_run(), "lmdb", 9.0))
    assert {pair.result for pair in few.cells} == {ComparisonResult.UNSURE}
    failed = compare_runs([fake_run(failures={"lmdb/read-one": "no"})], fake_run())
    unfit = {pair.cell.operation for pair in failed.cells if pair.result is ComparisonResult.UNFIT}
    assert unfit == {Operation.READ_ONE}


def test_a_cell_with_one_failed_trial_is_not_compared() -> None:
    run = fake_run(rounds=7)
    first = run.measurements[0]
    failed = replace(first, status=Status.FAILED, reason="no", seconds=None)
    comparison = compare_runs([fake_run(rounds=7)], replace(run, measurements=(failed, *run.measurements[1:])))
    assert [pair.cell for pair in comparison.cells if pair.result is ComparisonResult.UNFIT] == [first.cell]


def test_cells_of_one_run_only_are_counted() -> None:
    comparison = compare_runs([fake_run(cutoffs=(1, 10))], fake_run(("disk", "lmdb"), cutoffs=(1, 10, 100)))
    assert (comparison.only_base, comparison.only_run) == (9, 8)
    assert "9 cells only in" in comparison_caption(comparison)
    nothing = compare_runs([fake_run(("disk",))], fake_run(("lmdb",)))
    assert ("The two runs have no cell in common.", True) in comparison_lines(nothing)


def test_other_data_another_machine_and_other_versions_are_said() -> None:
    base = fake_run()
    other = replace(
        base,
        environment=replace(
            base.environment, cpu="\x1b[2J Z80", libraries=base.environment.libraries | {"lmdb": "9.9"}
        ),
        datasets=(replace(base.datasets[0], fingerprint="another"),),
    )
    comparison = compare_runs([base], other)
    assert any(
        line.startswith("Another machine or place: cpu was") and "<U+001B>" in line for line in comparison.obstacles
    )
    assert any(line.startswith("Other data: synthetic") for line in comparison.obstacles)
    assert any("lmdb" in line and "now 9.9" in line for line in comparison.changes)
    assert sum(bad for _, bad in comparison_lines(comparison)) == 2


def test_runs_of_other_numbers_of_images_are_not_said_to_have_other_data() -> None:
    base = fake_run()
    more = replace(base.datasets[0], used=base.datasets[0].used + 1, fingerprint="of one more")
    comparison = compare_runs([base], replace(base, datasets=(more,)))
    assert not any(line.startswith("Other data") for line in comparison.obstacles)
    assert any("cannot be told" in line for line in comparison.obstacles)


def test_the_table_has_medians_ratio_interval_and_the_finding_in_words() -> None:
    comparison = compare_runs([fake_run()], slowed(fake_run(seed=1), "lmdb", 2.0))
    table = next(table for table in comparison_tables(comparison) if table.title == "read-many, cache hot")
    row = next(row for row in table.rows if row[0].text == "lmdb")
    assert (row[6].text, row[6].emphasis) == ("slower", Emphasis.BAD)
    assert row[4].text.endswith("x")
    assert {row[6].text for row in table.rows if row[0].text == "disk"} <= {"no clear change", "faster"}
    caption = comparison_caption(comparison)
    assert "beyond the margin of 5 % and the 10 % by which two runs of one machine are assumed to differ" in caption
    assert comparison_verdict(comparison).startswith(
        "Slower by more than 15.5 %: lmdb, write-one, sync buffered, N=1, "
    )


def of_spread(count: int) -> list[Run]:
    """Return base runs that differ by some per cent as a whole, their ids in order."""
    return [replace(slowed(fake_run(seed=10 + number), "", 1.0), id=f"base-{number}") for number in range(count)]


def test_three_base_runs_measure_the_spread_that_one_leaves_assumed() -> None:
    for count, measured in ((1, False), (2, False), (3, True)):
        comparison = compare_runs(of_spread(count), fake_run(seed=1))
        assert (comparison.shift is not None) is measured
        assert comparison.bound == pytest.approx(1.05 if measured else 1.155)
        assert not comparison.worse
        assert {pair.relative is not None for pair in comparison.cells} == {measured}


def test_one_method_that_takes_a_third_longer_is_found_beside_the_others() -> None:
    comparison = compare_runs(of_spread(5), slowed(fake_run(seed=1), "lmdb", 1.35))
    assert {pair.cell.spec for pair in comparison.cells if pair.result is ComparisonResult.SLOWER} == {"lmdb"}
    assert comparison.whole_result is ComparisonResult.NONE_SHOWN
    assert comparison.worse
    table = comparison_tables(comparison)[0]
    assert "to the others" in [column.title for column in table.columns]
    assert all(len(row) == len(table.columns) for row in table.rows)


def test_a_run_that_takes_a_third_longer_everywhere_is_slower_as_a_whole() -> None:
    run = fake_run(seed=1)
    run = replace(run, measurements=tuple(replace(t, seconds=(t.seconds or 0) * 1.35) for t in run.measurements))
    comparison = compare_runs(of_spread(5), run)
    assert comparison.whole_result is ComparisonResult.SLOWER
    assert comparison.worse
    assert not any(pair.result is ComparisonResult.SLOWER for pair in comparison.cells)
    assert comparison_verdict(comparison).startswith("The run as a whole takes 1.3")


def test_a_wider_margin_lets_a_loss_pass() -> None:
    later = slowed(fake_run(seed=1), "lmdb", 1.35)
    assert compare_runs(of_spread(5), later, 1.3).worse
    assert not compare_runs(of_spread(5), later, 1.6).worse
    assert compare_runs([fake_run()], slowed(fake_run(seed=1), "lmdb", 2.0), 1.3).worse
    assert not compare_runs([fake_run()], slowed(fake_run(seed=1), "lmdb", 2.0), 2.0).worse


def with_options(run: Run, spec: str, label: str = "", access: Access | None = None, **options: OptionValue) -> Run:
    """Return a run in which a method was measured with other options, under a label of its own."""
    trials = tuple(
        replace(trial, options=trial.options | options, spec=label or spec, access=access or trial.access)
        if trial.spec == spec
        else trial
        for trial in run.measurements
    )
    return replace(run, id="20260104-000000-options", measurements=trials)


def test_equal_labels_of_other_options_or_another_access_are_not_compared() -> None:
    base = with_options(fake_run(), "lmdb", page=4096)
    for other in (
        with_options(fake_run(seed=1), "lmdb", page=8192),
        with_options(fake_run(seed=1), "lmdb", page=4096, access=Access.OWN),
    ):
        comparison = compare_runs([base], other)
        assert "lmdb" not in {pair.cell.spec for pair in comparison.cells}
        sentences = [*comparison.changes, *comparison.obstacles]
        assert any(text.startswith(("lmdb has other options", "Another access: lmdb")) for text in sentences)
        assert comparison.only_base == comparison.only_run == sum(c.spec == "lmdb" for c in cells_of(base))


def test_equal_options_are_compared_under_whatever_label() -> None:
    base = with_options(fake_run(), "lmdb", page=4096)
    comparison = compare_runs([base], with_options(fake_run(seed=1), "lmdb", "lmdb:page=4096", page=4096))
    assert comparison.only_base == comparison.only_run == 0
    assert "lmdb:page=4096" in {pair.cell.spec for pair in comparison.cells}


def test_options_that_a_run_of_before_does_not_know_are_no_difference() -> None:
    comparison = compare_runs([fake_run()], with_options(fake_run(seed=1), "lmdb", page=4096))
    assert (comparison.only_base, comparison.only_run) == (0, 0)


def test_the_record_has_what_the_table_has() -> None:
    comparison = compare_runs(of_spread(3), slowed(fake_run(seed=1), "lmdb", 2.0))
    record = json.loads(json.dumps(comparison_record(comparison), allow_nan=False))
    assert (record["worse"], record["bases"]) == (True, ["base-0", "base-1", "base-2"])
    assert record["spread"]["run"] > 0
    slower = {cell["spec"] for cell in record["cells"] if cell["result"] == "slower"}
    assert slower == {"lmdb"}
    assert len(record["cells"]) == len(comparison.cells)


def cells_of(run: Run) -> set[Cell]:
    return {trial.cell for trial in run.measurements}


SIMULATED = (Operation.READ_MANY, Operation.READ_RANDOM, Operation.WRITE_MANY)


def measured_again(source: random.Random, template: Run, slower: dict[str, float] | None = None) -> Run:
    """Return a run of equal costs: 3 % for the machine of the day, 2 % for each cell, 5 % for each trial."""
    machine = source.gauss(0.0, 0.03)
    offsets = {cell: source.gauss(0.0, 0.02) for cell in sorted(cells_of(template), key=str)}
    trials = tuple(
        replace(
            trial,
            seconds=(slower or {}).get(trial.spec, 1.0)
            * math.exp(machine + offsets[trial.cell] + source.gauss(0.0, 0.05)),
        )
        for trial in template.measurements
    )
    return replace(template, id=f"run-{source.random()}", measurements=trials)


def times_worse(seed: str, runs: int, bases: int, slower: dict[str, float] | None = None) -> int:
    """Return in how many of so many comparisons the exit status would be 4."""
    source = random.Random(seed)
    template = fake_run(cutoffs=(1000,), rounds=10, operations=SIMULATED)
    return sum(
        compare_runs(
            [measured_again(source, template) for _ in range(bases)], measured_again(source, template, slower)
        ).worse
        for _ in range(runs)
    )


@pytest.mark.full
@pytest.mark.parametrize("bases", [1, 5])
def test_runs_of_one_machine_that_differ_by_chance_alone_end_in_4_at_most_in_5_per_cent(bases: int) -> None:
    assert times_worse(f"same/{bases}", 100, bases) <= 0.05 * 100


@pytest.mark.full
@pytest.mark.parametrize("slower", [("lmdb",), ("disk", "lmdb", "hdf5")])
def test_five_base_runs_find_a_loss_of_a_fifth_in_nine_of_ten(slower: tuple[str, ...]) -> None:
    assert times_worse(f"loss/{slower}", 40, 5, dict.fromkeys(slower, 1.2)) >= 0.9 * 40
