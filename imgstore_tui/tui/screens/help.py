"""What every key does, made from the bindings themselves."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from imgstore_tui.tui.forgiving import Dialog
from imgstore_tui.tui.widgets.key_bar import KeyBar

_KEYS = 11
"""Columns of the keys, with the gap beside them."""

KeyHelp = tuple[str, str]
"""A key as it is shown, and what it does; no key before a heading."""

_READING = """\
[x] takes part   [ ] does not   [-] is not available here: the cursor on it shows how to get it.
In tables: * is fastest, = cannot be told apart from the fastest, ! some trials failed.
In charts: a mark stands where something was measured; the same mark and colour stand in the list.
A verdict needs 6 rounds. Writes are never ranked across sync levels, reads never across cache states.
Every store is read back and compared before its times count; that is outside the clock.
Stopping keeps what was measured. No screen? See 'imgstore-tui run --help'."""


class HelpScreen(Dialog[None]):
    """Keys and how to read the screen."""

    CSS_PATH = "../styles/modal.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss", "Close", key_display="esc", tooltip="Close the help"),
    ]

    def __init__(self, keys: Iterable[KeyHelp]) -> None:
        super().__init__()
        self._keys = list(keys)

    def compose(self) -> ComposeResult:
        """Lay out the text."""
        with Vertical(classes="dialog wide high") as dialog:
            dialog.border_title = "Help"
            with VerticalScroll():
                yield Static()
            yield KeyBar()

    def on_mount(self) -> None:
        """Say it once the width is known."""
        self.call_after_refresh(self._say)

    def on_resize(self) -> None:
        """Say it anew for another width."""
        self.call_after_refresh(self._say)

    def _say(self) -> None:
        page = self.query_one(VerticalScroll)
        if width := page.scrollable_content_region.width - 1:
            page.query_one(Static).update(self._text(width))

    def _text(self, width: int) -> Text:
        text = Text()
        for key, words in self._keys:
            if not key:
                text.append("\n" if text else "").append(f"{words}\n", style="italic")
                continue
            first, *rest = textwrap.wrap(words, max(1, width - _KEYS))
            text.append(f"{key:>{_KEYS - 2}}", style="bold").append(f"  {first}\n")
            for line in rest:
                text.append(f"{' ' * _KEYS}{line}\n")
        return text.append("\n").append(_READING)


ELSEWHERE = "Elsewhere"
"""Where the keys of a widget hold that does not say so itself."""


def pane_bindings(screen: Screen[Any]) -> dict[str, list[BindingType]]:
    """Return the bindings that our own widgets on a screen have, by where they hold, in the order of panes.

    A widget says where that is by its ``KEYS_OF``.
    """
    kinds = dict.fromkeys(
        kind
        for widget in screen.walk_children(Widget)
        for kind in type(widget).__mro__
        if kind.__module__.startswith("imgstore_tui.tui.")
    )
    found: dict[str, list[BindingType]] = {}
    for kind in kinds:
        own = vars(kind)
        if own.get("BINDINGS"):
            found.setdefault(own.get("KEYS_OF", ELSEWHERE), []).extend(own["BINDINGS"])
    return found


def pane_help(screen: Screen[Any]) -> list[KeyHelp]:
    """Return keys and words of the widgets of a screen, below headings that say where they hold."""
    lines: list[KeyHelp] = []
    for where, bindings in pane_bindings(screen).items():
        lines += [("", where), *help_lines(bindings)]
    return lines


def help_lines(*groups: Iterable[BindingType]) -> list[KeyHelp]:
    """Return keys and words of bindings; keys of like words together."""
    lines: dict[str, list[str]] = {}
    for group in groups:
        for binding in group:
            if isinstance(binding, Binding) and binding.tooltip:
                lines.setdefault(binding.tooltip, []).append(_spelled(binding.key))
    return [(_together(keys), words) for words, keys in lines.items()]


def _together(keys: list[str]) -> str:
    """Return keys beside each other, digits in a row as ``1-6``."""
    if len(keys) > 2 and all(key.isdigit() for key in keys):
        return f"{keys[0]}-{keys[-1]}"
    return " ".join(keys)


def _spelled(keys: str) -> str:
    names = {"question_mark": "?", "escape": "esc", "f1": "F1", "slash": "/"}
    names |= {"left_square_bracket": "[", "right_square_bracket": "]"}
    return " ".join(names.get(key, key) for key in keys.split(","))
