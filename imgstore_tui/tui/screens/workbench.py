"""The screen on which everything happens: choose, run, watch, read."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.message import Message
from textual.reactive import reactive
from textual.screen import Screen
from textual.timer import Timer

from imgstore_tui.bench.plan import PLAN_NAMES, named_plan
from imgstore_tui.bench.state import Phase, RunState
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.model import Plan
from imgstore_tui.core.units import format_count
from imgstore_tui.present.charts import Palette
from imgstore_tui.present.log import error_line, log_line
from imgstore_tui.present.sections import Digest, digest
from imgstore_tui.tui.bridge import Bridge, Broken, News, after
from imgstore_tui.tui.choice import Choice
from imgstore_tui.tui.gate import Settings
from imgstore_tui.tui.look import glyphs
from imgstore_tui.tui.marks import Marks
from imgstore_tui.tui.panes import PaneName
from imgstore_tui.tui.screens.export import ExportScreen
from imgstore_tui.tui.screens.leave import LeaveScreen
from imgstore_tui.tui.widgets.chart_pane import ChartPane
from imgstore_tui.tui.widgets.choose_pane import ChoosePane
from imgstore_tui.tui.widgets.key_bar import KeyBar
from imgstore_tui.tui.widgets.log_pane import LogPane
from imgstore_tui.tui.widgets.run_line import RunLine
from imgstore_tui.tui.widgets.tab_strip import TabStrip
from imgstore_tui.tui.widgets.table_pane import TablePane
from imgstore_tui.tui.widgets.title_bar import TitleBar
from imgstore_tui.tui.widgets.verdict_pane import VerdictPane


class Workbench(Screen[None]):
    """Holds the choice and the state of the run; panes get both as reactives and send what the user wants."""

    @dataclass
    class Saved(Message):
        """Results were written to a file."""

        path: str

    @dataclass
    class Left(Message):
        """The user wants to leave, and nothing is in the way."""

    CSS_PATH = "../styles/workbench.tcss"
    AUTO_FOCUS = "StorageList"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "run", "Run", tooltip="Run the plan as chosen"),
        Binding("s", "stop", "Stop", tooltip="Stop the run; what was measured is kept"),
        Binding("m", "next_chart", "Chart", tooltip="Show the next chart"),
        Binding("v", "next_table", "Table", tooltip="Show the next table"),
        Binding("e", "export", "Export", tooltip="Write the results to a file"),
        Binding("question_mark,f1", "app.help", "Help", key_display="?", tooltip="Show what every key does"),
        Binding("q", "app.leave", "Quit", tooltip="Quit; asks while a run goes on"),
        Binding("l", "toggle_log", "Axes", show=False, tooltip="Logarithmic or linear axes"),
        Binding("i", "toggle_per_image", "Per image", show=False, tooltip="Time of all images, or of one"),
        Binding("p", "next_plan", "Plan", show=False, tooltip="Choose as the next named plan does"),
        Binding("t", "app.next_theme", "Theme", show=False, tooltip="Use the next theme"),
        Binding("escape", "leave_field", "Back", show=False, tooltip="Leave the line that is being written in"),
        *(
            Binding(pane.key, f"show_pane('{pane}')", pane.title(), show=False, tooltip=f"Go to the {pane} pane")
            for pane in PaneName
        ),
    ]

    choice: reactive[Choice] = reactive(lambda: Choice(Plan(), (), frozenset()))
    run_state: reactive[RunState] = reactive(RunState())
    found: reactive[Digest | None] = reactive(None)
    palette: reactive[Palette] = reactive(Palette())
    marks: reactive[Marks] = reactive(Marks())
    pane: reactive[PaneName] = reactive(PaneName.CHOOSE)
    stopping: reactive[bool] = reactive(False)

    title_bar = getters.query_one(TitleBar)
    tab_strip = getters.query_one(TabStrip)
    choose_pane = getters.query_one(ChoosePane)
    chart_pane = getters.query_one(ChartPane)
    table_pane = getters.query_one(TablePane)
    log_pane = getters.query_one(LogPane)
    verdict_pane = getters.query_one(VerdictPane)
    run_line = getters.query_one(RunLine)

    def __init__(self, bridge: Bridge, plan: Plan, settings: Settings) -> None:
        super().__init__()
        self._bridge = bridge
        self._settings = settings
        self._ticker: Timer | None = None
        self.set_reactive(Workbench.choice, Choice.of(plan))
        self.set_class(settings.ascii, "-ascii")

    def compose(self) -> ComposeResult:
        """Lay out every pane once; the style sheet decides which are seen and where."""
        drawn = glyphs(self._settings.ascii)
        yield TitleBar(drawn).data_bind(Workbench.run_state, Workbench.stopping)
        yield TabStrip().data_bind(Workbench.pane)
        with Container(classes="body"):
            yield ChoosePane(self.choice).data_bind(Workbench.choice, Workbench.marks)
            yield ChartPane(ascii_only=self._settings.ascii).data_bind(Workbench.found, Workbench.marks)
            yield TablePane().data_bind(Workbench.found)
            yield LogPane()
            yield VerdictPane().data_bind(Workbench.found)
        yield RunLine(drawn).data_bind(Workbench.run_state, Workbench.stopping)
        yield KeyBar()

    def on_mount(self) -> None:
        """Start the one timer by which news reaches the screen."""
        self._ticker = self.set_interval(1 / self._settings.fps, self._tick, pause=True)
        self.watch_choice(self.choice)
        self.watch_pane(self.pane, self.pane)

    # What is chosen

    @on(ChoosePane.Wanted)
    def _choice_wanted(self, event: ChoosePane.Wanted) -> None:
        self.choice = event.choice

    def watch_choice(self, choice: Choice) -> None:
        """Say what a run of the new choice would be."""
        self.title_bar.plan = choice.plan
        self.marks = self._marks()
        self.run_line.problem = ""
        cells, trials = choice.size()
        self.run_line.ready = (
            f"{format_count(trials)} trials: {format_count(cells)} cells in {choice.rounds} rounds. Press r to run."
            if trials
            else "Tick something in every list, then press r to run."
        )

    def watch_palette(self) -> None:
        """Colour the storage methods anew."""
        self.marks = self._marks()

    def _marks(self) -> Marks:
        return Marks.of(self.run_state.run, self.choice.plan, self.palette)

    def action_next_plan(self) -> None:
        """Choose as the named plan after the present one does."""
        names = list(PLAN_NAMES)
        here = names.index(self.choice.plan.name) if self.choice.plan.name in names else -1
        try:
            plan = named_plan(names[(here + 1) % len(names)])
        except ImgstoreError as error:
            self.run_line.problem = str(error)
            return
        self.choice = Choice.of(plan)
        self.notify(f"Chosen as in the plan '{plan.name}'.", markup=False)

    # The run

    def action_run(self) -> None:
        """Start the run, or say what is in the way."""
        try:
            plan = self.choice.check()
        except ImgstoreError as error:
            self.run_line.problem = str(error)
            return
        self._bridge.prepare()
        self.run_line.problem, self.run_line.ended, self.run_line.began = "", None, time.monotonic()
        self.run_state = RunState(phase=Phase.PREPARING)
        self.found = None
        self.run_worker(partial(self._bridge.supervise, plan), thread=True, exit_on_error=False, group="run")
        if self.pane is PaneName.CHOOSE:
            self.pane = PaneName.CHART
        if self._ticker is not None:
            self._ticker.resume()
        self.refresh_bindings()

    def action_stop(self) -> None:
        """Ask the run to stop."""
        self._bridge.stop()
        self.stopping = self._bridge.stopping

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        match action:
            case "run" | "next_plan":
                return not self._bridge.busy
            case "stop":
                return self._bridge.busy
            case "export":
                return self.run_state.run is not None
        return True

    def _tick(self) -> None:
        """Take in what the thread has said since the last time, in one repaint."""
        busy = self._bridge.busy
        news = self._bridge.drain()
        with self.app.batch_update():
            self._take_in(news)
            self.run_line.refresh()
            if not busy:
                self.run_line.ended = time.monotonic()
                self.stopping = False
                self.refresh_bindings()
                if self._ticker is not None:
                    self._ticker.pause()

    def _take_in(self, news: list[News]) -> None:
        state, lines = self.run_state, []
        for item in news:
            state = after(state, item)
            if isinstance(item, Broken):
                self.run_line.problem = item.text
                lines.append(error_line(item.text))
            elif (line := log_line(item, self.marks.style)) is not None:
                lines.append(line)
        self.log_pane.say(lines)
        grown = state.revision != self.run_state.revision
        self.run_state = state
        if grown and state.run is not None:
            self.marks = self._marks()
            self.found = digest(state.run)
            self.refresh_bindings()

    # What is in front

    @on(TabStrip.Chosen)
    def _tab_chosen(self, event: TabStrip.Chosen) -> None:
        self.action_show_pane(event.pane)

    def action_show_pane(self, name: str) -> None:
        """Bring a pane to the front and the keys to it."""
        self.pane = PaneName(name)
        self.call_after_refresh(self._focus_pane)

    def watch_pane(self, before: PaneName, pane: PaneName) -> None:
        """Let the style sheet know which pane is in front."""
        self.remove_class(before.css_class)
        self.add_class(pane.css_class)

    def _focus_pane(self) -> None:
        {
            PaneName.CHOOSE: self.choose_pane.storage,
            PaneName.CHART: self.chart_pane,
            PaneName.TABLE: self.table_pane.grid,
            PaneName.LOG: self.log_pane,
            PaneName.VERDICT: self.verdict_pane,
        }[self.pane].focus()

    def action_leave_field(self) -> None:
        """Go back to the list of storage methods."""
        self.choose_pane.storage.focus()

    def action_next_chart(self) -> None:
        """Show the next chart."""
        self.chart_pane.turns += 1

    def action_next_table(self) -> None:
        """Show the next table."""
        self.table_pane.view += 1

    def action_toggle_log(self) -> None:
        """Make the axes logarithmic, or linear."""
        self.chart_pane.log_axes = not self.chart_pane.log_axes

    def action_toggle_per_image(self) -> None:
        """Show the time of all images, or of one."""
        self.chart_pane.per_image = not self.chart_pane.per_image

    # The way out

    def action_export(self) -> None:
        """Ask for format and path, and write the results there."""
        if self.run_state.run is not None:
            self.app.push_screen(ExportScreen(self.run_state.run), self._exported)

    def _exported(self, path: str | None) -> None:
        if path is not None:
            self.post_message(self.Saved(path))
            self.log_pane.say([Text.assemble(("saved ", "bold"), path)])

    def ask_to_leave(self) -> None:
        """Leave at once, or, while a run goes on, after asking."""
        if self._bridge.busy:
            self.app.push_screen(LeaveScreen(self._bridge), self._leave)
        else:
            self._leave(True)

    def _leave(self, sure: bool | None) -> None:
        if sure:
            self._take_in(self._bridge.drain())
            self.post_message(self.Left())
