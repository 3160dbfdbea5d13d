"""Two runs side by side as tables, with what must be known before it is read."""

from __future__ import annotations

from imgstore_tui.analysis.compare import Comparison, Finding, Pair
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
from imgstore_tui.present.text.captions import contest_words

_MARKS = {
    Finding.SLOWER: Emphasis.BAD,
    Finding.FASTER: Emphasis.BEST,
    Finding.NONE_SHOWN: Emphasis.PLAIN,
    Finding.UNSURE: Emphasis.QUIET,
    Finding.UNFIT: Emphasis.QUIET,
}
_WORDS = {
    Finding.SLOWER: "differs: slower",
    Finding.FASTER: "differs: faster",
    Finding.NONE_SHOWN: "no difference shown",
    Finding.UNSURE: "too few rounds",
    Finding.UNFIT: "a side has failures",
}


def name_of(run: Run) -> str:
    """Return what a run is called: the user's name for it, else its id."""
    return run.title or run.id


def comparison_title(found: Comparison) -> str:
    """Return which run is held against which, harmless to a terminal."""
    return safe_text(f"{name_of(found.run)} against {name_of(found.base)}")


def comparison_tables(found: Comparison) -> tuple[Table, ...]:
    """Return the cells that both runs measured, a table an operation and level: medians, ratio, what that says."""
    groups: dict[str, list[Pair]] = {}
    for pair in found.pairs:
        groups.setdefault(contest_words(pair.cell, found.base), []).append(pair)
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


def _row(pair: Pair) -> tuple[TableEntry, ...]:
    mark = _MARKS[pair.finding]
    disks = [side.disk.allocated_bytes if side.disk else None for side in (pair.before, pair.after)]
    return (
        TableEntry(pair.cell.spec),
        TableEntry(format_count_short(pair.cell.cutoff)),
        TableEntry(format_seconds(pair.before.seconds)),
        TableEntry(format_seconds(pair.after.seconds)),
        NOTHING if pair.ratio is None else TableEntry(ratio_text(pair.ratio), mark),
        NOTHING if pair.ratio is None else TableEntry(ratio_interval_text(pair.ratio)),
        TableEntry(_WORDS[pair.finding], mark),
        *(TableEntry(format_bytes(disk)) for disk in disks),
    )


def comparison_caption(found: Comparison) -> str:
    """Return how the tables are to be read, and what they cannot know."""
    judged = sum(pair.finding in (Finding.SLOWER, Finding.FASTER, Finding.NONE_SHOWN) for pair in found.pairs)
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
    for count, name in ((found.only_base, name_of(found.base)), (found.only_run, name_of(found.run))):
        if count:
            parts.append(f"{counted(count, 'cell')} only in {name}.")
    return safe_text(" ".join(parts))


def nothing_in_common(found: Comparison) -> str:
    """Return why there is nothing to set side by side: the data where they differ."""
    before, after = found.base.plan.datasets, found.run.plan.datasets
    if set(before).isdisjoint(after):
        differ = f"The data differ: {', '.join(before)}, then {', '.join(after)}."
        return safe_text(f"{differ} The two runs have no cell in common.")
    return "The two runs have no cell in common."


def comparison_lines(found: Comparison) -> list[tuple[str, bool]]:
    """Return what must be known before the table is read: a line, and whether it stands in the way."""
    lines = [(text, True) for text in found.obstacles]
    if found.changes:
        lines.append((f"Not the same: {'; '.join(found.changes)}.", False))
    if not found.pairs:
        lines.append((nothing_in_common(found), True))
    if not lines:
        lines.append(("Same data, machine, place and software, as far as the runs say.", False))
    return lines
