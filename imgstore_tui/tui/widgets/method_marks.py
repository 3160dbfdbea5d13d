"""Assigns a mark and a colour to each storage method, the same in list, chart and log."""

from __future__ import annotations

from dataclasses import dataclass, field

from imgstore_tui.core.model import Plan, Run
from imgstore_tui.core.spec import IN_PLACE
from imgstore_tui.present.charts.figures import SOURCE_INDEX
from imgstore_tui.present.charts.legend import ChartColours, mark_of


@dataclass(frozen=True, slots=True)
class MethodMarks:
    """Methods in the order of their marks: those of the run on the screen, then those ticked for the next."""

    labels: tuple[str, ...] = ()
    palette: ChartColours = field(default_factory=ChartColours)

    @classmethod
    def of(cls, run: Run | None, plan: Plan, palette: ChartColours) -> MethodMarks:
        """Return the marks for a run on the screen and the plan that is chosen.

        Args:
            run: The run on the screen; its methods come first, in its order.
            plan: The plan chosen for the next run.
            palette: The colours of the theme.
        """
        shown = [spec.label for spec in run.plan.specs] if run is not None else []
        return cls(tuple(dict.fromkeys([*shown, *(spec.label for spec in plan.specs)])), palette)

    def mark(self, label: str) -> str:
        """Return the mark of a method; a space if it has none."""
        if label == IN_PLACE.label:
            return mark_of(SOURCE_INDEX)
        return mark_of(self.labels.index(label)) if label in self.labels else " "

    def style(self, label: str) -> str:
        """Return the style of a method."""
        if label == IN_PLACE.label:
            return self.palette.style(SOURCE_INDEX)
        return self.palette.style(self.labels.index(label)) if label in self.labels else ""
