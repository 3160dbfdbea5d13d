"""Shows one large figure at a time, and beside it the article's claims or the verdicts: for a lecture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from rich.console import RenderableType
from rich.text import Text
from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.reactive import reactive
from textual.widgets import Static

from imgstore_tui.core.text import safe_text
from imgstore_tui.present.charts.legend import ChartColours
from imgstore_tui.present.charts.text_chart import draw_figure
from imgstore_tui.present.presentation import Page, presentation_pages
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.tables.rich_table import rich_table
from imgstore_tui.present.tables.table_model import Table
from imgstore_tui.present.text.ascii import ascii_text
from imgstore_tui.tui.terminal.textual_fixes import Dialog
from imgstore_tui.tui.widgets.key_bar import KeyBar


class _Figure(Static):
    """Where the figure is drawn: anew whenever the text beside it has left it another size."""

    def __init__(self, draw: Callable[[], None]) -> None:
        super().__init__(classes="figure")
        self._draw = draw

    def on_resize(self) -> None:
        self._draw()


class PresentScreen(Dialog[None]):
    """The pages of a run, one at a time; the page that is shown is drawn again while the run goes on."""

    CSS_PATH = "../styles/modal.tcss"
    AUTO_FOCUS = ".beside"
    BINDINGS: ClassVar[list[BindingType]] = [
        # Before the text beside the figure, which scrolls with the arrows.
        Binding(
            "space,right,enter", "turn(1)", "Next", key_display="space", priority=True, tooltip="Show the next figure"
        ),
        Binding(
            "left,backspace", "turn(-1)", "Previous", key_display="←", priority=True, tooltip="Show the figure before"
        ),
        Binding("escape,q", "close", "Close", key_display="esc", tooltip="Go back to the workbench"),
    ]

    results: reactive[RunResults | None] = reactive(None, repaint=False)
    number: reactive[int] = reactive(0, repaint=False)
    """The page that is shown, from 0."""

    figure = getters.query_one(".figure", _Figure)
    beside = getters.query_one(".beside", VerticalScroll)
    body = getters.query_one(".body", Static)

    def __init__(self, results: RunResults, colours: ChartColours, *, ascii_only: bool) -> None:
        super().__init__()
        self._colours, self._ascii = colours, ascii_only
        self._pages: tuple[Page, ...] = presentation_pages(results)
        self.set_reactive(PresentScreen.results, results)

    def compose(self) -> ComposeResult:
        """Lay out the heading, the figure, the text beside it and the keys."""
        yield Static(classes="heading")
        with Container(classes="page"):
            yield _Figure(self._draw)
            with VerticalScroll(classes="beside"):
                yield Static(classes="body")
        yield KeyBar()

    def on_mount(self) -> None:
        """Draw the first page once the size is known."""
        self.call_after_refresh(self._show)

    def on_resize(self) -> None:
        """Draw the page for another size."""
        self.call_after_refresh(self._show)

    def watch_results(self) -> None:
        """Draw the page with new trials."""
        if self.results is not None:
            self._pages = presentation_pages(self.results)
            self._show()

    def watch_number(self) -> None:
        """Draw another page, from the top of its text."""
        self._show()
        if self.is_mounted:
            self.beside.scroll_home(animate=False)

    def action_turn(self, step: int) -> None:
        """Show the next page or the one before; there is none beyond the first and the last."""
        self.number = max(0, min(len(self._pages) - 1, self.number + step))

    def action_close(self) -> None:
        """Go back to the workbench."""
        self.dismiss()

    def _show(self) -> None:
        if not self.is_mounted or not self.figure.size.width:
            return
        heading = self.query_one(".heading", Static)
        if not self._pages:
            heading.update(Text("There is no figure yet: the first points come with the first trials."))
            return
        number = min(self.number, len(self._pages) - 1)
        page = self._pages[number]
        heading.update(Text(safe_text(f"{number + 1} of {len(self._pages)}   {page.item.title}"), no_wrap=True))
        self._draw()
        text = page.text(max(24, self.beside.scrollable_content_region.width - 1))
        if self._ascii:
            text.plain = ascii_text(text.plain)
        self.beside.display = bool(text)
        self.body.update(text)

    def _draw(self) -> None:
        if self._pages:
            self.figure.update(self._drawn(self._pages[min(self.number, len(self._pages) - 1)]))

    def _drawn(self, page: Page) -> RenderableType:
        width, height = self.figure.content_size
        if isinstance(page.item, Table):
            return rich_table(replace(page.item, title=""), width, ascii_only=self._ascii)
        figure = replace(page.item.figure, title="")
        return draw_figure(
            figure, width, height, scales=page.item.scales, colours=self._colours, ascii_only=self._ascii
        )
