"""Shows one chart of the run; redraws when the data, the size or the theme change."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.reactive import reactive

from imgstore_tui.bench.results.state import RunPhase, RunState
from imgstore_tui.present.charts.axes import Scales
from imgstore_tui.present.charts.chart_list import Chart, ChartView, chart_views
from imgstore_tui.present.charts.figures import ChartKind, chart_kinds, make_figure
from imgstore_tui.present.charts.plotext_lines import warm_up
from imgstore_tui.present.charts.text_chart import draw_figure
from imgstore_tui.present.export_choices import TEXT_COLUMNS, TEXT_ROWS, safe_lines
from imgstore_tui.present.results import RunResults
from imgstore_tui.tui.jump_target import JumpTarget
from imgstore_tui.tui.panes import PaneName
from imgstore_tui.tui.widgets.line_picture import LinePicture
from imgstore_tui.tui.widgets.method_marks import MethodMarks

_WELCOME = """\
How should I store my images?

Select storage methods, numbers of images and operations,
name your data, then press r.

Every store is read back and compared before its times count."""


class ChartPane(LinePicture, can_focus=True):
    """One of the charts that the run's plan can fill."""

    KEYS_OF: ClassVar[str] = "In the chart"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "next_data", "Data", show=False, tooltip="Show the chart of the next dataset"),
    ]

    run_state: reactive[RunState] = reactive(RunState(), repaint=False)
    results: reactive[RunResults | None] = reactive(None, repaint=False)
    marks: reactive[MethodMarks] = reactive(MethodMarks(), repaint=False)
    turns: reactive[int] = reactive(0, repaint=False)
    """How many times the next chart was requested."""
    level: reactive[int] = reactive(0, repaint=False)
    """How many times the next level was requested."""
    data: reactive[int] = reactive(0, repaint=False)
    """How many times the next dataset was requested."""
    log_x: reactive[bool] = reactive(True, repaint=False)
    log_y: reactive[bool] = reactive(True, repaint=False)
    per_image: reactive[bool] = reactive(False, repaint=False)

    def __init__(self, *, ascii_only: bool) -> None:
        super().__init__()
        self._ascii = ascii_only
        self.border_title = "2 Chart"
        self.add_class("-empty")

    def on_mount(self) -> None:
        """Import plotext in a thread once the screen is painted: at the first result it would delay the keys."""
        self.call_after_refresh(self.run_worker, warm_up, thread=True, exit_on_error=False)

    @property
    def kind(self) -> ChartKind | None:
        """The chart shown; None before there is a run."""
        if self.results is None:
            return None
        kinds = chart_kinds(self.results.run)
        return kinds[self.turns % len(kinds)] if kinds else None

    @property
    def views(self) -> tuple[ChartView, ...]:
        """The levels at which the chart can be shown."""
        return () if self.results is None or self.kind is None else chart_views(self.results.run, self.kind)

    @property
    def view(self) -> ChartView:
        """The level that is shown."""
        views = self.views
        return views[self.level % len(views)] if views else ChartView()

    @property
    def dataset(self) -> str | None:
        """The dataset that is shown; None before there is a run."""
        datasets = () if self.results is None else self.results.run.plan.datasets
        return datasets[self.data % len(datasets)] if datasets else None

    def action_next_data(self) -> None:
        """Show the next dataset."""
        self.data += 1

    @property
    def chart(self) -> Chart | None:
        """The chart with its axes, before it is drawn; None if there is none."""
        if self.results is None or self.kind is None:
            return None
        figure = make_figure(
            self.results,
            self.kind,
            per_image=self.per_image,
            dataset=self.dataset,
            sync=self.view.sync,
            cache=self.view.cache,
            against=self.view.against,
            contest=self.view.contest,
        )
        return Chart(figure, Scales(self.log_x, self.log_y))

    @property
    def targets(self) -> tuple[JumpTarget, ...]:
        """Every chart that the pane can show: of each dataset, at each level."""
        if self.results is None:
            return ()
        run = self.results.run
        several = len(run.plan.datasets) > 1
        return tuple(
            JumpTarget(
                PaneName.CHART,
                ", ".join(part for part in (kind.menu_text, view.text, dataset if several else "") if part),
                (turns, level, data),
            )
            for data, dataset in enumerate(run.plan.datasets)
            for turns, kind in enumerate(chart_kinds(run))
            for level, view in enumerate(chart_views(run, kind))
        )

    @property
    def shown(self) -> JumpTarget | None:
        """The chart that is shown, as one of the targets; None before there is a run."""
        if self.results is None or self.kind is None:
            return None
        run = self.results.run
        place = (
            self.turns % len(chart_kinds(run)), self.level % len(self.views), self.data % len(run.plan.datasets),
        )  # fmt: skip
        return next((target for target in self.targets if target.place == place), None)

    def show_target(self, target: JumpTarget) -> None:
        """Show one of the targets."""
        self.turns, self.level, self.data = target.place

    def copied_text(self) -> str:
        """Return the chart as text, wide enough to be read elsewhere; empty before there is one."""
        chart = self.chart
        if chart is None or chart.figure.empty:
            return ""
        drawn = draw_figure(chart.figure, TEXT_COLUMNS, TEXT_ROWS, scales=chart.scales, ascii_only=self._ascii)
        return "\n".join(line.rstrip() for line in safe_lines(drawn.plain))

    def picture(self) -> Text:
        """Return the chart, or a hint how to get one."""
        if self.results is None and self.run_state.phase is not RunPhase.IDLE:
            return Text("The first points come with the first trials.", style="dim")
        if self.results is None:
            return Text(_WELCOME, style="dim")
        chart = self.chart
        if chart is None:
            return Text("This run measures nothing over numbers of images: see its tables.", style="dim")
        return draw_figure(
            chart.figure,
            self.size.width,
            self.size.height,
            scales=chart.scales,
            colours=self.marks.palette,
            ascii_only=self._ascii,
        )

    def watch_results(self) -> None:
        """Draw the new results, and number the chart in the title."""
        self._retitle()
        self.redraw()

    def watch_run_state(self, before: RunState, state: RunState) -> None:
        """Show the hint for the phase of the run."""
        if before.phase is not state.phase:
            self.redraw()

    def watch_turns(self) -> None:
        """Draw another chart."""
        self._retitle()
        self.redraw()

    def watch_marks(self) -> None:
        """Draw in other colours."""
        self.redraw()

    def watch_level(self) -> None:
        """Draw at another level."""
        self._retitle()
        self.redraw()

    def watch_data(self) -> None:
        """Draw another dataset."""
        self.redraw()

    def watch_log_x(self) -> None:
        """Draw on another axis of images."""
        self.redraw()

    def watch_log_y(self) -> None:
        """Draw on another axis of values."""
        self.redraw()

    def watch_per_image(self) -> None:
        """Draw other values."""
        self.redraw()

    def _retitle(self) -> None:
        empty = self.results is None
        if empty is not self.has_class("-empty"):
            self.set_class(empty, "-empty")
        kinds = () if self.results is None else chart_kinds(self.results.run)
        subtitle = f"{self.turns % len(kinds) + 1} of {len(kinds)}, m: next" if kinds else ""
        if len(self.views) > 1:
            subtitle = f"h: {self.level % len(self.views) + 1} of {len(self.views)} levels  {subtitle}"
        if self.results is not None and len(self.results.run.plan.datasets) > 1:
            subtitle = f"n: data  {subtitle}"
        if subtitle != self.border_subtitle:
            self.border_subtitle = subtitle
