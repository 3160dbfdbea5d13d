"""Shows the matrix of storage methods and numbers of images, which fills as trials end."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.reactive import reactive

from imgstore_tui.bench.results.state import RunState
from imgstore_tui.core.text import safe_text
from imgstore_tui.present.detail.cell_detail import cell_title
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.tables.matrix import (
    MatrixCell,
    MatrixLayer,
    matrix_cell_text,
    matrix_layers,
    matrix_legend_text,
    with_running,
)
from imgstore_tui.tui.messages import CellOpened
from imgstore_tui.tui.widgets.line_picture import LinePicture
from imgstore_tui.tui.widgets.matrix_grid import (
    DrawnGrid,
    GridPosition,
    draw_grid,
    nearest_position,
    page_of,
    square_at,
    step_from,
)
from imgstore_tui.tui.widgets.method_marks import MethodMarks

_FOOT = 4
"""Lines below the matrix: an empty one, the cell under the cursor, its results, the legend."""
_MIN_HEIGHT = 10
"""Height of the pane from which on these lines are shown."""


class MatrixPane(LinePicture, can_focus=True):
    """The state of every cell by a glyph, a colour and its value."""

    DEFAULT_CSS = """
    MatrixPane > .matrix--cursor {
        background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold;
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"matrix--cursor"}
    KEYS_OF: ClassVar[str] = "In the matrix"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "open",
            "Detail",
            key_display="enter",
            tooltip="Show all that is known of the cell under the cursor",
        ),
        *(
            Binding(key, f"move({down}, {right})", f"Matrix {key}", show=False, tooltip="Move in the matrix")
            for key, down, right in (("up", -1, 0), ("down", 1, 0), ("left", 0, -1), ("right", 0, 1))
        ),
    ]

    run_state: reactive[RunState] = reactive(RunState(), repaint=False)
    results: reactive[RunResults | None] = reactive(None, repaint=False)
    marks: reactive[MethodMarks] = reactive(MethodMarks(), repaint=False)
    per_image: reactive[bool] = reactive(False, repaint=False)
    cursor: reactive[GridPosition] = reactive(GridPosition(), repaint=False)
    """The cell that enter opens."""

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "6 Matrix"
        self.add_class("-empty")
        self._layers: tuple[MatrixLayer, ...] = ()
        self._drawn = DrawnGrid(())
        self._base_layers: tuple[MatrixLayer, ...] = ()
        """The matrix without the running trial, rebuilt only for new results."""
        self._base_results: RunResults | None = None
        """The results that it was built of."""
        self._base_key: tuple[object, ...] = ()
        """The other values that it was built of."""

    @property
    def square(self) -> MatrixCell | None:
        """The cell under the cursor; None if the plan has none there."""
        return square_at(self._layers, self.cursor)

    def picture(self) -> Text:
        """Return the matrix and the lines below it."""
        state, (width, height) = self.run_state, self.size
        if state.run is None:
            self._layers, self._drawn = (), DrawnGrid(())
            return Text("Storage methods by numbers of images, filled by a run.", style="dim")
        key = (state.run.id, len(state.cells), self.per_image)
        if key != self._base_key or self._base_results is not self.results:
            self._base_key, self._base_results = key, self.results
            self._base_layers = matrix_layers(self.results, state.run, state.cells, per_image=self.per_image)
        self._layers = with_running(self._base_layers, state.current, state.images_done)
        self.set_reactive(MatrixPane.cursor, nearest_position(self._layers, self.cursor))
        foot = _FOOT if height >= _MIN_HEIGHT else 0
        shown = page_of(self._layers, self.cursor.layer, height - foot)
        self._retitle(shown)
        lit = self.get_component_rich_style("matrix--cursor") if self.has_focus else ""
        self._drawn = draw_grid(self._layers, shown, self.cursor, width, height - foot, self.marks, lit=lit)
        lines = [*self._drawn.lines]
        if foot:
            lines += [Text()] * (height - foot - len(lines) + 1) + self._foot(shown, width)
        text = Text("\n").join(lines)
        text.no_wrap = True
        return text

    def _foot(self, shown: range, width: int) -> list[Text]:
        square = self.square
        lines = [
            Text("" if square is None else cell_title(square.cell), style="bold"),
            Text("" if square is None else matrix_cell_text(square, self.results)),
            Text(matrix_legend_text(self._layers[shown.start : shown.stop]), style="dim"),
        ]
        for line in lines:
            line.truncate(width, overflow="ellipsis")
        return lines

    def _retitle(self, shown: range) -> None:
        count = len(self._layers)
        value = "per image" if self.per_image else "all N images"
        title = f"6 Matrix: median time, {value}"
        subtitle = "" if len(shown) == count else f"{self.cursor.layer + 1} of {count}, g: next"
        if (self.border_title, self.border_subtitle) != (title, subtitle):
            self.border_title, self.border_subtitle = title, safe_text(subtitle)

    def copied_text(self) -> str:
        """Return the matrix as it is drawn; empty before there is one."""
        return "" if self.run_state.run is None else self.picture().plain

    def next_layer(self) -> None:
        """Go to the next operation or level."""
        if self._layers:
            self.cursor = GridPosition((self.cursor.layer + 1) % len(self._layers), self.cursor.row, self.cursor.column)

    def action_move(self, down: int, right: int) -> None:
        """Move the cursor; after the rows of an operation comes the next one."""
        self.cursor = step_from(self._layers, self.cursor, down, right)

    def action_open(self) -> None:
        """Open the detail of the cell under the cursor."""
        if self.square is not None:
            self.post_message(CellOpened(self.square.cell))

    def on_click(self, event: events.Click) -> None:
        """Go to the cell that was clicked; clicked again, it opens."""
        offset = event.get_content_offset(self)
        position = None if offset is None else self._drawn.at(offset.x, offset.y)
        if position is None:
            return
        if position == self.cursor:
            self.action_open()
        self.cursor = position

    def watch_run_state(self) -> None:
        """Show the running cell and its progress."""
        empty = self.run_state.run is None
        if empty is not self.has_class("-empty"):
            self.set_class(empty, "-empty")
        self.redraw()

    def watch_results(self) -> None:
        """Show new results."""
        self.redraw()

    def watch_marks(self) -> None:
        """Draw in other colours."""
        self.redraw()

    def watch_per_image(self) -> None:
        """Show other values."""
        self.redraw()

    def watch_cursor(self) -> None:
        """Move the cursor."""
        self.redraw()

    def watch_has_focus(self, has_focus: bool) -> None:
        """Show the cursor only while the pane has the focus."""
        super().watch_has_focus(has_focus)
        self.redraw()
