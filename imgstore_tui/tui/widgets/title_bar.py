"""The top line: what this is, what a run would measure, and where things are."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text
from textual.reactive import reactive

from imgstore_tui.bench.results.state import Phase, RunState
from imgstore_tui.core.text import safe_text
from imgstore_tui.tui.forms.choice import NO_CHOICE, Choice
from imgstore_tui.tui.terminal.glyphs import Glyphs
from imgstore_tui.tui.widgets.line_picture import LinePicture


class TitleBar(LinePicture):
    """Name of the program, the shown run's conditions (or the plan's), and the phase."""

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

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs

    def on_mount(self) -> None:
        """Draw anew what changes."""
        self.redraw_with("choice", "run_state", "stopping", "opening")

    def picture(self) -> Text:
        """Draw the line; conditions for which there is no room are left out whole."""
        phase = Text(self._phase(), style=self.get_component_rich_style("title-bar--phase"))
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
        if self.stopping:
            return "stopping"
        if self.opening:
            return "opening"
        state = self.run_state
        if state.paused:
            return "paused"
        if state.phase is Phase.FINISHED and state.run is not None:
            return {"budget": "budget spent", "interrupted": "broke off"}.get(state.run.status, state.run.status)
        return "ready" if state.phase is Phase.IDLE else str(state.phase)

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
