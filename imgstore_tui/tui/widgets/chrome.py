"""Draws the frame of the workbench: the title bar, the tab strip and the scroll bars."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment, Segments
from rich.style import Style
from rich.text import Text
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.scrollbar import ScrollBarRender
from textual.widget import Widget

from imgstore_tui.bench.results.state import RunPhase, RunState
from imgstore_tui.core.text import safe_text
from imgstore_tui.present.text.captions import status_word
from imgstore_tui.tui.forms.choice import NO_CHOICE, Choice
from imgstore_tui.tui.panes import PaneName
from imgstore_tui.tui.terminal.glyphs import Glyphs
from imgstore_tui.tui.widgets.line_picture import LinePicture

_UPRIGHT, _LYING = "▐", "▂"
"""The characters of the thumb; they leave a gap to the text beside it."""


class TitleBar(LinePicture):
    """The name of the program, the conditions of the shown run or of the plan, and the phase."""

    DEFAULT_CSS = """
    TitleBar { height: 1; padding: 0 1; background: $panel; color: $text-muted; }
    TitleBar > .title-bar--name { color: $primary; text-style: bold; }
    TitleBar > .title-bar--phase { color: $foreground; text-style: bold; }
    """
    COMPONENT_CLASSES = {"title-bar--name", "title-bar--phase"}  # noqa: RUF012 - Textual's own convention

    choice: reactive[Choice] = reactive(NO_CHOICE, repaint=False)
    run_state: reactive[RunState] = reactive(RunState(), repaint=False)
    stopping: reactive[bool] = reactive(False, repaint=False)
    opening: reactive[bool] = reactive(False, repaint=False)
    """Whether a saved run is being read."""
    replay_text: reactive[str] = reactive("", repaint=False)
    """``replay 10x`` while a saved run is played; empty for others."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs

    def on_mount(self) -> None:
        """Redraw on every change."""
        self.redraw_with("choice", "run_state", "stopping", "opening", "replay_text")

    def picture(self) -> Text:
        """Return the line; conditions that do not fit are left out whole."""
        phase = Text(self._phase(), style=self.get_component_rich_style("title-bar--phase"))
        if self.replay_text:
            phase.stylize("reverse")
        line = Text.assemble(("imgstore-tui", self.get_component_rich_style("title-bar--name")), "  ")
        dot = f" {self._glyphs.dot} "
        parts, room = self._conditions(), self.size.width - line.cell_len - phase.cell_len - 2
        while len(parts) > 1 and cell_len(dot.join(parts)) > room:
            parts.pop()
        conditions = Text(dot.join(parts))
        conditions.truncate(max(0, room), overflow="ellipsis")
        line.append_text(conditions)
        line.append(" " * max(1, self.size.width - line.cell_len - phase.cell_len)).append_text(phase)
        line.no_wrap = True
        return line

    def _phase(self) -> str:
        if self.replay_text:
            return f" {self.replay_text.upper().removesuffix('X')}{'x' if self.replay_text.endswith('x') else ''} "
        if self.stopping:
            return "stopping"
        if self.opening:
            return "opening"
        state = self.run_state
        if state.paused:
            return "paused"
        if state.phase is RunPhase.FINISHED and state.run is not None:
            return status_word(state.run.status)
        return "ready" if state.phase is RunPhase.IDLE else str(state.phase)

    def _conditions(self) -> list[str]:
        run = self.run_state.run
        plan = self.choice.plan if run is None else run.plan
        parts = [safe_text(", ".join(plan.datasets)) or "no data"]
        if run is not None and len(run.datasets) == 1 and run.datasets[0].shape is not None:
            parts[0] = safe_text(run.datasets[0].summary)
        if any(operation.writes for operation in plan.operations):
            parts.append(f"writes {'/'.join(plan.sync)}")
        if any(not operation.writes for operation in plan.operations):
            parts.append(f"reads {'/'.join(plan.cache)}")
        if run is not None:
            parts.append(safe_text(f"{run.environment.scratch_filesystem} {run.environment.scratch}"))
        return parts


class TabStrip(Widget):
    """The panes by name and key where only one of them fits; the one in front is in brackets."""

    DEFAULT_CSS = """
    TabStrip { height: 1; padding: 0 1; color: $text-muted; }
    TabStrip > .tab-strip--front { color: $primary; text-style: bold; }
    TabStrip > .tab-strip--key { color: $text-muted; }
    """
    COMPONENT_CLASSES = {"tab-strip--front", "tab-strip--key"}  # noqa: RUF012 - Textual's own convention

    pane: reactive[PaneName] = reactive(PaneName.CHOOSE)

    @dataclass
    class Chosen(Message):
        """A tab was clicked."""

        pane: PaneName

    def render(self) -> Text:
        """Draw the tabs."""
        line = Text(no_wrap=True)
        for pane in PaneName:
            front = pane is self.pane
            style = self.get_component_rich_style("tab-strip--front" if front else "tab-strip--key")
            label = f"{pane.key} {pane.title()}"
            line.append(f"[{label}]" if front else f" {label} ", style=style).append(" ")
        return line

    def on_click(self, event: events.Click) -> None:
        """Bring the clicked tab to the front."""
        right = self.styles.padding.left
        for pane in PaneName:
            right += len(pane.key) + len(pane) + 4
            if event.x < right:
                self.post_message(self.Chosen(pane))
                return


class SlimScrollBar(ScrollBarRender):
    """Scroll bars with a thumb half as wide as Textual's, visible without colour and apart from the text."""

    @classmethod
    def render_bar(
        cls,
        size: int = 25,
        virtual_size: float = 50,
        window_size: float = 20,
        position: float = 0,
        thickness: int = 1,
        vertical: bool = True,
        back_color: Color = Color.default(),  # noqa: B008 - as Textual declares it
        bar_color: Color = Color.default(),  # noqa: B008
    ) -> Segments:
        """Return the bar; a click beside the thumb scrolls a page, as with Textual's own."""
        size = max(0, int(size))
        before = thumb = 0
        if window_size and size and virtual_size > window_size:
            thumb = min(size, max(1, round(size * window_size / virtual_size)))
            before = round((size - thumb) * min(1.0, max(0.0, position / (virtual_size - window_size))))
        sign = (_UPRIGHT if vertical else _LYING).rjust(thickness if vertical else 1)
        blank = " " * len(sign)
        cells = [
            *[_scroll_cell(blank, back_color, bar_color, "scroll_up")] * before,
            *[_scroll_cell(sign, back_color, bar_color, "grab")] * thumb,
            *[_scroll_cell(blank, back_color, bar_color, "scroll_down")] * (size - before - thumb),
        ]
        if vertical:
            return Segments(cells, new_lines=True)
        return Segments([*cells, Segment.line()] * thickness, new_lines=False)


def _scroll_cell(sign: str, behind: Color, colour: Color, pressed: str) -> Segment:
    return Segment(sign, Style(color=colour, bgcolor=behind, meta={"@mouse.down": pressed}))
