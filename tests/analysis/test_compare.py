"""Tests the comparison of two runs: differences are reported, chance is not, and the rest is stated."""

from __future__ import annotations

from dataclasses import replace

from imgstore_tui.analysis.compare import ComparisonResult, compare_runs
from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import Operation
from imgstore_tui.present.tables.comparison import comparison_caption, comparison_lines, comparison_tables
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
    comparison = compare_runs(run, run)
    assert {pair.result for pair in comparison.cells} == {ComparisonResult.NONE_SHOWN}
    assert (comparison.only_base, comparison.only_run, comparison.obstacles, comparison.changes) == (0, 0, (), ())
    assert not comparison.worse
    assert comparison_lines(comparison) == [("Same data, machine, place and software, as far as the runs say.", False)]


def test_what_takes_twice_as_long_is_found_and_nothing_else() -> None:
    comparison = compare_runs(fake_run(), slowed(fake_run(seed=1), "lmdb", 2.0))
    by_spec = {spec: {p.result for p in comparison.cells if p.cell.spec == spec} for spec in ("disk", "lmdb")}
    assert by_spec["lmdb"] == {ComparisonResult.SLOWER}
    assert ComparisonResult.NONE_SHOWN in by_spec["disk"]
    assert comparison.worse
    (pair,) = [p for p in comparison.cells if (p.cell.spec, p.cell.operation, p.cell.cutoff)
               == ("lmdb", Operation.READ_MANY, 1000)]  # fmt: skip
    assert pair.ratio is not None
    assert 1.7 < pair.ratio.low < 2.0 < pair.ratio.high < 2.4
    back = compare_runs(slowed(fake_run(seed=1), "lmdb", 2.0), fake_run())
    assert {p.result for p in back.cells if p.cell.spec == "lmdb"} == {ComparisonResult.FASTER}


def test_few_rounds_and_failures_are_no_finding() -> None:
    few = compare_runs(fake_run(rounds=5), slowed(fake_run(), "lmdb", 9.0))
    assert {pair.result for pair in few.cells} == {ComparisonResult.UNSURE}
    failed = compare_runs(fake_run(failures={"lmdb/read-one": "no"}), fake_run())
    unfit = {pair.cell.operation for pair in failed.cells if pair.result is ComparisonResult.UNFIT}
    assert unfit == {Operation.READ_ONE}


def test_cells_of_one_run_only_are_counted() -> None:
    comparison = compare_runs(fake_run(cutoffs=(1, 10)), fake_run(("disk", "lmdb"), cutoffs=(1, 10, 100)))
    assert (comparison.only_base, comparison.only_run) == (9, 8)
    assert "9 cells only in" in comparison_caption(comparison)
    nothing = compare_runs(fake_run(("disk",)), fake_run(("lmdb",)))
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
    comparison = compare_runs(base, other)
    assert any(
        line.startswith("Another machine or place: cpu was") and "<U+001B>" in line for line in comparison.obstacles
    )
    assert any(line.startswith("Other data: synthetic") for line in comparison.obstacles)
    assert any("lmdb" in line and "now 9.9" in line for line in comparison.changes)
    assert sum(bad for _, bad in comparison_lines(comparison)) == 2


def test_runs_of_other_numbers_of_images_are_not_said_to_have_other_data() -> None:
    base = fake_run()
    more = replace(base.datasets[0], used=base.datasets[0].used + 1, fingerprint="of one more")
    comparison = compare_runs(base, replace(base, datasets=(more,)))
    assert not any(line.startswith("Other data") for line in comparison.obstacles)
    assert any("cannot be told" in line for line in comparison.obstacles)


def test_the_table_has_medians_ratio_interval_and_the_finding_in_words() -> None:
    comparison = compare_runs(fake_run(), slowed(fake_run(seed=1), "lmdb", 2.0))
    table = next(table for table in comparison_tables(comparison) if table.title == "read-many, cache hot")
    row = next(row for row in table.rows if row[0].text == "lmdb")
    assert (row[6].text, row[6].emphasis) == ("differs: slower", Emphasis.BAD)
    assert row[4].text.endswith("x")
    assert {row[6].text for row in table.rows if row[0].text == "disk"} <= {"no difference shown", "differs: faster"}
    assert "by chance alone" in comparison_caption(comparison)
