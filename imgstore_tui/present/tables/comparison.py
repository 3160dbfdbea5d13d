"""Presents the comparison of two runs: tables of their common cells, and the obstacles to comparing them."""

from __future__ import annotations

from imgstore_tui.analysis.compare import CellComparison, ComparisonResult, RunComparison
from imgstore_tui.core.model import Run
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import counted, format_bytes, format_count, format_count_short, format_seconds
from imgstore_tui.present.tables.table_model import (
    NOTHING,
    Emphasis,
    Table,
    TableColumn,
    TableEntry,
    ratio_interval_text,
    ratio_text,
)
from imgstore_tui.present.text.captions import contest_title

_MARKS = {
    ComparisonResult.SLOWER: Emphasis.BAD,
    ComparisonResult.FASTER: Emphasis.BEST,
    ComparisonResult.NONE_SHOWN: Emphasis.PLAIN,
    ComparisonResult.UNSURE: Emphasis.QUIET,
    ComparisonResult.UNFIT: Emphasis.QUIET,
}
_RESULT_TEXT = {
    ComparisonResult.SLOWER: "differs: slower",
    ComparisonResult.FASTER: "differs: faster",
    ComparisonResult.NONE_SHOWN: "no difference shown",
    ComparisonResult.UNSURE: "too few rounds",
    ComparisonResult.UNFIT: "a side has failures",
}


def run_name(run: Run) -> str:
    """Return the title that the user gave a run, else its id."""
    return run.title or run.id


def comparison_title(comparison: RunComparison) -> str:
    """Return which run is compared with which, harmless to a terminal."""
    return safe_text(f"{run_name(comparison.run)} against {run_name(comparison.base)}")


def comparison_tables(comparison: RunComparison) -> tuple[Table, ...]:
    """Return the cells that both runs measured, one table per operation and level: medians, ratio, result."""
    groups: dict[str, list[CellComparison]] = {}
    for pair in comparison.cells:
        groups.setdefault(contest_title(pair.cell, comparison.base), []).append(pair)
    columns = (
        TableColumn("method", right=False, wraps=True),
        TableColumn("N"),
        TableColumn("before"),
        TableColumn("after"),
        TableColumn("ratio"),
        TableColumn("interval"),
        TableColumn("finding", right=False),
        TableColumn("disk before", wide=True),
        TableColumn("disk after", wide=True),
    )
    return tuple(Table(title, columns, tuple(map(_row, pairs))) for title, pairs in groups.items())


def _row(pair: CellComparison) -> tuple[TableEntry, ...]:
    mark = _MARKS[pair.result]
    disks = [side.disk.allocated_bytes if side.disk else None for side in (pair.before, pair.after)]
    return (
        TableEntry(pair.cell.spec),
        TableEntry(format_count_short(pair.cell.cutoff)),
        TableEntry(format_seconds(pair.before.seconds)),
        TableEntry(format_seconds(pair.after.seconds)),
        NOTHING if pair.ratio is None else TableEntry(ratio_text(pair.ratio), mark),
        NOTHING if pair.ratio is None else TableEntry(ratio_interval_text(pair.ratio)),
        TableEntry(_RESULT_TEXT[pair.result], mark),
        *(TableEntry(format_bytes(disk)) for disk in disks),
    )


def comparison_caption(comparison: RunComparison) -> str:
    """Return how to read the tables, and their limits."""
    judged = sum(
        pair.result in (ComparisonResult.SLOWER, ComparisonResult.FASTER, ComparisonResult.NONE_SHOWN)
        for pair in comparison.cells
    )
    parts = [
        "Before and after: medians. Ratio: the median of all ratios of a round after to a round before, with its "
        "distribution-free interval of 95 % or more (rank sum).",
    ]
    if judged:
        by_chance = max(1, round(judged / 20))
        parts.append(
            f"Of {format_count(judged)} cells judged, about {by_chance} may seem to differ by chance alone; and what "
            "changed on the machine between two runs no interval knows: repeat both to be sure."
        )
    for count, name in (
        (comparison.only_base, run_name(comparison.base)),
        (comparison.only_run, run_name(comparison.run)),
    ):
        if count:
            parts.append(f"{counted(count, 'cell')} only in {name}.")
    return safe_text(" ".join(parts))


def nothing_in_common(comparison: RunComparison) -> str:
    """Return why two runs have no cell in common: the data, where they differ."""
    before, after = comparison.base.plan.datasets, comparison.run.plan.datasets
    if set(before).isdisjoint(after):
        differ = f"The data differ: {', '.join(before)}, then {', '.join(after)}."
        return safe_text(f"{differ} The two runs have no cell in common.")
    return "The two runs have no cell in common."


def comparison_lines(comparison: RunComparison) -> list[tuple[str, bool]]:
    """Return the differences between two runs as lines, each with whether it is an obstacle to comparing them."""
    lines = [(text, True) for text in comparison.obstacles]
    if comparison.changes:
        lines.append((f"Not the same: {'; '.join(comparison.changes)}.", False))
    if not comparison.cells:
        lines.append((nothing_in_common(comparison), True))
    if not lines:
        lines.append(("Same data, machine, place and software, as far as the runs say.", False))
    return lines
