"""A saved run looked at closer: the ranking at one number of images, and one cell in full."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from imgstore_tui.cli.output import output_width
from imgstore_tui.cli.parser import check_choice
from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.model import Cell, Run
from imgstore_tui.core.units import format_count, parse_count
from imgstore_tui.present.detail.cell_detail import cell_detail, cell_title
from imgstore_tui.present.results import build_results
from imgstore_tui.present.tables.ranking import measured_cutoffs, ranking_table
from imgstore_tui.present.tables.rich_table import rich_table
from imgstore_tui.present.text.ascii import ascii_text

MOST_COLUMNS = 120


def print_ranking(console: Console, run: Run, at: str, *, plain: bool) -> None:
    """Print who is best at one number of images.

    Args:
        console: Where to print.
        run: The run.
        at: The number of images, as the user wrote it.
        plain: Whether only ASCII is printed.

    Raises:
        UsageError: If nothing was measured at that number.
    """
    found, cutoff = build_results(run), parse_count(at)
    known = measured_cutoffs(found)
    if cutoff not in known:
        raise UsageError(f"Nothing was measured at {format_count(cutoff)} images. {_measured(known)}")
    console.print(rich_table(ranking_table(found, cutoff), output_width(), ascii_only=plain))


def print_cells(console: Console, run: Run, words: str, *, plain: bool) -> None:
    """Print all that is known of a cell, at each level at which it was measured.

    Args:
        console: Where to print.
        run: The run.
        words: ``METHOD/OPERATION/N``, as the user wrote it.
        plain: Whether only ASCII is printed.

    Raises:
        UsageError: If the run has no such cell.
    """
    found = build_results(run)
    width = min(output_width(), MOST_COLUMNS)
    for cell in _cells([summary.cell for summary in found.summaries], words):
        title = cell_title(cell)
        console.print(Text(ascii_text(title) if plain else title, style="bold"))
        console.print(cell_detail(found, cell, width, ascii_only=plain), Text(), sep="\n", soft_wrap=True)


def _cells(cells: list[Cell], words: str) -> list[Cell]:
    """Return the cells of a method, operation and number of images: one a dataset and level."""
    parts = words.rsplit("/", 2)
    if len(parts) != 3:
        raise UsageError(f"'{words}' is not a cell. Write METHOD/OPERATION/N, e.g. lmdb/read-many/1k.")
    label = check_choice("method", parts[0], list(dict.fromkeys(cell.spec for cell in cells)))
    own = [cell for cell in cells if cell.spec == label]
    operation = check_choice("operation", parts[1], list(dict.fromkeys(str(cell.operation) for cell in own)))
    own = [cell for cell in own if cell.operation == operation]
    cutoff = parse_count(parts[2])
    found = [cell for cell in own if cell.cutoff == cutoff]
    if not found:
        known = tuple(sorted({cell.cutoff for cell in own}))
        raise UsageError(f"{label} {operation} was not measured at {format_count(cutoff)} images. {_measured(known)}")
    return found


def _measured(known: tuple[int, ...]) -> str:
    return f"Measured: {', '.join(map(format_count, known)) or 'nothing'}."
