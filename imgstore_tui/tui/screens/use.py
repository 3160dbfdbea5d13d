"""Asks what the pictures are for; the answer is the plan that measures what advice on that needs."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from imgstore_tui.tui.terminal.textual_fixes import Dialog
from imgstore_tui.tui.widgets.key_bar import KeyBar

ANSWERS = {
    "training": ("Train a model", "read whole and shuffled, epoch after epoch"),
    "archive": ("Keep them for years", "written once, seldom read; disk use counts"),
    "sharing": ("Send them to others", "which programs open it, and how large it is"),
    "service": ("Serve single ones", "one picture at a time, at random, all day"),
    "quick": ("Just compare", "three methods, writing and reading, in a minute"),
}
"""What the user may do, and what counts then, by the name of the plan."""


class UseScreen(Dialog[str]):
    """The question, with an answer for each plan; it ends with the name of a plan, empty for none."""

    CSS_PATH = "../styles/modal.tcss"
    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "cancel", "Close", key_display="esc", tooltip="Leave the choice as it is"),
    ]

    answers = getters.query_one(OptionList)

    def __init__(self, current: str) -> None:
        """Ask.

        Args:
            current: The name of the plan that is chosen now.
        """
        super().__init__()
        self._current = current

    def compose(self) -> ComposeResult:
        """Lay out the answers."""
        with Vertical(classes="dialog use") as dialog:
            dialog.border_title = "What will you do with the pictures?"
            yield OptionList(
                *(
                    Option(Text.assemble((f"{does}\n", "bold"), (f"  {counts}", "dim")), id=name)
                    for name, (does, counts) in ANSWERS.items()
                )
            )
            yield KeyBar()

    def on_mount(self) -> None:
        """Put the cursor on the plan that is chosen now."""
        names = list(ANSWERS)
        self.answers.highlighted = names.index(self._current) if self._current in names else 0

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(event.option_id or "")

    def action_cancel(self) -> None:
        """Close without an answer."""
        self.dismiss("")
