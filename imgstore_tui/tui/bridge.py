"""The way between the run, which goes on in a thread, and the screen, which must never wait for it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from imgstore_tui.bench.state import Phase, RunState, reduce
from imgstore_tui.bench.steering import Steering
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
    from imgstore_tui.bench.runner import run_plan

    return run_plan(plan, cancel=cancel, steering=steering, listen=listen)


def resume_for_real(path: Path, *, cancel: threading.Event, steering: Steering, listen: Callable[[Event], None]) -> Run:
    """Measure what a saved run lacks."""
    from imgstore_tui.bench.runner import resume_run

    return resume_run(path, cancel=cancel, steering=steering, listen=listen)


def watch(
    path: Path,
    *,
    cancel: threading.Event,
    steering: Steering,  # noqa: ARG001 - another process measures: there is nothing to steer
    listen: Callable[[Event], None],
) -> Run:
    """Tell what a saved run holds, and, while another process measures it, what comes."""
    from imgstore_tui.bench.watching import watch_run

    return watch_run(path, cancel=cancel, listen=listen)


class Bridge:
    """One run at a time: started by the screen, carried out by a thread, heard of through a queue.

    The thread only appends to a deque (40 ns) and touches no widget; the screen takes what has come whenever its
    own timer says so. Nothing the thread does can therefore wait for a repaint, and no repaint for the thread.
    """

    def __init__(self, run: RunFunction | None = None) -> None:
        self._run = run or run_for_real
        self._news: deque[News] = deque()
        self._cancel = threading.Event()
        self._over = threading.Event()
        self._over.set()
        self.steering = Steering()
        """How the run in the thread is steered; a new one for every run."""
        self.watching = False
        """Whether the thread only looks at a run; it measures nothing then."""

    @property
    def busy(self) -> bool:
        """Whether the thread is at work."""
        return not self._over.is_set()

    @property
    def stopping(self) -> bool:
        """Whether the run has been told to stop and has not yet."""
        return self.busy and self._cancel.is_set()

    @property
    def measuring(self) -> bool:
        """Whether the thread measures, so that there is something to lose."""
        return self.busy and not self.watching

    def prepare(self, *, watching: bool = False) -> None:
        """Make ready for a run; call before the thread starts, so that ``busy`` holds from then on."""
        self._news.clear()
        self._cancel = threading.Event()
        self.steering = Steering()
        self.watching = watching
        self._over.clear()

    def supervise(self, plan: Plan) -> None:
        """Carry the plan out; to be called in the thread."""
        self.carry_out(partial(self._run, plan))

    def carry_out(self, action: Action) -> None:
        """Do what is to be done in the thread. Never raises: what goes wrong becomes news."""
        finished = False

        def listen(event: Event) -> None:
            nonlocal finished
            finished = finished or isinstance(event, RunFinished)
            self._news.append(event)

        try:
            run = action(cancel=self._cancel, steering=self.steering, listen=listen)
            if not finished and not self.watching:
                self._news.append(RunFinished(run))
        except ImgstoreError as error:
            self._news.append(Broken(str(error)))
        except Exception as error:  # whatever the instrument does, the screen stays up and says so
            self._news.append(Broken(f"The run broke off by an error of this program: {type(error).__name__}: {error}"))
        finally:
            self._over.set()

    def stop(self) -> None:
        """Ask the run to stop: its child is killed, what was measured stays."""
        self._cancel.set()

    def wait(self, seconds: float) -> bool:
        """Wait until the thread is done; return whether it is."""
        return self._over.wait(seconds)

    def drain(self) -> list[News]:
        """Take all news that has come since the last call, oldest first."""
        news = []
        while self._news:
            news.append(self._news.popleft())
        return news


def after(state: RunState, news: News) -> RunState:
    """Return the state after ``news``: the shared reducer's, or for a run that broke off, what is left of it."""
    if not isinstance(news, Broken):
        return reduce(state, news)
    if state.run is None:
        return replace(RunState(), warnings=(*state.warnings, news.text))
    if state.phase is Phase.FINISHED:
        return replace(state, warnings=(*state.warnings, news.text))
    return replace(
        reduce(state, RunFinished(replace(state.run, status="interrupted"))), warnings=(*state.warnings, news.text)
    )
