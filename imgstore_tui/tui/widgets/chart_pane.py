"""The chart: one question a picture, drawn anew when the data, the size or the theme change."""

from __future__ import annotations

from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from imgstore_tui.present.charts import ChartKind, chart_for, chart_kinds
from imgstore_tui.present.sections import Digest
from imgstore_tui.tui.marks import Marks

_WELCOME = """\
How should I store my images?

Tick storage methods, numbers of images and operations,
name your data, then press r.

Every store is read back and compared before its times count."""


class ChartPane(Widget, can_focus=True):
    """One of the charts that the run's plan can fill."""

    found: reactive[Digest | None] = reactive(None)
    marks: reactive[Marks] = reactive(Marks())
    turns: reactive[int] = reactive(0)
    """How many times the next chart was asked for."""
    log_axes: reactive[bool] = reactive(True)
    per_image: reactive[bool] = reactive(False)

    def __init__(self, *, ascii_only: bool) -> None:
        super().__init__()
        self._ascii = ascii_only
        self.border_title = "2 Chart"
        self.add_class("-empty")

    @property
    def kind(self) -> ChartKind | None:
        """The chart shown; None before there is a run."""
        if self.found is None:
            return None
        kinds = chart_kinds(self.found.run)
        return kinds[self.turns % len(kinds)] if kinds else None

    def render(self) -> Text:
        """Draw the chart in the space there is."""
        if self.found is None:
            return Text(_WELCOME, style="dim")
        if self.kind is None:
            return Text("This run measures nothing over numbers of images: see its tables.", style="dim")
        return chart_for(
            self.found.run,
            self.kind,
            self.size.width,
            self.size.height,
            log=self.log_axes,
            per_image=self.per_image,
            palette=self.marks.palette,
            ascii_only=self._ascii,
        )

    def watch_found(self) -> None:
        """Say which chart of how many this is."""
        self._retitle()

    def watch_turns(self) -> None:
        """Say which chart of how many this is."""
        self._retitle()

    def _retitle(self) -> None:
        self.set_class(self.found is None, "-empty")
        if self.found is None or self.kind is None:
            self.border_subtitle = ""
            return
        kinds = chart_kinds(self.found.run)
        self.border_subtitle = f"{self.turns % len(kinds) + 1} of {len(kinds)}, m: next"
