"""Plays a saved run again as it went: its events in their order, with the time between them, faster or slower."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from imgstore_tui.bench.results.follow import cells_of
from imgstore_tui.bench.run.controls import RunControls
from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.events import (
    Continued,
    Event,
    Paused,
    Progress,
    RunFinished,
    RunStarted,
    TrialFinished,
    TrialStarted,
    Warned,
)
from imgstore_tui.core.model import Measurement, Run

SPEEDS = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""Speeds that a key steps through."""
DEFAULT_SPEED = 10.0
MOST_SPEED = 1e6
LONGEST_GAP_S = 30.0
"""Longer gaps between two trials are pauses, or a run that was resumed later: they are played as this long."""
_TICK_S = 0.05


class ReplayControls(RunControls):
    """Pauses a replay, steps through it and changes its speed: set in one thread, read in another."""

    def __init__(self, speed: float = DEFAULT_SPEED) -> None:
        """Start at a speed: how many seconds of the run pass in one.

        Raises:
            UsageError: If the speed is no number above 0.
        """
        super().__init__()
        if not 0 < speed <= MOST_SPEED:
            raise UsageError(f"A speed is a number above 0, up to {MOST_SPEED:,.0f}, not {speed:g}.")
        self.speed = speed
        self._steps = 0

    def change_speed(self, step: int) -> None:
        """Take the next higher speed (1) or the next lower (-1)."""
        faster = [speed for speed in SPEEDS if speed > self.speed]
        slower = [speed for speed in SPEEDS if speed < self.speed]
        if step > 0 and faster:
            self.speed = faster[0]
        elif step < 0 and slower:
            self.speed = slower[-1]

    def step(self) -> None:
        """Pause, and let one more trial end."""
        self.pause()
        self._steps += 1

    def take_step(self) -> bool:
        """Return whether a step was asked for; it is taken then."""
        if not self._steps:
            return False
        self._steps -= 1
        return True


@dataclass(frozen=True, slots=True)
class Replay:
    """A saved run to be played again."""

    run: Run
    journal: str
    """The path of its file."""
    controls: ReplayControls


def replay_run(
    run: Run, journal: str, *, cancel: threading.Event, controls: RunControls, listen: Callable[[Event], None]
) -> Run:
    """Emit the events of a saved run with the time between them; nothing is measured.

    Args:
        run: The run.
        journal: The path of its file.
        cancel: When set, ends the replay.
        controls: Its speed, pause and steps; others than ``ReplayControls`` play at the default speed.
        listen: Called with every event, in this thread.

    Returns:
        The run.
    """
    player = _Player(controls, cancel, listen)
    cells = cells_of(run)
    gaps = list(_gaps(run.measurements))
    left_s = sum(gaps)
    total_s = left_s or 1.0
    begun = replace(
        run,
        measurements=(),
        warnings=(),
        probes=(),
        ceilings=(),
        client_rounds=(),
        status="running",
        finished_at=None,
        paused_s=0.0,
    )
    listen(RunStarted(begun, cells, total_s, journal))
    for warning in run.warnings:
        listen(Warned(warning))
    for measurement, gap_s in zip(run.measurements, gaps, strict=True):
        listen(TrialStarted(measurement.cell, measurement.round, "trial"))
        if not player.wait(gap_s):
            return run
        left_s -= gap_s
        listen(TrialFinished(measurement))
        listen(Progress(measurement.images or 0, 1 - left_s / total_s, left_s / player.speed))
    listen(RunFinished(run))
    return run


def _gaps(measurements: tuple[Measurement, ...]) -> Iterator[float]:
    """Yield for each trial the seconds until the next began; of the last one, and where unknown, those it took."""
    starts = [_moment(trial.started_at) for trial in measurements]
    for number, trial in enumerate(measurements):
        began, ended = starts[number], starts[number + 1] if number + 1 < len(starts) else None
        seconds = trial.elapsed_s or trial.seconds or 0.0
        if began is not None and ended is not None:
            seconds = (ended - began).total_seconds()
        yield min(max(seconds, 0.0), LONGEST_GAP_S)


def _moment(text: str | None) -> datetime | None:
    try:
        return None if text is None else datetime.fromisoformat(text)
    except ValueError:
        return None


class _Player:
    """Waits as long as the run took, divided by the speed of the moment."""

    def __init__(self, controls: RunControls, cancel: threading.Event, listen: Callable[[Event], None]) -> None:
        self._controls = controls
        self._cancel = cancel
        self._listen = listen
        self._debt_s = 0.0
        """Seconds of the replay that have passed without a wait: many short gaps make one."""

    @property
    def speed(self) -> float:
        """How many seconds of the run pass in one."""
        return self._controls.speed if isinstance(self._controls, ReplayControls) else DEFAULT_SPEED

    def wait(self, gap_s: float) -> bool:
        """Wait for a gap; return False when the replay is to end."""
        if self._controls.paused:
            self._listen(Paused())
            ended = self._wait_for_a_key()
            if ended is not None:
                return not ended
            self._listen(Continued(0.0))
        self._debt_s += gap_s / self.speed
        while self._debt_s >= _TICK_S and not self._controls.paused:
            if self._cancel.wait(_TICK_S):
                return False
            self._debt_s -= _TICK_S
        return not self._cancel.is_set()

    def _wait_for_a_key(self) -> bool | None:
        """Wait while paused; return False after a step, True where the replay is to end, None when it goes on."""
        while self._controls.paused:
            if isinstance(self._controls, ReplayControls) and self._controls.take_step():
                self._debt_s = 0.0
                return False
            if self._cancel.wait(_TICK_S):
                return True
        return None
