"""Shows what every key does, from the bindings themselves, and the topics of the manual."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Any, ClassVar

from rich.style import Style
from rich.text import Text
from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.keys import key_to_character
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from imgstore_tui.present.help import TOPIC_NAMES, load_topic
from imgstore_tui.present.help.page import ManualPage
from imgstore_tui.tui.terminal.textual_fixes import Dialog
from imgstore_tui.tui.widgets.key_bar import KeyBar

KEYS = "keys"
"""The first entry of the list: the keys."""
_KEYS = 11
"""Columns of the keys, with the gap beside them."""

KeyHelp = tuple[str, str]
"""A key as it is shown, and what it does; no key before a heading."""

_READING = """\
[x] takes part   [ ] does not   [-] is not available here: the cursor on it shows how to get it.
In tables: * is fastest, = ties with it or is too close to call, ! some trials failed.
In charts: a mark stands where something was measured; the same mark and colour stand in the list.
A verdict needs 6 rounds or more. Writes are never ranked across sync levels, reads never across cache states.
Every store is read back and compared before its times count; that is outside the clock.
Stopping keeps what was measured. No screen? See 'imgstore-tui run --help'."""


class TopicList(OptionList):
    """The list of topics; the page keys scroll the page beside it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "select", "Read", key_display="enter", tooltip="Go to the page, which takes the whole width"),
        Binding("space", "page_down", "More", tooltip="Scroll the page down"),
    ]

    def action_page_down(self) -> None:
        """Scroll the page beside the list."""
        self.screen.query_one(TopicPage).scroll_page_down(animate=False)

    def action_page_up(self) -> None:
        """Scroll the page beside the list."""
        self.screen.query_one(TopicPage).scroll_page_up(animate=False)


class TopicPage(VerticalScroll):
    """The topic that is shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,backspace", "topics", "Topics", key_display="left", tooltip="Go back to the list of topics"),
        Binding("space", "page_down", "More", tooltip="Scroll the page down"),
    ]

    def action_topics(self) -> None:
        """Focus the list."""
        self.screen.query_one(TopicList).focus()


class HelpScreen(Dialog[None]):
    """Keys, how to read the screen, and the topics of the manual."""

    CSS_PATH = "../styles/modal.tcss"
    AUTO_FOCUS = "TopicList"
    COMPONENT_CLASSES = {"help--accent"}  # noqa: RUF012 - Textual's own convention
    DEFAULT_CSS = "HelpScreen > .help--accent { color: $primary; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss", "Close", key_display="esc", tooltip="Close the help"),
    ]

    topics = getters.query_one(TopicList)
    page = getters.query_one(TopicPage)
    body = getters.query_one(".topic", Static)

    def __init__(self, keys: Iterable[KeyHelp]) -> None:
        super().__init__()
        self._keys = list(keys)
        self._shown = KEYS

    def compose(self) -> ComposeResult:
        """Lay out the list and the page."""
        with Vertical(classes="dialog help") as dialog:
            dialog.border_title = "Help"
            with Horizontal():
                yield TopicList(*(Option(name, id=name) for name in (KEYS, *TOPIC_NAMES)))
                with TopicPage():
                    yield Static(classes="topic")
            yield KeyBar()

    def on_mount(self) -> None:
        """Fill the page once the width is known."""
        self.topics.highlighted = 0
        self.call_after_refresh(self._fill)

    def on_resize(self) -> None:
        """Fill the page again for another width."""
        self.call_after_refresh(self._fill)

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self._shown = event.option.id or KEYS
        self.page.scroll_home(animate=False)
        self._fill()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.page.focus()

    def on_descendant_focus(self) -> None:
        """Give the page the width of the list while it has the focus, on a narrow terminal."""
        self.set_class(self.focused is self.page, "-reading")
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        if not self.is_mounted or not (width := self.page.scrollable_content_region.width - 1):
            return
        if self._shown == KEYS:
            self.body.update(self._key_text(width))
            return
        accent = Style(color=self.get_component_rich_style("help--accent").color)
        self.body.update(ManualPage(load_topic(self._shown).markdown, accent=accent))

    def _key_text(self, width: int) -> Text:
        text = Text()
        for key, description in self._keys:
            if not key:
                text.append("\n" if text else "").append(f"{description}\n", style="italic")
                continue
            first, *rest = textwrap.wrap(description, max(1, width - _KEYS))
            text.append(f"{key:>{_KEYS - 2}}", style="bold").append(f"  {first}\n")
            for line in rest:
                text.append(f"{' ' * _KEYS}{line}\n")
        return text.append("\n").append(_READING)


ELSEWHERE = "Elsewhere"
"""Heading for widgets without ``KEYS_OF``."""


def pane_bindings(screen: Screen[Any]) -> dict[str, list[BindingType]]:
    """Return the bindings of our own widgets on a screen, by heading (``KEYS_OF``), in the order of panes."""
    widget_classes = dict.fromkeys(
        widget_class
        for widget in screen.walk_children(Widget)
        for widget_class in type(widget).__mro__
        if widget_class.__module__.startswith("imgstore_tui.tui.")
    )
    bindings: dict[str, list[BindingType]] = {}
    for widget_class in widget_classes:
        own = vars(widget_class)
        if own.get("BINDINGS"):
            bindings.setdefault(own.get("KEYS_OF", ELSEWHERE), []).extend(own["BINDINGS"])
    return bindings


def pane_help(screen: Screen[Any]) -> list[KeyHelp]:
    """Return the keys of the widgets of a screen, below headings."""
    lines: list[KeyHelp] = []
    for where, bindings in pane_bindings(screen).items():
        lines += [("", where), *help_lines(bindings)]
    return lines


def help_lines(*groups: Iterable[BindingType]) -> list[KeyHelp]:
    """Return the keys of bindings; keys of the same tooltip together."""
    lines: dict[str, list[str]] = {}
    for group in groups:
        for binding in group:
            if isinstance(binding, Binding) and binding.tooltip:
                lines.setdefault(binding.tooltip, []).append(_spelled(binding.key))
    return [(_together(keys), tooltip) for tooltip, keys in lines.items()]


def _together(keys: list[str]) -> str:
    """Return keys as one text, consecutive digits as ``1-6``."""
    if len(keys) > 2 and all(key.isdigit() for key in keys):
        return f"{keys[0]}-{keys[-1]}"
    return " ".join(keys)


def _spelled(keys: str) -> str:
    names = {"escape": "esc", "f1": "F1", "slash": "/"}
    return " ".join(names.get(key) or _character(key) or key for key in keys.split(","))


def _character(key: str) -> str:
    """Return the sign that a key types, such as ``<`` for ``less_than_sign``; empty for a key that types none."""
    character = key_to_character(key) or ""
    return character if character.isprintable() else ""
