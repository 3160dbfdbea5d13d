"""Draws the matrix: chooses visible rows and columns, and maps between cells, cursor and screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rich.style import StyleType
from rich.text import Text

from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_count_short
from imgstore_tui.present.tables.matrix import CellState, MatrixCell, MatrixLayer
from imgstore_tui.tui.widgets.method_marks import MethodMarks

MIN_CELL, MAX_CELL = 8, 18
"""Columns of the terminal per cell, gap included; where they would be fewer, some cells are left out."""

STATE_STYLES = {
    CellState.WAITING: "dim", CellState.RUNNING: "bold yellow", CellState.PART: "", CellState.DONE: "green",
    CellState.FAILED: "bold red", CellState.UNVERIFIED: "bold red", CellState.SKIPPED: "dim italic",
    CellState.UNSUPPORTED: "dim italic",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class GridPosition:
    """Layer, row and column of the matrix."""

    layer: int = 0
    row: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class DrawnGrid:
    """A drawn matrix: its lines, and the cell at each point."""

    lines: tuple[Text, ...]
    spots: tuple[tuple[int, int, int, GridPosition], ...] = field(default=())
    """Per cell: line, first column, column past the last, and its position."""

    def at(self, x: int, y: int) -> GridPosition | None:
        """Return the position of the cell that is drawn at a point; None if there is none."""
        return next((position for line, left, right, position in self.spots if line == y and left <= x < right), None)


def square_at(layers: Sequence[MatrixLayer], position: GridPosition) -> MatrixCell | None:
    """Return the cell at a position; None if there is none."""
    if position.layer < len(layers) and position.row < len(layers[position.layer].rows):
        row = layers[position.layer].rows[position.row]
        return row[position.column] if position.column < len(row) else None
    return None


def nearest_position(layers: Sequence[MatrixLayer], position: GridPosition) -> GridPosition:
    """Return the position of the cell nearest to a position, which may be outside the matrix or empty."""
    if not layers:
        return GridPosition()
    layer = max(0, min(position.layer, len(layers) - 1))
    row = max(0, min(position.row, len(layers[layer].labels) - 1))
    filled = [column for column, square in enumerate(layers[layer].rows[row]) if square is not None]
    return GridPosition(layer, row, min(filled, key=lambda column: abs(column - position.column), default=0))


def step_from(layers: Sequence[MatrixLayer], position: GridPosition, down: int, right: int) -> GridPosition:
    """Return the position after a step, which skips empty positions and goes on in the next layer.

    Args:
        layers: All layers.
        position: Where the step begins.
        down: Rows; negative for up.
        right: Cells; negative for left.
    """
    if not layers:
        return GridPosition()
    layer, row = position.layer, position.row + down
    if row < 0 < layer:
        layer, row = layer - 1, len(layers[layer - 1].labels) - 1
    elif row >= len(layers[layer].labels) and layer + 1 < len(layers):
        layer, row = layer + 1, 0
    column = position.column + right
    cells = layers[layer].rows[max(0, min(row, len(layers[layer].labels) - 1))]
    while right and 0 <= column < len(cells) and cells[column] is None:
        column += right
    return nearest_position(layers, GridPosition(layer, row, column))


def page_of(layers: Sequence[MatrixLayer], layer: int, height: int) -> range:
    """Return the layers that are shown together: all, or as many as fit with a given one.

    Args:
        layers: All layers; each takes a line for its title and one per row, below one line of numbers.
        layer: Index of the layer that must be shown.
        height: Lines of the terminal.
    """
    first = 0
    while first < len(layers):
        used, past = 1, first
        while past < len(layers) and (past == first or used + 1 + len(layers[past].labels) <= height):
            used += 1 + len(layers[past].labels)
            past += 1
        if first <= layer < past:
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
    """Draw some layers one under the other; the cell under the cursor is always visible.

    Args:
        layers: All layers.
        shown: Indexes of those to draw.
        cursor: Where the cursor is.
        width: Columns of the terminal.
        height: Lines of the terminal.
        marks: Marks and colours of storage methods.
        lit: Style of the cell under the cursor; empty if the cursor is hidden.
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
        # The number of hidden columns is shown above the names of the rows.
        left, right = columns[0], len(cutoffs) - 1 - columns[-1]
        hidden = f"<{left} more {right}>" if left and right else f"< {left} more" if left else f"{right} more >"
        if len(hidden) >= names:
            hidden = hidden.replace(" more", "")
        head = Text.assemble((hidden[:names].ljust(names), "dim"), head[names:])
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
        spots += [(number + 1, left, right, position) for left, right, position in cells]
    below = len(rows) - first - room
    if first or below > 0:
        # The number of hidden rows is shown in the corner.
        beyond = [f"{count} {where}" for count, where in ((first, "above"), (below, "below")) if count > 0]
        _append_right(lines[0], ", ".join(beyond), width)
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return DrawnGrid(tuple(lines), tuple(spots))


def _columns(count: int, cursor: int, room: int) -> tuple[range, int]:
    """Return the visible columns, that of the cursor among them, and the width of each."""
    if not count:
        return range(0), MIN_CELL
    fitting = max(1, min(count, room // MIN_CELL))
    first = max(0, min(cursor - fitting // 2, count - fitting))
    return range(first, first + fitting), max(MIN_CELL, min(MAX_CELL, room // fitting))


def _row(
    layer: MatrixLayer, position: GridPosition, label: str, columns: range, names: int, each: int, cursor: GridPosition,
    marks: MethodMarks, *, lit: StyleType,
) -> tuple[Text, list[tuple[int, int, GridPosition]]]:  # fmt: skip
    name = Text(f"{marks.mark(label)} {safe_text(label)}", style=marks.style(label))
    name.truncate(names - 1, overflow="ellipsis", pad=True)
    line, spots = Text.assemble(name, " "), []
    for column in columns:
        square = layer.rows[position.row][column]
        here = replace(position, column=column)
        left = line.cell_len
        text = "" if square is None else square.text(each - 1)
        state = "dim" if square is None else STATE_STYLES[square.state]
        cell = Text(text.ljust(each - 1))
        if lit and here == cursor:
            # In one colour; state and rank show by their signs.
            cell.stylize(lit)
        else:
            cell.stylize(state, 0, 1 if square is not None and square.state is CellState.DONE else len(text))
            if square is not None and square.sign:
                cell.stylize("bold green" if square.sign == "*" else "green", 1)
        line.append_text(cell).append(" ")
        if square is not None:
            spots.append((left, left + each - 1, here))
    return line, spots


def _append_right(line: Text, text: str, width: int) -> None:
    """Append a text at the right end of a line if it fits."""
    line.rstrip()
    gap = width - line.cell_len - len(text)
    if gap > 0:
        line.append(" " * gap).append(text, style="dim italic")
