"""Lists every chart and table of a run; the one that is chosen comes to the front."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from imgstore_tui.core.text import safe_text
from imgstore_tui.tui.jump_target import JumpTarget, matching
from imgstore_tui.tui.terminal.textual_fixes import Dialog
from imgstore_tui.tui.widgets.field import Field
from imgstore_tui.tui.widgets.key_bar import KeyBar


class JumpScreen(Dialog[JumpTarget | None]):
    """The list, and a line that filters it."""

    CSS_PATH = "../styles/modal.tcss"
    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", "Next", key_display="↓", tooltip="Go to the next entry of the list"),
        Binding("up", "move(-1)", "Previous", show=False, tooltip="Go to the previous entry of the list"),
        Binding("escape", "cancel", "Close", key_display="esc", tooltip="Close the list"),
    ]

    entries = getters.query_one(OptionList)
    field = getters.query_one(Field)

    def __init__(self, targets: Sequence[JumpTarget], shown: Sequence[JumpTarget]) -> None:
        """Open the list.

        Args:
            targets: The charts and tables, in the order of the list.
            shown: Those that the panes show now.
        """
        super().__init__()
        self._targets = targets
        self._now = shown
        self._listed: list[JumpTarget] = []

    def compose(self) -> ComposeResult:
        """Lay out the line and the list."""
        with Vertical(classes="dialog wide jump") as dialog:
            dialog.border_title = "Go to a chart or table"
            yield Field("filter", hint="type a part of its name: read hot, disk, ranking")
            entries = OptionList()
            entries.can_focus = False  # the line has the keys
            yield entries
            yield Static(Text("Nothing has these words."), classes="nothing")
            yield KeyBar()

    def on_mount(self) -> None:
        """List everything, the cursor on what is in front."""
        self._list("")
        now = next((target for target in self._now if target in self._listed), None)
        self.entries.highlighted = self._listed.index(now) if now else 0

    def _list(self, query: str) -> None:
        self._listed = matching(self._targets, query)
        self.entries.clear_options()
        self.entries.add_options(
            Option(Text(safe_text(target.text) + (" (shown)" if target in self._now else ""), no_wrap=True))
            for target in self._listed
        )
        self.entries.display = bool(self._listed)
        self.query_one(".nothing").display = not self._listed
        self.entries.highlighted = 0 if self._listed else None

    @on(Field.Changed)
    def _filter_changed(self, event: Field.Changed) -> None:
        event.stop()
        self._list(event.text)

    def action_move(self, step: int) -> None:
        """Move the cursor of the list."""
        if self._listed:
            self.entries.highlighted = ((self.entries.highlighted or 0) + step) % len(self._listed)

    @on(Field.Submitted)
    def _submitted(self, event: Field.Submitted) -> None:
        event.stop()
        if self._listed:
            self.dismiss(self._listed[self.entries.highlighted or 0])

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self._listed[event.option_index])

    def action_cancel(self) -> None:
        """Close without going anywhere."""
        self.dismiss(None)
