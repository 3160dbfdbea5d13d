"""What the user wants of a run that is going on: set in one thread, looked at in another."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event

from imgstore_tui.core.model import Cell


class RunControls:
    """Pausing, and cells to be skipped. Sets and flags only: setting and looking are single steps in Python."""

    def __init__(self) -> None:
        self._paused = Event()
        self._skipped: frozenset[Cell] = frozenset()

    @property
    def paused(self) -> bool:
        """Whether no new trial is to start."""
        return self._paused.is_set()

    @property
    def skipped(self) -> frozenset[Cell]:
        """The cells of which no more is wanted."""
        return self._skipped

    def pause(self) -> None:
        """Let no new trial start; the one that runs is finished."""
        self._paused.set()

    def resume(self) -> None:
        """Let trials start again."""
        self._paused.clear()

    def skip(self, cell: Cell) -> None:
        """End the trial of this cell if one runs, and measure no more of it."""
        self._skipped |= {cell}


@dataclass(frozen=True, slots=True)
class CancelSignal:
    """Whether a request is to be ended: because the run is, or because its cell is to be skipped."""

    cancel: Event
    controls: RunControls
    cell: Cell

    def is_set(self) -> bool:
        """Look now."""
        return self.cancel.is_set() or self.cell in self.controls.skipped
