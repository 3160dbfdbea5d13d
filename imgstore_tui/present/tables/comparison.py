"""Presents the comparison of two runs: tables of their common cells, and the obstacles to comparing them."""

from __future__ import annotations

from imgstore_tui.analysis.compare import ASSUMED_SPREAD, CellComparison, ComparisonResult, RunComparison
from imgstore_tui.core.model import Run
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import (
    counted,
    format_bytes,
    format_count,
    format_count_short,
    format_number,
    format_seconds,
)
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
from imgstore_tui.stats.intervals import Basis, Interval
from imgstore_tui.stats.run_spread import ERROR, FEWEST_BASES

_MARKS = {
    ComparisonResult.SLOWER: Emphasis.BAD,
    ComparisonResult.FASTER: Emphasis.BEST,
    ComparisonResult.WITHIN_MARGIN: Emphasis.PLAIN,
    ComparisonResult.NONE_SHOWN: Emphasis.PLAIN,
    ComparisonResult.UNSURE: Emphasis.QUIET,
    ComparisonResult.UNFIT: Emphasis.QUIET,
}
_RESULT_TEXT = {
    ComparisonResult.SLOWER: "slower",
    ComparisonResult.FASTER: "faster",
    ComparisonResult.WITHIN_MARGIN: "within the margin",
    ComparisonResult.NONE_SHOWN: "no clear change",
    ComparisonResult.UNSURE: "too few rounds",
    ComparisonResult.UNFIT: "a side has failures",
}


def run_name(run: Run) -> str:
    """Return the title that the user gave a run, else its id."""
    return run.title or run.id


def comparison_title(comparison: RunComparison) -> str:
    """Return which run is compared with which, harmless to a terminal."""
    bases = ", ".join(run_name(base) for base in comparison.bases)
    return safe_text(f"{run_name(comparison.run)} against {bases}")


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
        *([TableColumn("to the others")] if _has_relative(comparison) else []),
        TableColumn("finding", right=False),
        TableColumn("disk before", wide=True),
        TableColumn("disk after", wide=True),
    )
    beside = _has_relative(comparison)
    return tuple(
        Table(title, columns, tuple(_row(pair, beside=beside) for pair in pairs)) for title, pairs in groups.items()
    )


def _has_relative(comparison: RunComparison) -> bool:
    return any(pair.relative is not None for pair in comparison.cells)


def _row(pair: CellComparison, *, beside: bool) -> tuple[TableEntry, ...]:
    mark = _MARKS[pair.result]
    disks = [side.disk.allocated_bytes if side.disk else None for side in (pair.before[0], pair.after)]
    relative = NOTHING if pair.relative is None else TableEntry(_ratio_and_interval(pair.relative))
    return (
        TableEntry(pair.cell.spec),
        TableEntry(format_count_short(pair.cell.cutoff)),
        TableEntry(format_seconds(pair.seconds_before)),
        TableEntry(format_seconds(pair.after.seconds)),
        NOTHING if pair.ratio is None else TableEntry(ratio_text(pair.ratio), mark),
        NOTHING if pair.ratio is None else TableEntry(ratio_interval_text(pair.ratio)),
        *([relative] if beside else []),
        TableEntry(_RESULT_TEXT[pair.result], mark),
        *(TableEntry(format_bytes(disk)) for disk in disks),
    )


def _ratio_and_interval(ratio: Interval) -> str:
    return f"{ratio_text(ratio)} ({ratio_interval_text(ratio)})"


def comparison_verdict(comparison: RunComparison) -> str:
    """Return in a sentence or two what got slower: the answer that the exit status gives."""
    slower = [pair for pair in comparison.cells if pair.result is ComparisonResult.SLOWER]
    parts = []
    whole = None if comparison.shift is None else comparison.shift.whole
    if whole is not None and comparison.whole_result is not None:
        parts.append(
            f"The run as a whole takes {format_number(whole.median)} times as long "
            f"({format_number(whole.low)} to {format_number(whole.high)}): "
            f"{_RESULT_TEXT[comparison.whole_result].removeprefix('differs: ')}."
        )
    if slower:
        first = slower[0]
        named = f"{first.cell.spec}, {contest_title(first.cell, comparison.base)}, N={first.cell.cutoff}"
        more = f", and {format_count(len(slower) - 1)} more" if len(slower) > 1 else ""
        parts.append(f"Slower by more than {_percent(comparison.bound)}: {named}{more}.")
    elif any(pair.result not in _UNJUDGED for pair in comparison.cells):
        parts.append(f"No cell was shown to be slower by more than {_percent(comparison.bound)}.")
    else:
        parts.append("No cell could be judged.")
    return safe_text(" ".join(parts))


_UNJUDGED = (ComparisonResult.UNSURE, ComparisonResult.UNFIT)


def _percent(ratio: float) -> str:
    return f"{100 * (ratio - 1):.3g} %"


def comparison_caption(comparison: RunComparison) -> str:
    """Return how to read the tables, and their limits."""
    margin, judged = _percent(comparison.margin), any(pair.result not in _UNJUDGED for pair in comparison.cells)
    parts = ["Before and after: medians. Ratio: a round after to a round before."]
    if judged and comparison.shift is None:
        assumed = _percent(ASSUMED_SPREAD)
        parts.append(
            f"Slower or faster: the whole interval lies beyond the margin of {margin} and the {assumed} by which two "
            f"runs of one machine are assumed to differ. With {FEWEST_BASES} base runs or more (--base) that is "
            f"measured. {_basis_text(comparison)} Of runs without a loss, at most {100 * ERROR:.0f} % have any cell "
            "called slower (Holm)."
        )
    elif comparison.shift is not None and judged:
        spread = f"{100 * comparison.shift.cell_spread:.1f} % for a cell"
        if comparison.shift.whole is not None:
            spread = f"{100 * comparison.shift.whole_spread:.1f} % for a run as a whole, {spread} beside the others"
        parts.append(
            f"Spread between the {len(comparison.bases)} base runs: {spread}. Slower or faster: beyond chance by that "
            f"spread (t on log ratios, approximate), and by more than {margin} as estimated; a cell by itself and "
            f"beside the others. Of runs without a loss, at most {100 * ERROR:.0f} % are called slower, as a whole or "
            "in any cell (Holm)."
        )
    for count, name in (
        (comparison.only_base, run_name(comparison.base) if len(comparison.bases) == 1 else "base runs"),
        (comparison.only_run, run_name(comparison.run)),
    ):
        if count:
            parts.append(f"{counted(count, 'cell')} only in {name}.")
    return safe_text(" ".join(parts))


def _basis_text(comparison: RunComparison) -> str:
    """Return by which test the intervals come from rounds, and how exactly."""
    bases = {pair.ratio.basis for pair in comparison.cells if pair.ratio is not None and not pair.ratio.is_range}
    if bases <= {Basis.RANK_SUM}:
        return "Intervals: rank sum, whatever the distribution."
    near = "t on log ratios, approximate"
    return f"Intervals: {near}." if Basis.RANK_SUM not in bases else f"Intervals: rank sum; of few rounds {near}."


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
