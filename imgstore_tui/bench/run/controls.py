"""Pauses a running run and skips cells of it: set in one thread, read in another."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event

from imgstore_tui.core.model import Cell


class RunControls:
    """Whether the run is paused, and the cells to skip; setting and reading each are single steps in Python."""

    def __init__(self) -> None:
        self._paused = Event()
        self._skipped: frozenset[Cell] = frozenset()

    @property
    def paused(self) -> bool:
        """Whether no new trial may start."""
        return self._paused.is_set()

    @property
    def skipped(self) -> frozenset[Cell]:
        """The cells to skip."""
        return self._skipped

    def pause(self) -> None:
        """Let no new trial start; the running one is finished."""
        self._paused.set()

    def resume(self) -> None:
        """Let trials start again."""
        self._paused.clear()

    def skip(self, cell: Cell) -> None:
        """End the running trial of this cell, if any, and measure no further one."""
        self._skipped |= {cell}


@dataclass(frozen=True, slots=True)
class CancelSignal:
    """Whether a request must end: because the run is stopped, or because its cell is skipped."""

    cancel: Event
    controls: RunControls
    cell: Cell

    def is_set(self) -> bool:
        """Return whether the request must end now."""
        return self.cancel.is_set() or self.cell in self.controls.skipped
