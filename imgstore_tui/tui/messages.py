"""Messages that several panes send to the workbench."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from imgstore_tui.core.model import Cell


@dataclass
class CellOpened(Message):
    """The user opens the detail of a cell."""

    cell: Cell
