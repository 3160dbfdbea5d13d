"""The main screen: choose, run, watch and read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import Click
from textual.message import Message
from textual.reactive import Reactive, reactive
from textual.widget import Widget
from textual.widgets import Input

from imgstore_tui.bench.plan.plans import changed_plan, named_plan
from imgstore_tui.bench.results.state import RunPhase
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.model import Plan
from imgstore_tui.present.charts.legend import ChartColours
from imgstore_tui.present.text.log_line import SpecStyle, error_line
from imgstore_tui.tui.forms.choice import NO_CHOICE, Choice, PlanCycle
from imgstore_tui.tui.forms.last_choice import save_choice
from imgstore_tui.tui.keys import WORKBENCH_KEYS
from imgstore_tui.tui.panes import PaneName
from imgstore_tui.tui.run.run_thread import RunThread
from imgstore_tui.tui.screens.export import ExportScreen
from imgstore_tui.tui.screens.leave import LeaveScreen
from imgstore_tui.tui.screens.results_view import ResultsView
from imgstore_tui.tui.screens.use import UseScreen
from imgstore_tui.tui.terminal.capabilities import ScreenSettings
from imgstore_tui.tui.terminal.glyphs import glyphs
from imgstore_tui.tui.widgets.chart_pane import ChartPane
from imgstore_tui.tui.widgets.choose_pane import ChoosePane
from imgstore_tui.tui.widgets.chrome import TabStrip, TitleBar
from imgstore_tui.tui.widgets.key_bar import KeyBar
from imgstore_tui.tui.widgets.leftovers_line import LeftoversLine
from imgstore_tui.tui.widgets.log_pane import LogPane, method_style
from imgstore_tui.tui.widgets.matrix_pane import MatrixPane
from imgstore_tui.tui.widgets.method_marks import MethodMarks
from imgstore_tui.tui.widgets.panes import Column, Panes
from imgstore_tui.tui.widgets.run_line import RunLine
from imgstore_tui.tui.widgets.table_pane import TablePane
from imgstore_tui.tui.widgets.verdict_pane import VerdictPane


class Workbench(ResultsView):
    """Holds the choice beside the run; panes get both as reactives and post what the user asks for."""

    @dataclass
    class Exported(Message):
        """Results were written to a file."""

        path: str

    @dataclass
    class Leaving(Message):
        """The user quits, and no run goes on."""

    CSS_PATH = "../styles/workbench.tcss"
    AUTO_FOCUS = "MethodList"

    BINDINGS: ClassVar[list[BindingType]] = WORKBENCH_KEYS

    # The reactives that widgets are bound to. Textual repaints a whole screen whenever one of its reactives changes,
    # the focus included: tens of kilobytes per key and per tick of a run, hence repaint=False.
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    choice: reactive[Choice] = reactive(NO_CHOICE, repaint=False)
    palette: reactive[ChartColours] = reactive(ChartColours(), repaint=False)
    marks: reactive[MethodMarks] = reactive(MethodMarks(), repaint=False)

    def __init__(self, run_thread: RunThread, choice: Choice, settings: ScreenSettings, note: str = "") -> None:
        super().__init__(run_thread, settings.fps)
        self._settings = settings
        self._note = note
        """The problem with the saved choice."""
        self._plans = PlanCycle()
        self.set_reactive(Workbench.choice, choice)
        self.set_class(settings.ascii, "-ascii")

    def compose(self) -> ComposeResult:
        """Lay out every pane once; the style sheet decides which are visible and where."""
        symbols = glyphs(self._settings.ascii)
        yield TitleBar(symbols).data_bind(
            Workbench.choice,
            Workbench.run_state,
            Workbench.stopping,
            Workbench.opening,
            Workbench.replay_text,
        )
        yield TabStrip().data_bind(Workbench.pane)
        with Panes().data_bind(Workbench.pane):
            yield ChoosePane(self.choice).data_bind(Workbench.choice, Workbench.marks)
            with Column(id="left"):
                yield ChartPane(ascii_only=self._settings.ascii).data_bind(
                    Workbench.run_state,
                    Workbench.results,
                    Workbench.marks,
                    Workbench.log_x,
                    Workbench.log_y,
                    Workbench.per_image,
                )
                yield TablePane().data_bind(Workbench.results, Workbench.cutoff)
            with Column(id="right"):
                yield VerdictPane().data_bind(Workbench.results, Workbench.cutoff, Workbench.marks)
                yield MatrixPane().data_bind(
                    Workbench.run_state, Workbench.results, Workbench.marks, Workbench.per_image
                )
                yield LogPane().data_bind(Workbench.marks)
        yield LeftoversLine()
        yield RunLine(symbols).data_bind(Workbench.run_state, Workbench.stopping)
        yield KeyBar()

    def on_mount(self) -> None:
        """Show the first choice."""
        self.watch_choice(self.choice)
        if self._note:
            self.log_line(error_line(self._note))

    # The choice

    @on(ChoosePane.ChoiceRequested)
    def _choice_requested(self, event: ChoosePane.ChoiceRequested) -> None:
        self.choice = event.choice

    def watch_choice(self, choice: Choice) -> None:
        """Mark the methods of the new choice."""
        self.marks = self._marks()
        self.run_line.problem = ""

    @on(ChoosePane.SummaryChanged)
    def _summary_changed(self, event: ChoosePane.SummaryChanged) -> None:
        self.run_line.ready, self.run_line.expected = event.text, event.expected

    def watch_palette(self) -> None:
        """Colour the storage methods."""
        self.marks = self._marks()

    def _marks(self) -> MethodMarks:
        return MethodMarks.of(self._shown_run.state.run, self.choice.plan, self.palette)

    def action_next_plan(self) -> None:
        """Switch to the next named plan."""
        try:
            plan = self._plans.after(self.choice.plan.name)
        except ImgstoreError as error:
            self.run_line.problem = str(error)
            return
        self.choice = Choice.of(plan)
        self.panes.choose.write_fields(self.choice)
        self.notify(f"Chosen as in the plan '{plan.name}'.", markup=False)

    def action_use(self) -> None:
        """Ask what the pictures are for, and switch to the plan that measures what advice on that needs."""
        self.app.push_screen(UseScreen(self.choice.plan.name), self._use)

    def _use(self, name: str | None) -> None:
        if not name:
            return
        # Of the same pictures: who has named data keeps it.
        self.choice = Choice.of(changed_plan(named_plan(name), datasets=self.choice.plan.datasets))
        self.panes.choose.write_fields(self.choice)
        self.notify(f"Chosen as in the plan '{name}'.", markup=False)

    def action_data(self) -> None:
        """Open the data of the plan."""
        self.panes.choose.open_data()

    def action_conditions(self) -> None:
        """Open the conditions of the run."""
        self.panes.choose.open_conditions()

    def action_fewer_images(self) -> None:
        """Choose without the largest number of images."""
        self.panes.choose.take_fewer_images()

    def action_longer_budget(self) -> None:
        """Choose a longer time budget."""
        self.panes.choose.take_longer_budget()

    def action_save_plan(self) -> None:
        """Save the choice as a named plan."""
        self.panes.choose.save_plan()

    # The run

    def plan_to_run(self) -> Plan:
        """Return the plan as chosen, and save the choice for the next start."""
        plan = self.choice.check()
        try:
            save_choice(self.choice)
        except ImgstoreError as error:
            self.log_line(error_line(str(error)))
        return plan

    def spec_style(self) -> SpecStyle:
        """Colour storage methods in the log as in the list, also after the theme changes."""
        return method_style

    def run_begun(self) -> None:
        """Bring results to the front."""
        self.panes.idle = False
        if self.pane is PaneName.CHOOSE:
            self.action_show_pane(PaneName.CHART)

    def watch_results(self) -> None:
        """Mark the methods of the run."""
        super().watch_results()
        self.marks = self._marks()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Allow only what can be done now."""
        match action:
            case "next_plan" | "use":
                return not self._run_thread.measuring
            case "fewer_images":
                return not self._run_thread.measuring and self.choice.with_fewer_images() != self.choice
            case "longer_budget":
                return not self._run_thread.measuring and self.choice.rest.budget_s is not None
            case "leave_field":
                return isinstance(self.focused, Input) or self.panes.enlarged
            case "export":
                playing = self._run_thread.busy and self._run_thread.replay is not None
                return self.run_state.run is not None and not playing
            case "next_chart" | "next_table" | "jump" | "present":
                return self.results is not None
        return super().check_action(action, parameters)

    # The pane in front

    @on(TabStrip.Chosen)
    def _tab_chosen(self, event: TabStrip.Chosen) -> None:
        self.action_show_pane(event.pane)

    def action_show_pane(self, name: str) -> None:
        """Bring a pane to the front and focus it."""
        self.pane = PaneName(name)
        self.panes.focus_front()

    def action_enlarge(self) -> None:
        """Let the pane that has the keys fill the screen alone, or give the screen back."""
        self._enlarge(self.panes.pane_of(self.focused) or self.pane)

    def on_click(self, event: Click) -> None:
        """Enlarge a pane whose top edge is clicked."""
        name = self.panes.pane_with_edge_at(event.screen_x, event.screen_y)
        if name is not None:
            self._enlarge(name)

    def _enlarge(self, name: PaneName) -> None:
        self.pane = name
        self.panes.enlarged = not self.panes.enlarged

    def action_leave_field(self) -> None:
        """Go back to the list of storage methods, or give an enlarged pane's room back."""
        if not isinstance(self.focused, Input):
            self.panes.enlarged = False
            return
        self.set_focus(self.panes.choose.storage)

    # Export and exit

    def action_export(self) -> None:
        """Open the export dialog."""
        if self.run_state.run is not None:
            self.app.push_screen(ExportScreen(self.run_state.run, self.panes.chart.chart), self._exported)

    def _exported(self, path: str | None) -> None:
        if path is not None:
            self.post_message(self.Exported(path))
            self.log_line(Text.assemble(("saved ", "bold"), path))
            self.notify(f"{Path(path).name}\nin {Path(path).parent}", title="Saved", markup=False)

    def ask_to_leave(self) -> None:
        """Quit at once, or after asking while a run goes on."""
        front = self.app.screen
        if isinstance(front, LeaveScreen):
            front.action_leave()
        elif self._run_thread.measuring:
            finished = self.run_state.phase is RunPhase.FINISHED
            self.app.push_screen(LeaveScreen(self._run_thread, finished=finished), self._leave)
        else:
            self._leave(True)

    def _leave(self, sure: bool | None) -> None:
        if sure:
            self.post_message(self.Leaving())
