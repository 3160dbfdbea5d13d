"""The line that says what the plan as chosen will take: trials, disk, and about how long."""

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
"""Data is looked at when nothing was written for so long."""
_PATIENCE_S = 60.0
RATES_GROUP = "rates"
"""The workers that read past runs."""


class EstimateLine(Widget):
    """Keeps what is known of the data and of past runs, and says what it comes to whenever the choice changes."""

    DEFAULT_CSS = """
    EstimateLine { height: 1; color: $text-muted; }
    """

    choice: reactive[Choice] = reactive(NO_CHOICE, repaint=False)
    expected: reactive[Estimate | None] = reactive(None)
    doing: reactive[str] = reactive("")
    """What is being looked at now, in a word or two."""

    @dataclass
    class Changed(Message):
        """Another estimate."""

        expected: Estimate

    @dataclass
    class DataUnusable(Message):
        """Data was looked at and cannot be used."""

        text: str
        problem: str

    @dataclass
    class RatesRead(Message):
        """Past runs have been read; without rates, a run that began was in the way, and they are still to be read."""

        rates: PastCosts | None

    def __init__(self) -> None:
        super().__init__()
        self._rates = NO_PAST_COSTS
        self._sizes: dict[str, DataSize] = {}
        self._wanted: dict[str, int] = {}
        """How many images were asked for when data was looked at: of large folders no more were."""
        self._unusable: set[str] = set()
        """Data that was looked at and cannot be used, or takes too long."""
        self._timer: Timer | None = None
        self._newest: list[Path] = []
        """The newest run when past ones were read."""

    def on_mount(self) -> None:
        """Read what past runs have taken."""
        self._refresh_rates()

    def _refresh_rates(self) -> None:
        """Read past runs in a thread, if there are others than last time and none goes on."""
        newest = saved_runs()[-1:]
        if newest == self._newest or run_in_progress(self.app):
            return
        self._newest = newest
        self.run_worker(self._read_rates, thread=True, exit_on_error=False, group=RATES_GROUP)

    def _read_rates(self) -> None:
        worker = get_current_worker()
        rates = load_past_costs(lambda: not worker.is_cancelled)
        self.post_message(self.RatesRead(None if worker.is_cancelled else rates))

    @on(RatesRead)
    def _rates_read(self, event: RatesRead) -> None:
        event.stop()
        if event.rates is None:
            self._newest = []
            return
        self._rates = event.rates
        self._say()

    def watch_choice(self, before: Choice) -> None:
        """Say what the new choice comes to, and look at data that is not known."""
        self._say()
        if not self.is_mounted:
            return
        if self.choice.rest.datasets != before.rest.datasets:
            # What was not there a moment ago may be now.
            self._unusable.clear()
        self._refresh_rates()
        if self._unknown:
            if self._timer is not None:
                self._timer.stop()
            self._timer = self.set_timer(_WAIT_S, self._look)

    @property
    def _unknown(self) -> list[str]:
        plan = self.choice.plan
        texts = [] if self.choice.problems else plan.datasets
        return [
            text
            for text in texts
            if text not in self._unusable
            and (text not in self._sizes or images_needed(plan, text) > self._wanted.get(text, MAX_CUTOFF))
        ]

    def _look(self) -> None:
        # While a run goes on nothing else reads: it would be measured too.
        if self._unknown and not run_in_progress(self.app):
            text = self._unknown[0]
            wanted = images_needed(self.choice.plan, text)
            look_at = partial(post_preview, self, text, wanted, patience_s=_PATIENCE_S)
            self.run_worker(look_at, thread=True, exclusive=True, exit_on_error=False, group=PREVIEW_GROUP)

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
        if event.found is None:
            self._unusable.add(event.text)
            self.post_message(self.DataUnusable(event.text, event.problem))
        else:
            self._sizes[event.text] = event.found.size
            self._wanted[event.text] = event.wanted
        self._say()
        self._look()

    def estimate(self, plan: Plan) -> Estimate:
        """Return what a plan will take, as far as its data is known."""
        for text in plan.datasets:
            size = None if text in self._sizes else known_size(text)
            if size is not None:
                self._sizes[text] = size
        return estimate(plan, self._sizes, self._rates)

    def _say(self) -> None:
        self.expected = self.estimate(self.choice.plan)
        self.post_message(self.Changed(self.expected))

    def render(self) -> Text:
        """Draw the line."""
        words = "" if self.expected is None else estimate_short(self.expected)
        line = Text(f"{words}, {self.doing}" if self.doing else words, no_wrap=True)
        line.truncate(self.size.width, overflow="ellipsis")
        return line
