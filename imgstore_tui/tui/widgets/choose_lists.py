"""The three lists of the choose pane: storage methods, numbers of images, operations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from imgstore_tui.tui.widgets.check_list import CheckList


class MethodList(CheckList):
    """Backends and specs, by family."""

    KEYS_OF: ClassVar[str] = "In the list of storage methods"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "options", "Options", tooltip="Open the options of the storage method under the cursor"),
        Binding(
            "delete,backspace", "remove", "Remove", show=False,
            tooltip="Take a storage method that was added or changed off the list",
        ),
    ]  # fmt: skip

    @dataclass
    class OptionsRequested(Message):
        """The user opens the options of an item."""

        key: str

    @dataclass
    class RemovalRequested(Message):
        """The user removes an item."""

        key: str

    def action_options(self) -> None:
        """Ask for the options of the item under the cursor."""
        if self.pointed is not None:
            self.post_message(self.OptionsRequested(self.pointed.key))

    def action_remove(self) -> None:
        """Ask to remove the item under the cursor."""
        if self.pointed is not None:
            self.post_message(self.RemovalRequested(self.pointed.key))


class CutoffList(CheckList):
    """Numbers of images."""


class OperationList(CheckList):
    """What is measured."""
