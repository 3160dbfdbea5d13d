"""Two runs side by side as tables, with what must be known before it is read."""

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
_WORDS = {
    ComparisonResult.SLOWER: "differs: slower",
    ComparisonResult.FASTER: "differs: faster",
    ComparisonResult.NONE_SHOWN: "no difference shown",
    ComparisonResult.UNSURE: "too few rounds",
    ComparisonResult.UNFIT: "a side has failures",
}


def run_name(run: Run) -> str:
    """Return what a run is called: the user's name for it, else its id."""
    return run.title or run.id


def comparison_title(found: RunComparison) -> str:
    """Return which run is held against which, harmless to a terminal."""
    return safe_text(f"{run_name(found.run)} against {run_name(found.base)}")


def comparison_tables(found: RunComparison) -> tuple[Table, ...]:
    """Return the cells that both runs measured, a table an operation and level: medians, ratio, what that says."""
    groups: dict[str, list[CellComparison]] = {}
    for pair in found.cells:
        groups.setdefault(contest_title(pair.cell, found.base), []).append(pair)
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
    return tuple(Table(words, columns, tuple(map(_row, pairs))) for words, pairs in groups.items())


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
        TableEntry(_WORDS[pair.result], mark),
        *(TableEntry(format_bytes(disk)) for disk in disks),
    )


def comparison_caption(found: RunComparison) -> str:
    """Return how the tables are to be read, and what they cannot know."""
    judged = sum(
        pair.result in (ComparisonResult.SLOWER, ComparisonResult.FASTER, ComparisonResult.NONE_SHOWN)
        for pair in found.cells
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
    for count, name in ((found.only_base, run_name(found.base)), (found.only_run, run_name(found.run))):
        if count:
            parts.append(f"{counted(count, 'cell')} only in {name}.")
    return safe_text(" ".join(parts))


def nothing_in_common(found: RunComparison) -> str:
    """Return why there is nothing to set side by side: the data where they differ."""
    before, after = found.base.plan.datasets, found.run.plan.datasets
    if set(before).isdisjoint(after):
        differ = f"The data differ: {', '.join(before)}, then {', '.join(after)}."
        return safe_text(f"{differ} The two runs have no cell in common.")
    return "The two runs have no cell in common."


def comparison_lines(found: RunComparison) -> list[tuple[str, bool]]:
    """Return what must be known before the table is read: a line, and whether it stands in the way."""
    lines = [(text, True) for text in found.obstacles]
    if found.changes:
        lines.append((f"Not the same: {'; '.join(found.changes)}.", False))
    if not found.cells:
        lines.append((nothing_in_common(found), True))
    if not lines:
        lines.append(("Same data, machine, place and software, as far as the runs say.", False))
    return lines
