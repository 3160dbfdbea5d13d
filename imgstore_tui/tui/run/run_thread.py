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
from imgstore_tui.bench.run.controls import Steering
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.events import Event, RunFinished
from imgstore_tui.core.model import Plan, Run


class RunFunction(Protocol):
    """What carries a plan out: ``bench.runner.run_plan``, or a fake in tests."""

    def __call__(
        self, plan: Plan, *, cancel: threading.Event, steering: Steering, listen: Callable[[Event], None]
    ) -> Run:
        """Run ``plan`` until it is done or ``cancel`` is set, steered meanwhile; ``listen`` hears of everything."""


class Action(Protocol):
    """What the thread does: carries a plan out, resumes a run, or watches one."""

    def __call__(self, *, cancel: threading.Event, steering: Steering, listen: Callable[[Event], None]) -> Run:
        """Do it until it is done or ``cancel`` is set."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The run could not start or go on, and why."""

    text: str


News = Event | Broken


def run_for_real(plan: Plan, *, cancel: threading.Event, steering: Steering, listen: Callable[[Event], None]) -> Run:
    """Carry a plan out in child processes; the instrument is loaded only now."""
    from imgstore_tui.bench.run.runner import run_plan

    return run_plan(plan, cancel=cancel, steering=steering, listen=listen)


def resume_for_real(path: Path, *, cancel: threading.Event, steering: Steering, listen: Callable[[Event], None]) -> Run:
    """Measure what a saved run lacks."""
    from imgstore_tui.bench.run.runner import resume_run

    return resume_run(path, cancel=cancel, steering=steering, listen=listen)


def watch(
    path: Path,
    *,
    cancel: threading.Event,
    steering: Steering,  # noqa: ARG001 - another process measures: there is nothing to steer
    listen: Callable[[Event], None],
) -> Run:
    """Tell what a saved run holds, and, while another process measures it, what comes."""
    from imgstore_tui.bench.results.follow import watch_run

    return watch_run(path, cancel=cancel, listen=listen)


class Job:
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
        self.steering = Steering()
        """How the run in the thread is steered."""
        self.cancel = threading.Event()
        self.over = threading.Event()
        self.news: deque[News] = deque()

    def carry_out(self, action: Action) -> None:
        """Do what is to be done, in the thread. Never raises: what goes wrong becomes news."""
        finished = False

        def listen(event: Event) -> None:
            nonlocal finished
            finished = finished or isinstance(event, RunFinished)
            self.news.append(event)

        try:
            run = action(cancel=self.cancel, steering=self.steering, listen=listen)
            if not finished and not self.watching:
                self.news.append(RunFinished(run))
        except ImgstoreError as error:
            self.news.append(Broken(str(error)))
        except Exception as error:  # whatever the instrument does, the screen stays up and says so
            self.news.append(Broken(f"The run broke off by an error of this program: {type(error).__name__}: {error}"))
        finally:
            self.over.set()


class Bridge:
    """One job at a time: made ready by the screen, carried out by a thread, heard of through its queue."""

    def __init__(self, run: RunFunction | None = None) -> None:
        self._run = run or run_for_real
        self._job = Job()
        self._job.over.set()

    @property
    def steering(self) -> Steering:
        """How the run in the thread is steered; a new one for every run."""
        return self._job.steering

    @property
    def watching(self) -> bool:
        """Whether the thread only looks at a run; it measures nothing then."""
        return self._job.watching

    @property
    def busy(self) -> bool:
        """Whether the thread is at work."""
        return not self._job.over.is_set()

    @property
    def stopping(self) -> bool:
        """Whether the run has been told to stop and has not yet."""
        return self.busy and self._job.cancel.is_set()

    @property
    def measuring(self) -> bool:
        """Whether the thread measures, so that there is something to lose."""
        return self.busy and not self.watching

    def prepare(self, *, watching: bool = False) -> Job:
        """Put a new job in the place of the last one, so that ``busy`` holds before its thread starts."""
        self._job = Job(watching=watching)
        return self._job

    def to_run(self, plan: Plan) -> Action:
        """Return what carries a plan out."""
        return partial(self._run, plan)

    def stop(self) -> None:
        """Ask the run to stop: its child is killed, what was measured stays."""
        self._job.cancel.set()

    def wait(self, seconds: float) -> bool:
        """Wait until the thread is done; return whether it is."""
        return self._job.over.wait(seconds)

    def drain(self) -> list[News]:
        """Take all news that has come since the last call, oldest first."""
        news = []
        while self._job.news:
            news.append(self._job.news.popleft())
        return news


def after(state: RunState, news: Iterable[News]) -> RunState:
    """Return the state after ``news``: the shared reducer's, or for a run that broke off, what is left of it."""
    events: list[Event] = []
    for entry in news:
        if isinstance(entry, Broken):
            state, events = _broken_off(reduce_all(state, events), entry.text), []
        else:
            events.append(entry)
    return reduce_all(state, events)


def _broken_off(state: RunState, text: str) -> RunState:
    if state.run is None:
        state = RunState()
    elif state.phase is not Phase.FINISHED:
        state = reduce(state, RunFinished(replace(state.run, status="interrupted")))
    return replace(state, warnings=(*state.warnings, text))
