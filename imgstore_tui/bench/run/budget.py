"""Keeps the time budget of a run: for how long trials may still begin."""

from __future__ import annotations

import math
import time


class Budget:
    """The time budget of a run; pauses do not count."""

    def __init__(self, seconds: float | None) -> None:
        """Start the budget now; None is unlimited."""
        self._limit_s = math.inf if seconds is None else seconds
        self._began = time.monotonic()
        self.paused_s = 0.0

    def restart(self) -> None:
        """Count from now."""
        self._began = time.monotonic()

    @property
    def left_s(self) -> float:
        """Seconds for which trials may still begin; infinite without a budget."""
        return self._limit_s - (time.monotonic() - self._began - self.paused_s)
