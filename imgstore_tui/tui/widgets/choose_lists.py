"""The three lists of the choose pane: storage methods, numbers of images, operations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from imgstore_tui.tui.forms.method_list import server_to_start
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
        Binding("u", "start_server", "Start", show=False, tooltip="Start a server for the storage method here"),
    ]  # fmt: skip

    @dataclass
    class ServerRequested(Message):
        """The user starts a server for an item."""

        key: str

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

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the key to the workbench on an item for which no server can be started."""
        if action == "start_server":
            return self.pointed is not None and server_to_start(self.pointed.key) is not None
        return super().check_action(action, parameters)

    def action_start_server(self) -> None:
        """Ask to start a server for the item under the cursor."""
        if self.pointed is not None:
            self.post_message(self.ServerRequested(self.pointed.key))

    def action_remove(self) -> None:
        """Ask to remove the item under the cursor."""
        if self.pointed is not None:
            self.post_message(self.RemovalRequested(self.pointed.key))


class CutoffList(CheckList):
    """Numbers of images."""


class OperationList(CheckList):
    """What is measured."""
