"""Shows the progress of the run in two lines: a text, and a bar with the remaining time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePath

from rich.cells import cell_len
from rich.text import Text
from textual.reactive import reactive

from imgstore_tui.bench.results.state import RunPhase, RunState
from imgstore_tui.bench.run.estimate import Estimate
from imgstore_tui.core.model import Cell
from imgstore_tui.core.operations import Status
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import counted, format_count, format_duration
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.text.captions import status_word
from imgstore_tui.present.text.estimates import AFTER_BUDGET, reach_texts
from imgstore_tui.present.text.recommendation import fastest_line
from imgstore_tui.tui.terminal.glyphs import Glyphs
from imgstore_tui.tui.widgets.line_picture import LinePicture

_STEPS = {
    "prepare": "building the store to read (untimed)",
    "verify": "verifying every image (untimed)",
    "destroy": "removing the store (untimed)",
    "clients": "several clients at once",
}
_BUDGET_KEYS = (("<", "fewer images"), (">", "longer budget"))
_BUDGET_KEYS_SHORT = (("<", "fewer"), (">", "longer"))
"""Keys that matter where the time budget will end the run before an answer."""
_FURTHER_KEYS = (("p", "next plan"), ("w", "save as a plan"), ("t", "theme"), ("ctrl+p", "all actions"))
"""Keys that do not fit into the key bar."""


class RunLine(LinePicture):
    """The running trial and the progress of the run. The remaining time is estimated from expected costs."""

    DEFAULT_CSS = """
    RunLine { height: 2; padding: 0 1; }
    RunLine > .run-line--done { color: $primary; }
    RunLine > .run-line--ahead { color: $foreground 25%; }
    RunLine > .run-line--problem { color: $text-error; text-style: bold; }
    RunLine > .run-line--quiet { color: $text-muted; }
    RunLine > .run-line--key { color: $primary; }
    RunLine > .run-line--answer { color: $text-success; }
    RunLine > .run-line--short { color: $text-warning; text-style: bold; }
    """
    COMPONENT_CLASSES = {  # noqa: RUF012 - Textual's own convention
        "run-line--done", "run-line--ahead", "run-line--problem", "run-line--quiet", "run-line--key",
        "run-line--answer", "run-line--short",
    }  # fmt: skip

    run_state: reactive[RunState] = reactive(RunState(), repaint=False)
    ready: reactive[str] = reactive("", repaint=False)
    """The text before a run."""
    expected: reactive[Estimate | None] = reactive(None, repaint=False)
    """What a run is expected to take; None while the choice cannot run."""
    problem: reactive[str] = reactive("", repaint=False)
    """Why a run could not start; shown until the next change."""
    stopping: reactive[bool] = reactive(False, repaint=False)
    replay: reactive[str] = reactive("", repaint=False)
    """``replay 10x`` while a saved run is played; empty for others."""
    resumable: reactive[bool] = reactive(False, repaint=False)
    """Whether the run that is shown has ended early and can go on."""
    pausing: reactive[bool] = reactive(False, repaint=False)
    """Whether the run pauses after the running trial."""
    skipping: reactive[frozenset[Cell]] = reactive(frozenset(), repaint=False)
    """Cells that are skipped."""
    removing: reactive[bool] = reactive(False, repaint=False)
    """Whether the run has ended and its stores are removed now."""
    watching: reactive[bool] = reactive(False, repaint=False)
    """Whether another process measures."""
    began: reactive[float | None] = reactive(None, repaint=False)
    """Start of the run by the monotonic clock; None without a run, and for a saved one."""
    ended: reactive[float | None] = reactive(None, repaint=False)
    results: reactive[RunResults | None] = reactive(None, repaint=False)
    """The results so far."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs

    def on_mount(self) -> None:
        """Redraw on every change; the elapsed time is redrawn by the tick of the screen."""
        self.redraw_with(
            "run_state", "ready", "expected", "problem", "stopping", "resumable", "replay", "pausing", "skipping",
            "watching", "began", "ended", "results", "removing",
        )  # fmt: skip

    def picture(self) -> Text:
        """Draw both lines."""
        if self.problem:
            return self._problem()
        line = self._status()
        if self.replay and not line.plain.startswith("paused"):
            line = Text.assemble((f"{self.replay} {self._glyphs.dot} ", "bold"), line)
        line.truncate(self.size.width, overflow="ellipsis")
        text = Text.assemble(line, "\n", self._bar())
        text.no_wrap = True
        return text

    def _problem(self) -> Text:
        """Return the problem, over both lines."""
        text = Text(safe_text(self.problem), style=self.get_component_rich_style("run-line--problem"))
        text.truncate(2 * self.size.width - 10, overflow="ellipsis")
        return text

    def _status(self) -> Text:
        state, dot = self.run_state, f" {self._glyphs.dot} "
        if self.stopping:
            return Text("stopping: the running trial is ended, all that was measured stays")
        if state.paused:
            if self.replay:
                return Text("paused: z continues the replay, k plays one trial", style="bold")
            return Text("paused: no new trial starts until z is pressed again", style="bold")
        match state.phase:
            case RunPhase.PREPARING if state.preparing is not None:
                step, done, total = state.preparing.what, state.preparing.done, state.preparing.total
                share = format_count(done) if total is None else f"{format_count(done)} of {format_count(total)}"
                return Text(f"preparing (untimed): {safe_text(step)}{dot}{share}")
            case RunPhase.RUNNING if state.current is not None and state.run is not None:
                cell = state.current.cell
                parts = [
                    safe_text(cell.spec),
                    _images(cell.cutoff),
                    _STEPS.get(state.current.step, ""),
                ]
                if state.current.step == "trial":
                    parts[1:] = [str(cell.operation), f"{format_count(state.images_done)} of {parts[1]}"]
                parts.append(f"round {state.current.round + 1} of {state.run.plan.rounds}")
                if state.past_budget:
                    parts.insert(0, AFTER_BUDGET)
                if cell in self.skipping:
                    parts.insert(0, "skipping")
                return Text(dot.join(["pausing after this trial", *parts] if self.pausing else parts))
            case RunPhase.RUNNING if self.watching and state.run is not None:
                run_id = safe_text(state.run.id)
                if self.replay:
                    return Text(f"run {run_id}")
                if self.ended is not None:
                    return Text(f"no longer watching run {run_id}, which goes on")
                return Text(f"watching run {run_id}, which another process measures")
            case RunPhase.FINISHED if state.run is not None:
                return Text(self._outcome(), style="bold")
            case RunPhase.IDLE:
                return Text(safe_text(self.ready))
        return Text("opening the run" if self.watching else "starting")

    def _outcome(self) -> str:
        run = self.run_state.run
        assert run is not None  # noqa: S101 - asked for with a run only
        counts = Counter(measurement.status for measurement in run.measurements)
        parts = [
            status_word(run.status),
            *(["z continues"] if self.resumable else []),
            f"{counted(len(run.measurements), 'trial')} kept",
            f"{counts[Status.FAILED]} failed" if counts[Status.FAILED] else "none failed",
            *([f"{counts[Status.SKIPPED]} skipped"] if counts[Status.SKIPPED] else []),
        ]
        dot = f" {self._glyphs.dot} "
        if self.removing:
            # Where it was saved is said once this is over: many small files take their time.
            return dot.join([*parts, "removing its stores"])
        outcome = dot.join(parts)
        # Where it was saved: the path, the run id if that is too long, or nothing; never cut.
        path = safe_text(self.run_state.journal or "")
        for saved in (path, PurePath(path).stem) if path else ():
            if cell_len(outcome) + cell_len(dot) + cell_len(saved) <= self.size.width:
                return f"{outcome}{dot}{saved}"
        return outcome

    def _bar(self) -> Text:
        """Return the second line: further keys before a run, a bar during it, the recommendation at its end."""
        quiet = self.get_component_rich_style("run-line--quiet")
        label = Text(self._numbers(), style=quiet)
        width = max(0, self.size.width - label.cell_len - (2 if label else 0))
        text = self._bar_text(width)
        if text is not None:
            text.truncate(width, overflow="ellipsis", pad=True)
            return text.append("  " if label else "").append_text(label)
        done = min(width, round(self.run_state.fraction * width))
        bar = Text.assemble(
            (self._glyphs.done * done, self.get_component_rich_style("run-line--done")),
            (self._glyphs.ahead * (width - done), self.get_component_rich_style("run-line--ahead")),
        )
        return bar.append("  " if label else "").append_text(label)

    def _bar_text(self, width: int) -> Text | None:
        """Return the text that replaces the bar; None while there is progress to show."""
        phase = self.run_state.phase
        if phase is RunPhase.IDLE:
            return self._reach(width)
        if phase is not RunPhase.FINISHED or self.results is None:
            return None
        # Never cut.
        answer = fastest_line(self.results, width)
        if answer:
            return Text(answer, style=self.get_component_rich_style("run-line--answer"))
        if not self.results.verdicts:
            return Text()
        key, quiet = map(self.get_component_rich_style, ("run-line--key", "run-line--quiet"))
        again = [("  1", key), (": choose again", quiet)]
        return Text.assemble(("Press ", quiet), ("5", key), (": which to take, and how sure", quiet), *again)

    def _reach(self, width: int) -> Text:
        """Return what the time budget will reach, and further keys as far as they fit."""
        key, quiet = map(self.get_component_rich_style, ("run-line--key", "run-line--quiet"))
        expected = self.expected
        texts: tuple[str, ...] = ("",)
        budget_keys: list[tuple[tuple[str, str], ...]] = [()]
        name = "run-line--quiet"
        if expected is not None:
            texts = reach_texts(expected) or texts
            if expected.answers is not None:
                name = "run-line--answer" if expected.answers else "run-line--short"
            if expected.answers is False:
                budget_keys = [_BUDGET_KEYS, _BUDGET_KEYS_SHORT]

        def line_of(text: str, keys: Iterable[tuple[str, str]]) -> Text:
            line = Text.assemble((text, self.get_component_rich_style(name)))
            for sign, description in keys:
                line.append("  " if line else "").append(sign, style=key).append(f" {description}", style=quiet)
            return line

        forms = [line_of(text, keys) for text in texts for keys in budget_keys]
        line = next((form for form in forms if form.cell_len <= width), forms[-1])
        for entry in _FURTHER_KEYS:
            further = line_of("", [entry])
            if line.cell_len + further.cell_len + 2 > width:
                break
            line.append("  " if line else "").append_text(further)
        return line

    def _numbers(self) -> str:
        state = self.run_state
        if state.phase is RunPhase.IDLE:
            return ""
        elapsed = [] if self.began is None else [format_duration((self.ended or time.monotonic()) - self.began)]
        if state.run is None:
            return "".join(elapsed)
        if state.phase is RunPhase.FINISHED and state.fraction >= 1:
            # The first line has the number of trials.
            return "".join(elapsed)
        total = len(state.cells) * state.run.plan.rounds
        parts = [f"{state.fraction:4.0%}", f"{format_count(len(state.run.measurements))}/{format_count(total)}"]
        parts += elapsed
        if state.phase is RunPhase.RUNNING:
            estimated = state.remaining_s is not None
            parts.append(f"left ~{format_duration(state.remaining_s or 0)}" if estimated else "left ?")
        return "  ".join(parts)


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{format_count(count)} images"
