"""The screen on which everything happens: choose, run, watch, read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import Reactive, reactive
from textual.widget import Widget
from textual.widgets import Input

from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.model import Plan
from imgstore_tui.present.charts.legend import ChartColours
from imgstore_tui.present.text.log_line import SpecStyle, error_line
from imgstore_tui.tui.forms.choice import NO_CHOICE, Choice
from imgstore_tui.tui.forms.last_choice import save_choice
from imgstore_tui.tui.forms.plan_cycle import PlanCycle
from imgstore_tui.tui.keys import WORKBENCH_KEYS
from imgstore_tui.tui.panes import PaneName
from imgstore_tui.tui.run.run_thread import RunThread
from imgstore_tui.tui.screens.export import ExportScreen
from imgstore_tui.tui.screens.leave import LeaveScreen
from imgstore_tui.tui.screens.results_view import ResultsView
from imgstore_tui.tui.terminal.breakpoints import WIDE_COLUMNS
from imgstore_tui.tui.terminal.capabilities import ScreenSettings
from imgstore_tui.tui.terminal.glyphs import glyphs
from imgstore_tui.tui.widgets.chart_pane import ChartPane
from imgstore_tui.tui.widgets.choose_pane import ChoosePane
from imgstore_tui.tui.widgets.key_bar import KeyBar
from imgstore_tui.tui.widgets.leftovers_line import LeftoversLine
from imgstore_tui.tui.widgets.log_pane import LogPane, method_style
from imgstore_tui.tui.widgets.matrix_pane import MatrixPane
from imgstore_tui.tui.widgets.method_marks import MethodMarks
from imgstore_tui.tui.widgets.panes import Panes
from imgstore_tui.tui.widgets.run_line import RunLine
from imgstore_tui.tui.widgets.tab_strip import TabStrip
from imgstore_tui.tui.widgets.table_pane import TablePane
from imgstore_tui.tui.widgets.title_bar import TitleBar
from imgstore_tui.tui.widgets.verdict_pane import VerdictPane


class Workbench(ResultsView):
    """Holds the choice beside the run; panes get both as reactives and send what the user wants."""

    @dataclass
    class Exported(Message):
        """Results were written to a file."""

        path: str

    @dataclass
    class Leaving(Message):
        """The user wants to leave, and nothing is in the way."""

    CSS_PATH = "../styles/workbench.tcss"
    AUTO_FOCUS = "MethodList"

    BINDINGS: ClassVar[list[BindingType]] = WORKBENCH_KEYS

    # What widgets are bound to. Textual repaints a whole screen whenever a reactive of it changes, also when the
    # focus does: tens of kilobytes for a key, and for every look at a running run.
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    choice: reactive[Choice] = reactive(NO_CHOICE, repaint=False)
    palette: reactive[ChartColours] = reactive(ChartColours(), repaint=False)
    marks: reactive[MethodMarks] = reactive(MethodMarks(), repaint=False)

    def __init__(self, run_thread: RunThread, choice: Choice, settings: ScreenSettings, note: str = "") -> None:
        super().__init__(run_thread, settings.fps)
        self._settings = settings
        self._note = note
        """What there is to say of the choice that is taken up."""
        self._plans = PlanCycle()
        self.set_reactive(Workbench.choice, choice)
        self.set_class(settings.ascii, "-ascii")

    def compose(self) -> ComposeResult:
        """Lay out every pane once; the style sheet decides which are seen and where."""
        drawn = glyphs(self._settings.ascii)
        yield TitleBar(drawn).data_bind(Workbench.choice, Workbench.run_state, Workbench.stopping, Workbench.opening)
        yield TabStrip().data_bind(Workbench.pane)
        with Panes().data_bind(Workbench.pane):
            yield ChoosePane(self.choice).data_bind(Workbench.choice, Workbench.marks)
            yield ChartPane(ascii_only=self._settings.ascii).data_bind(
                Workbench.run_state,
                Workbench.found,
                Workbench.marks,
                Workbench.log_x,
                Workbench.log_y,
                Workbench.per_image,
            )
            yield MatrixPane().data_bind(Workbench.run_state, Workbench.found, Workbench.marks, Workbench.per_image)
            yield TablePane().data_bind(Workbench.found, Workbench.cutoff)
            yield LogPane().data_bind(Workbench.marks)
            yield VerdictPane().data_bind(Workbench.found, Workbench.cutoff)
        yield LeftoversLine()
        yield RunLine(drawn).data_bind(Workbench.run_state, Workbench.stopping)
        yield KeyBar()

    def on_mount(self) -> None:
        """Say what is chosen at first."""
        self.watch_choice(self.choice)
        if self._note:
            self.log_line(error_line(self._note))

    # What is chosen

    @on(ChoosePane.ChoiceRequested)
    def _choice_requested(self, event: ChoosePane.ChoiceRequested) -> None:
        self.choice = event.choice

    def watch_choice(self, choice: Choice) -> None:
        """Say what a run of the new choice would be."""
        self.marks = self._marks()
        self.run_line.problem = ""

    @on(ChoosePane.SummaryChanged)
    def _expected(self, event: ChoosePane.SummaryChanged) -> None:
        self.run_line.ready, self.run_line.ready_time = event.words, event.duration

    def watch_palette(self) -> None:
        """Colour the storage methods anew."""
        self.marks = self._marks()

    def _marks(self) -> MethodMarks:
        return MethodMarks.of(self._shown_run.state.run, self.choice.plan, self.palette)

    def action_next_plan(self) -> None:
        """Choose as the named plan after the present one does."""
        try:
            plan = self._plans.after(self.choice.plan.name)
        except ImgstoreError as error:
            self.run_line.problem = str(error)
            return
        self.choice = Choice.of(plan)
        self.panes.choose.write_fields(self.choice)
        self.notify(f"Chosen as in the plan '{plan.name}'.", markup=False)

    def action_data(self) -> None:
        """Open the data of the plan."""
        self.panes.choose.open_data()

    def action_conditions(self) -> None:
        """Open the conditions under which is measured."""
        self.panes.choose.open_conditions()

    def action_save_plan(self) -> None:
        """Keep the choice under a name."""
        self.panes.choose.save_plan()

    # The run

    def plan_to_run(self) -> Plan:
        """Return the plan as chosen, and keep the choice for the next start."""
        plan = self.choice.check()
        try:
            save_choice(self.choice)
        except ImgstoreError as error:
            self.log_line(error_line(str(error)))
        return plan

    def spec_style(self) -> SpecStyle:
        """Colour storage methods in the log as in the list, whatever the list's colours come to be."""
        return method_style

    def run_begun(self) -> None:
        """Bring results to the front where they have no place beside the choice."""
        if self.pane is PaneName.CHOOSE and self.app.size.width < WIDE_COLUMNS:
            self.action_show_pane(PaneName.CHART)

    def watch_found(self) -> None:
        """Give the methods of a run that has begun their marks."""
        super().watch_found()
        self.marks = self._marks()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        match action:
            case "next_plan":
                return not self._run_thread.measuring
            case "leave_field":
                return isinstance(self.focused, Input)
            case "export":
                return self.run_state.run is not None
            case "next_chart" | "next_table":
                return self.found is not None
        return super().check_action(action, parameters)

    # What is in front

    @on(TabStrip.Chosen)
    def _tab_chosen(self, event: TabStrip.Chosen) -> None:
        self.action_show_pane(event.pane)

    def action_show_pane(self, name: str) -> None:
        """Bring a pane to the front and the keys to it."""
        self.pane = PaneName(name)
        self.panes.focus_front()

    def action_leave_field(self) -> None:
        """Go back to the list of storage methods."""
        self.set_focus(self.panes.choose.storage)

    # The way out

    def action_export(self) -> None:
        """Ask for format and path, and write the results there."""
        if self.run_state.run is not None:
            self.app.push_screen(ExportScreen(self.run_state.run, self.panes.chart.drawing), self._exported)

    def _exported(self, path: str | None) -> None:
        if path is not None:
            self.post_message(self.Exported(path))
            self.log_line(Text.assemble(("saved ", "bold"), path))
            self.notify(f"{Path(path).name}\nin {Path(path).parent}", title="Saved", markup=False)

    def ask_to_leave(self) -> None:
        """Leave at once, or, while a run goes on, after asking."""
        front = self.app.screen
        if isinstance(front, LeaveScreen):
            front.action_leave()
        elif self._run_thread.measuring:
            self.app.push_screen(LeaveScreen(self._run_thread), self._leave)
        else:
            self._leave(True)

    def _leave(self, sure: bool | None) -> None:
        if sure:
            self.post_message(self.Leaving())
