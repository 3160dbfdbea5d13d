"""What more than one pane has to say to the workbench."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from imgstore_tui.core.model import Cell


@dataclass
class CellOpened(Message):
    """The user wants to see all that is known of a cell."""

    cell: Cell
