"""The matrix drawn: which rows and columns have a place, where each cell stands, and where the cursor is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rich.style import StyleType
from rich.text import Text

from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_count_short
from imgstore_tui.present.tables.matrix import CellState, MatrixCell, MatrixLayer
from imgstore_tui.tui.widgets.method_marks import MethodMarks

LEAST_CELL, MOST_CELL = 8, 18
"""Columns of a cell, the gap to the next included; below the least some columns of the matrix are left out."""

STATE_STYLES = {
    CellState.WAITING: "dim", CellState.RUNNING: "bold yellow", CellState.PART: "", CellState.DONE: "green",
    CellState.FAILED: "bold red", CellState.UNVERIFIED: "bold red", CellState.SKIPPED: "dim italic",
    CellState.UNSUPPORTED: "dim italic",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class GridPosition:
    """Where the cursor is: layer, row and column of the matrix."""

    layer: int = 0
    row: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class DrawnGrid:
    """A matrix as lines, and what stands where."""

    lines: tuple[Text, ...]
    spots: tuple[tuple[int, int, int, GridPosition], ...] = field(default=())
    """Line, first and past the last column of each cell, and its place."""

    def at(self, x: int, y: int) -> GridPosition | None:
        """Return the place of the cell that is drawn there."""
        return next((place for line, left, right, place in self.spots if line == y and left <= x < right), None)


def square_at(layers: Sequence[MatrixLayer], place: GridPosition) -> MatrixCell | None:
    """Return the cell at a place; None where there is none."""
    if place.layer < len(layers) and place.row < len(layers[place.layer].rows):
        row = layers[place.layer].rows[place.row]
        return row[place.column] if place.column < len(row) else None
    return None


def nearest_position(layers: Sequence[MatrixLayer], place: GridPosition) -> GridPosition:
    """Return the place of the cell that is nearest to a place that may be beyond the matrix, or where no cell is."""
    if not layers:
        return GridPosition()
    layer = max(0, min(place.layer, len(layers) - 1))
    row = max(0, min(place.row, len(layers[layer].labels) - 1))
    filled = [column for column, square in enumerate(layers[layer].rows[row]) if square is not None]
    return GridPosition(layer, row, min(filled, key=lambda column: abs(column - place.column), default=0))


def step_from(layers: Sequence[MatrixLayer], place: GridPosition, down: int, right: int) -> GridPosition:
    """Return where a step leads: over what has no cell, and beyond the rows of a layer into the next.

    Args:
        layers: All layers.
        place: Where the step begins.
        down: Rows; negative for up.
        right: Cells; negative for left.
    """
    if not layers:
        return GridPosition()
    layer, row = place.layer, place.row + down
    if row < 0 < layer:
        layer, row = layer - 1, len(layers[layer - 1].labels) - 1
    elif row >= len(layers[layer].labels) and layer + 1 < len(layers):
        layer, row = layer + 1, 0
    column = place.column + right
    cells = layers[layer].rows[max(0, min(row, len(layers[layer].labels) - 1))]
    while right and 0 <= column < len(cells) and cells[column] is None:
        column += right
    return nearest_position(layers, GridPosition(layer, row, column))


def page_of(layers: Sequence[MatrixLayer], wanted: int, height: int) -> range:
    """Return the layers that are shown together: all, or as many as fit with the one that is wanted among them.

    Args:
        layers: All layers; each takes a line for its title and one a row, below one line of numbers.
        wanted: Index of the layer that must be seen.
        height: Lines there are.
    """
    first = 0
    while first < len(layers):
        used, past = 1, first
        while past < len(layers) and (past == first or used + 1 + len(layers[past].labels) <= height):
            used += 1 + len(layers[past].labels)
            past += 1
        if first <= wanted < past:
            return range(first, past)
        first = past
    return range(0)


def draw_grid(
    layers: Sequence[MatrixLayer],
    shown: Sequence[int],
    cursor: GridPosition,
    width: int,
    height: int,
    marks: MethodMarks,
    *,
    lit: StyleType,
) -> DrawnGrid:
    """Draw some layers one under the other; the cursor's cell is always among what has a place.

    Args:
        layers: All layers.
        shown: Indexes of those to draw.
        cursor: Where the cursor is.
        width: Columns there are.
        height: Lines there are.
        marks: Marks and colours of storage methods.
        lit: How the cell under the cursor looks; empty where it is not to be seen.
    """
    drawn = [layers[index] for index in shown]
    names = max((len(safe_text(label)) for layer in drawn for label in layer.labels), default=0)
    names = min(names + 3, max(10, width // 3))
    cutoffs = drawn[0].cutoffs if drawn else ()
    columns, each = _columns(len(cutoffs), cursor.column, width - names)
    head = Text(" " * names, style="dim")
    for column in columns:
        head.append(f"N={format_count_short(cutoffs[column])}".ljust(each))
    if columns and (columns[0] > 0 or columns[-1] < len(cutoffs) - 1):
        # Columns without a place are counted where the rows have their names.
        told = f"<{columns[0]} {len(cutoffs) - 1 - columns[-1]}>"
        head = Text.assemble((told[:names].ljust(names), "dim"), head[names:])
    rows: list[tuple[Text, list[tuple[int, int, GridPosition]]]] = []
    for index in shown:
        rows.append((Text(layers[index].title, style="bold"), []))
        for number, label in enumerate(layers[index].labels):
            rows.append(
                _row(layers[index], GridPosition(index, number), label, columns, names, each, cursor, marks, lit=lit)
            )
    room = max(1, height - 1)
    here = next((n for n, (_, spots) in enumerate(rows) if any(spot[2] == cursor for spot in spots)), 0)
    first = 0 if len(rows) <= room else max(0, min(here - room // 2, len(rows) - room))
    lines, spots = [head], []
    for number, (line, cells) in enumerate(rows[first : first + room]):
        lines.append(line)
        spots += [(number + 1, left, right, place) for left, right, place in cells]
    below = len(rows) - first - room
    if first or below > 0:
        # What has no place above or below is counted in the corner.
        beyond = [f"{count} {where}" for count, where in ((first, "above"), (below, "below")) if count > 0]
        _tell(lines[0], ", ".join(beyond), width)
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return DrawnGrid(tuple(lines), tuple(spots))


def _columns(count: int, cursor: int, room: int) -> tuple[range, int]:
    """Return the columns that have a place, the cursor's among them, and how wide each is."""
    if not count:
        return range(0), LEAST_CELL
    fitting = max(1, min(count, room // LEAST_CELL))
    first = max(0, min(cursor - fitting // 2, count - fitting))
    return range(first, first + fitting), max(LEAST_CELL, min(MOST_CELL, room // fitting))


def _row(
    layer: MatrixLayer, place: GridPosition, label: str, columns: range, names: int, each: int, cursor: GridPosition,
    marks: MethodMarks, *, lit: StyleType,
) -> tuple[Text, list[tuple[int, int, GridPosition]]]:  # fmt: skip
    name = Text(f"{marks.mark(label)} {safe_text(label)}", style=marks.style(label))
    name.truncate(names - 1, overflow="ellipsis", pad=True)
    line, spots = Text.assemble(name, " "), []
    for column in columns:
        square = layer.rows[place.row][column]
        here = replace(place, column=column)
        left = line.cell_len
        words = "" if square is None else square.text(each - 1)
        state = "dim" if square is None else STATE_STYLES[square.state]
        cell = Text(words.ljust(each - 1))
        if lit and here == cursor:
            # In one colour: its state and rank have signs of their own.
            cell.stylize(lit)
        else:
            cell.stylize(state, 0, 1 if square is not None and square.state is CellState.DONE else len(words))
            if square is not None and square.sign:
                cell.stylize("bold green" if square.sign == "*" else "green", 1)
        line.append_text(cell).append(" ")
        if square is not None:
            spots.append((left, left + each - 1, here))
    return line, spots


def _tell(line: Text, words: str, width: int) -> None:
    """Write words at the right end of a line, if there is room for them."""
    line.rstrip()
    gap = width - line.cell_len - len(words)
    if gap > 0:
        line.append(" " * gap).append(words, style="dim italic")
