"""Runs a plan in a thread and queues its events for the screen, so that neither waits for the other."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from imgstore_tui.bench.results.state import RunPhase, RunState, reduce, reduce_all
from imgstore_tui.bench.run.controls import RunControls
from imgstore_tui.bench.run.replay import Replay, replay_run
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.events import Event, RunFinished
from imgstore_tui.core.model import Plan, Run


class RunFunction(Protocol):
    """Runs a plan: ``bench.run.runner.run_plan``, or a fake in tests."""

    def __call__(
        self, plan: Plan, *, cancel: threading.Event, controls: RunControls, listen: Callable[[Event], None]
    ) -> Run:
        """Run ``plan`` until it is done or ``cancel`` is set.

        Args:
            plan: The plan.
            cancel: Stops the run when it is set.
            controls: Pause it and skip cells.
            listen: Gets every event.
        """


class RunAction(Protocol):
    """The work of the thread: runs a plan, resumes a run, or follows one."""

    def __call__(self, *, cancel: threading.Event, controls: RunControls, listen: Callable[[Event], None]) -> Run:
        """Work until it is done or ``cancel`` is set."""


@dataclass(frozen=True, slots=True)
class RunFailed:
    """The run could not start or go on; the text says why."""

    text: str


RunUpdate = Event | RunFailed


def run_measuring(
    plan: Plan, *, cancel: threading.Event, controls: RunControls, listen: Callable[[Event], None]
) -> Run:
    """Run a plan in child processes; the instrument is imported only here."""
    from imgstore_tui.bench.run.runner import run_plan

    return run_plan(plan, cancel=cancel, controls=controls, listen=listen)


def resume_measuring(
    path: Path, *, cancel: threading.Event, controls: RunControls, listen: Callable[[Event], None]
) -> Run:
    """Measure the missing trials of a saved run."""
    from imgstore_tui.bench.run.runner import resume_run

    return resume_run(path, cancel=cancel, controls=controls, listen=listen)


def watch_saved(
    path: Path,
    *,
    cancel: threading.Event,
    controls: RunControls,  # noqa: ARG001 - another process measures
    listen: Callable[[Event], None],
) -> Run:
    """Report the events of a saved run, and new ones while another process measures it."""
    from imgstore_tui.bench.results.follow import follow_run

    return follow_run(path, cancel=cancel, listen=listen)


def play_saved(replay: Replay) -> RunAction:
    """Return the action that plays a saved run."""
    return partial(replay_run, replay.run, replay.journal)


class RunTask:
    """The state of one thread, so that a thread that is slow to end cannot touch the state of the next one.

    The thread appends to a deque (40 ns) and touches no widget; the screen reads the deque by its own timer. So the
    thread never waits for a repaint, and no repaint waits for the thread.
    """

    def __init__(self, *, watching: bool = False, replay: Replay | None = None) -> None:
        """Create the task; it counts as running from now on.

        Args:
            watching: Whether the thread only follows a run and measures nothing.
            replay: The saved run that it plays; None if it plays none.
        """
        self.watching = watching
        self.replay = replay
        self.controls = RunControls() if replay is None else replay.controls
        """Pause the run in the thread and skip its cells."""
        self.cancel = threading.Event()
        self.over = threading.Event()
        self.updates: deque[RunUpdate] = deque()

    def carry_out(self, action: RunAction) -> None:
        """Do the work, in the thread. Never raises: an error becomes a ``RunFailed``."""
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
        except Exception as error:  # no error of the instrument ends the screen
            self.updates.append(
                RunFailed(f"The run broke off by an error of this program: {type(error).__name__}: {error}")
            )
        finally:
            self.over.set()


class RunThread:
    """Runs one task at a time: prepared by the screen, done by a thread, read through its queue."""

    def __init__(self, run: RunFunction | None = None) -> None:
        self._run = run or run_measuring
        self._task = RunTask()
        self._task.over.set()

    @property
    def controls(self) -> RunControls:
        """The controls of the run in the thread; a new object per run."""
        return self._task.controls

    @property
    def watching(self) -> bool:
        """Whether the thread only follows a run and measures nothing."""
        return self._task.watching

    @property
    def busy(self) -> bool:
        """Whether the thread is running."""
        return not self._task.over.is_set()

    @property
    def stopping(self) -> bool:
        """Whether the run is to stop and has not ended yet."""
        return self.busy and self._task.cancel.is_set()

    @property
    def measuring(self) -> bool:
        """Whether the thread measures, so that there is something to lose."""
        return self.busy and not self.watching

    @property
    def replay(self) -> Replay | None:
        """The saved run that is or was played; None if the last task played none."""
        return self._task.replay

    def prepare(self, *, watching: bool = False, replay: Replay | None = None) -> RunTask:
        """Replace the last task by a new one, so that ``busy`` is true before its thread starts."""
        self._task = RunTask(watching=watching, replay=replay)
        return self._task

    def run_action(self, plan: Plan) -> RunAction:
        """Return the action that runs a plan."""
        return partial(self._run, plan)

    def stop(self) -> None:
        """Ask the run to stop: its child is killed, what was measured stays."""
        self._task.cancel.set()

    def wait(self, seconds: float) -> bool:
        """Wait until the thread has ended; return whether it has."""
        return self._task.over.wait(seconds)

    def drain(self) -> list[RunUpdate]:
        """Return all updates since the last call, oldest first."""
        updates = []
        while self._task.updates:
            updates.append(self._task.updates.popleft())
        return updates


def apply_updates(state: RunState, updates: Iterable[RunUpdate]) -> RunState:
    """Return the state after some updates: by the shared reducer, and for a failed run as interrupted."""
    events: list[Event] = []
    for entry in updates:
        if isinstance(entry, RunFailed):
            state, events = _failed_state(reduce_all(state, events), entry.text), []
        else:
            events.append(entry)
    return reduce_all(state, events)


def _failed_state(state: RunState, text: str) -> RunState:
    if state.run is None:
        state = RunState()
    elif state.phase is not RunPhase.FINISHED:
        state = reduce(state, RunFinished(replace(state.run, status="interrupted")))
    return replace(state, warnings=(*state.warnings, text))
