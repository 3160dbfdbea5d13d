"""The way between the run, which goes on in a thread, and the screen, which must never wait for it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from imgstore_tui.bench.results.state import Phase, RunState, reduce, reduce_all
from imgstore_tui.bench.run.controls import RunControls
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.events import Event, RunFinished
from imgstore_tui.core.model import Plan, Run


class RunFunction(Protocol):
    """What carries a plan out: ``bench.runner.run_plan``, or a fake in tests."""

    def __call__(
        self, plan: Plan, *, cancel: threading.Event, controls: RunControls, listen: Callable[[Event], None]
    ) -> Run:
        """Run ``plan`` until it is done or ``cancel`` is set, steered meanwhile; ``listen`` hears of everything."""


class RunAction(Protocol):
    """What the thread does: carries a plan out, resumes a run, or watches one."""

    def __call__(self, *, cancel: threading.Event, controls: RunControls, listen: Callable[[Event], None]) -> Run:
        """Do it until it is done or ``cancel`` is set."""


@dataclass(frozen=True, slots=True)
class RunFailed:
    """The run could not start or go on, and why."""

    text: str


RunUpdate = Event | RunFailed


def run_measuring(
    plan: Plan, *, cancel: threading.Event, controls: RunControls, listen: Callable[[Event], None]
) -> Run:
    """Carry a plan out in child processes; the instrument is loaded only now."""
    from imgstore_tui.bench.run.runner import run_plan

    return run_plan(plan, cancel=cancel, controls=controls, listen=listen)


def resume_measuring(
    path: Path, *, cancel: threading.Event, controls: RunControls, listen: Callable[[Event], None]
) -> Run:
    """Measure what a saved run lacks."""
    from imgstore_tui.bench.run.runner import resume_run

    return resume_run(path, cancel=cancel, controls=controls, listen=listen)


def watch_saved(
    path: Path,
    *,
    cancel: threading.Event,
    controls: RunControls,  # noqa: ARG001 - another process measures: there is nothing to steer
    listen: Callable[[Event], None],
) -> Run:
    """Tell what a saved run holds, and, while another process measures it, what comes."""
    from imgstore_tui.bench.results.follow import follow_run

    return follow_run(path, cancel=cancel, listen=listen)


class RunTask:
    """What one thread does: it holds all the thread touches, so that a thread that is slow to end touches no other's.

    The thread only appends to a deque (40 ns) and touches no widget; the screen takes what has come whenever its
    own timer says so. Nothing the thread does can therefore wait for a repaint, and no repaint for the thread.
    """

    def __init__(self, *, watching: bool = False) -> None:
        """Make ready; the job counts as going on from now.

        Args:
            watching: Whether the thread only looks at a run; it measures nothing then.
        """
        self.watching = watching
        self.controls = RunControls()
        """How the run in the thread is steered."""
        self.cancel = threading.Event()
        self.over = threading.Event()
        self.updates: deque[RunUpdate] = deque()

    def carry_out(self, action: RunAction) -> None:
        """Do what is to be done, in the thread. Never raises: what goes wrong becomes news."""
        finished = False

        def listen(event: Event) -> None:
            nonlocal finished
            finished = finished or isinstance(event, RunFinished)
            self.updates.append(event)

        try:
            run = action(cancel=self.cancel, controls=self.controls, listen=listen)
            if not finished and not self.watching:
                self.updates.append(RunFinished(run))
        except ImgstoreError as error:
            self.updates.append(RunFailed(str(error)))
        except Exception as error:  # whatever the instrument does, the screen stays up and says so
            self.updates.append(
                RunFailed(f"The run broke off by an error of this program: {type(error).__name__}: {error}")
            )
        finally:
            self.over.set()


class RunThread:
    """One job at a time: made ready by the screen, carried out by a thread, heard of through its queue."""

    def __init__(self, run: RunFunction | None = None) -> None:
        self._run = run or run_measuring
        self._task = RunTask()
        self._task.over.set()

    @property
    def controls(self) -> RunControls:
        """How the run in the thread is steered; a new one for every run."""
        return self._task.controls

    @property
    def watching(self) -> bool:
        """Whether the thread only looks at a run; it measures nothing then."""
        return self._task.watching

    @property
    def busy(self) -> bool:
        """Whether the thread is at work."""
        return not self._task.over.is_set()

    @property
    def stopping(self) -> bool:
        """Whether the run has been told to stop and has not yet."""
        return self.busy and self._task.cancel.is_set()

    @property
    def measuring(self) -> bool:
        """Whether the thread measures, so that there is something to lose."""
        return self.busy and not self.watching

    def prepare(self, *, watching: bool = False) -> RunTask:
        """Put a new job in the place of the last one, so that ``busy`` holds before its thread starts."""
        self._task = RunTask(watching=watching)
        return self._task

    def run_action(self, plan: Plan) -> RunAction:
        """Return what carries a plan out."""
        return partial(self._run, plan)

    def stop(self) -> None:
        """Ask the run to stop: its child is killed, what was measured stays."""
        self._task.cancel.set()

    def wait(self, seconds: float) -> bool:
        """Wait until the thread is done; return whether it is."""
        return self._task.over.wait(seconds)

    def drain(self) -> list[RunUpdate]:
        """Take all news that has come since the last call, oldest first."""
        news = []
        while self._task.updates:
            news.append(self._task.updates.popleft())
        return news


def apply_updates(state: RunState, news: Iterable[RunUpdate]) -> RunState:
    """Return the state after ``news``: the shared reducer's, or for a run that broke off, what is left of it."""
    events: list[Event] = []
    for entry in news:
        if isinstance(entry, RunFailed):
            state, events = _failed_state(reduce_all(state, events), entry.text), []
        else:
            events.append(entry)
    return reduce_all(state, events)


def _failed_state(state: RunState, text: str) -> RunState:
    if state.run is None:
        state = RunState()
    elif state.phase is not Phase.FINISHED:
        state = reduce(state, RunFinished(replace(state.run, status="interrupted")))
    return replace(state, warnings=(*state.warnings, text))
