"""Shows what the chosen plan will take: trials, disk and time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.text import Text
from textual import on
from textual.message import Message
from textual.reactive import reactive
from textual.timer import Timer
from textual.widget import Widget
from textual.worker import Worker, WorkerState, get_current_worker

from imgstore_tui.bench.plan.grid import images_needed
from imgstore_tui.bench.results.journal import saved_runs
from imgstore_tui.bench.results.past_costs import NO_PAST_COSTS, PastCosts, load_past_costs
from imgstore_tui.bench.run.estimate import Estimate, estimate, known_size
from imgstore_tui.bench.run.preflight import DataSize
from imgstore_tui.core.model import Plan
from imgstore_tui.core.units import MAX_CUTOFF
from imgstore_tui.present.text.estimates import estimate_short
from imgstore_tui.tui.forms.choice import NO_CHOICE, Choice
from imgstore_tui.tui.run.preview_thread import (
    PREVIEW_GROUP,
    PreviewEnded,
    PreviewProgress,
    PreviewYielded,
    post_preview,
    run_in_progress,
)

_WAIT_S = 0.8
"""Seconds after the last change until the data is previewed."""
_PATIENCE_S = 60.0
"""Seconds after which a preview gives up."""
COSTS_GROUP = "costs"
"""The group of the thread workers that read past runs."""


class EstimateLine(Widget):
    """Keeps the sizes of the data and the costs of past runs, and estimates every new choice."""

    DEFAULT_CSS = """
    EstimateLine { height: 1; color: $text-muted; }
    """

    choice: reactive[Choice] = reactive(NO_CHOICE, repaint=False)
    expected: reactive[Estimate | None] = reactive(None)
    doing: reactive[str] = reactive("")
    """What is being read now, in a few words."""

    @dataclass
    class Changed(Message):
        """There is a new estimate."""

        expected: Estimate

    @dataclass
    class DataUnusable(Message):
        """Data was previewed and cannot be used."""

        text: str
        problem: str

    @dataclass
    class CostsRead(Message):
        """Past runs were read; None if a run that began interrupted it."""

        costs: PastCosts | None

    def __init__(self) -> None:
        super().__init__()
        self._costs = NO_PAST_COSTS
        self._sizes: dict[str, DataSize] = {}
        self._requested: dict[str, int] = {}
        """How many images were requested of each dataset; of a large folder no more are scanned."""
        self._unusable: set[str] = set()
        """Datasets that cannot be used, or take too long to scan."""
        self._timer: Timer | None = None
        self._newest: list[Path] = []
        """The newest saved run when past runs were read."""

    def on_mount(self) -> None:
        """Read the costs of past runs."""
        self._refresh_costs()

    def _refresh_costs(self) -> None:
        """Read past runs in a thread, if there is a new one and no run goes on."""
        newest = saved_runs()[-1:]
        if newest == self._newest or run_in_progress(self.app):
            return
        self._newest = newest
        self.run_worker(self._read_costs, thread=True, exit_on_error=False, group=COSTS_GROUP)

    def _read_costs(self) -> None:
        worker = get_current_worker()
        costs = load_past_costs(lambda: not worker.is_cancelled)
        self.post_message(self.CostsRead(None if worker.is_cancelled else costs))

    @on(CostsRead)
    def _costs_read(self, event: CostsRead) -> None:
        event.stop()
        if event.costs is None:
            self._newest = []
            return
        self._costs = event.costs
        self._estimate_choice()

    def watch_choice(self, before: Choice) -> None:
        """Estimate the new choice, and preview data of unknown size."""
        self._estimate_choice()
        if not self.is_mounted:
            return
        if self.choice.rest.datasets != before.rest.datasets:
            # Data that was missing before may exist now.
            self._unusable.clear()
        self._refresh_costs()
        if self._unknown:
            if self._timer is not None:
                self._timer.stop()
            self._timer = self.set_timer(_WAIT_S, self._preview)

    @property
    def _unknown(self) -> list[str]:
        plan = self.choice.plan
        texts = [] if self.choice.problems else plan.datasets
        return [
            text
            for text in texts
            if text not in self._unusable
            and (text not in self._sizes or images_needed(plan, text) > self._requested.get(text, MAX_CUTOFF))
        ]

    def _preview(self) -> None:
        # Other reads would disturb a run.
        if self._unknown and not run_in_progress(self.app):
            text = self._unknown[0]
            requested = images_needed(self.choice.plan, text)
            preview = partial(post_preview, self, text, requested, patience_s=_PATIENCE_S)
            self.run_worker(preview, thread=True, exclusive=True, exit_on_error=False, group=PREVIEW_GROUP)

    @on(PreviewProgress)
    def _preview_progress(self, event: PreviewProgress) -> None:
        event.stop()
        self.doing = "looking at the data"

    @on(PreviewYielded)
    def _preview_yielded(self, event: PreviewYielded) -> None:
        event.stop()
        self.doing = ""

    @on(Worker.StateChanged)
    def _worker_changed(self, event: Worker.StateChanged) -> None:
        event.stop()
        if event.worker.group == PREVIEW_GROUP and event.state is WorkerState.CANCELLED:
            self.doing = ""

    @on(PreviewEnded)
    def _preview_ended(self, event: PreviewEnded) -> None:
        event.stop()
        self.doing = ""
        if event.preview is None:
            self._unusable.add(event.text)
            self.post_message(self.DataUnusable(event.text, event.problem))
        else:
            self._sizes[event.text] = event.preview.size
            self._requested[event.text] = event.requested
        self._estimate_choice()
        self._preview()

    def estimate(self, plan: Plan) -> Estimate:
        """Return the estimate of a plan, as far as the sizes of its data are known."""
        for text in plan.datasets:
            size = None if text in self._sizes else known_size(text)
            if size is not None:
                self._sizes[text] = size
        return estimate(plan, self._sizes, self._costs)

    def _estimate_choice(self) -> None:
        self.expected = self.estimate(self.choice.plan)
        self.post_message(self.Changed(self.expected))

    def render(self) -> Text:
        """Draw the line."""
        text = "" if self.expected is None else estimate_short(self.expected)
        line = Text(f"{text}, {self.doing}" if self.doing else text, no_wrap=True)
        line.truncate(self.size.width, overflow="ellipsis")
        return line
