"""Shows a list to tick, readable without colour: ``[x]`` ticked, ``[ ]`` not, ``[-]`` not available."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option


class Tick(StrEnum):
    """Whether an item is ticked."""

    ON = "[x]"
    OFF = "[ ]"
    NONE = "[-]"


@dataclass(frozen=True, slots=True)
class CheckItem:
    """One line that can be ticked."""

    key: Any
    """Identifies the item in messages."""
    label: str
    tick: Tick
    note: str = ""
    """Dim text at the right edge."""
    mark: str = ""
    """A letter before the label, the same as in the charts."""
    style: str = ""
    """Colour of mark and label."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A line above a group."""

    text: str


@dataclass(frozen=True, slots=True)
class _Line:
    """Text at the left and at the right, cut to the width. Never read as markup."""

    left: Text
    right: Text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width
        left, right = self.left.copy(), self.right.copy()
        ellipsis = "ellipsis" if options.encoding.startswith("utf") and not options.ascii_only else "crop"
        left.truncate(width, overflow=ellipsis)  # type: ignore[arg-type]
        room = width - left.cell_len - 2
        right.truncate(max(0, room), overflow=ellipsis)  # type: ignore[arg-type]
        if right.cell_len < 4 <= self.right.cell_len:
            right = Text()
        left.append(" " * (width - left.cell_len - right.cell_len)).append_text(right)
        left.no_wrap = True
        yield left

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(1, options.max_width)


class CheckList(OptionList):
    """Items to tick under headings. It changes no tick itself, it posts what the user asks for."""

    KEYS_OF: ClassVar[str] = "In any list of ticks"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "tick", "Select", tooltip="Select or clear the line under the cursor"),
        Binding("a", "all(True)", "All", show=False, tooltip="Select every line of the list"),
        Binding("n", "all(False)", "None", show=False, tooltip="Clear every line of the list"),
    ]

    @dataclass
    class Ticked(Message):
        """The user asks to tick or untick an item."""

        check_list: CheckList
        key: Any

        @property
        def control(self) -> CheckList:
            """The list it comes from."""
            return self.check_list

    @dataclass
    class AllTicked(Message):
        """The user asks to tick all items, or none."""

        check_list: CheckList
        on: bool

        @property
        def control(self) -> CheckList:
            """The list it comes from."""
            return self.check_list

    @dataclass
    class Pointed(Message):
        """The cursor came to an item."""

        check_list: CheckList
        key: Any

        @property
        def control(self) -> CheckList:
            """The list it comes from."""
            return self.check_list

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id, compact=True, markup=False)
        self._lines_shown: tuple[CheckItem | Heading, ...] = ()

    def show(self, lines: Sequence[CheckItem | Heading]) -> None:
        """Show these lines; the cursor stays on its item."""
        new = tuple(lines)
        if new == self._lines_shown:
            return
        same_shape = [_key(line) for line in new] == [_key(line) for line in self._lines_shown]
        old, self._lines_shown = self._lines_shown, new
        if same_shape:
            for index, (before, line) in enumerate(zip(old, new, strict=True)):
                if before != line:
                    self.replace_option_prompt_at_index(index, _prompt(line))
            return
        index = self.highlighted or 0
        current = None if self.highlighted is None or not old else _key(old[self.highlighted])
        self.set_options([Option(_prompt(line), disabled=isinstance(line, Heading)) for line in new])
        keys = [_key(line) for line in new]
        first = next((index for index, line in enumerate(new) if isinstance(line, CheckItem)), None)
        # If the item is gone, go to the one before it.
        above = [index for index, line in enumerate(new[: index + 1]) if isinstance(line, CheckItem)]
        near = above[-1] if above else first
        self.highlighted = keys.index(current) if current is not None and current in keys else near

    def on_resize(self) -> None:
        """Keep the heading above the first item visible."""
        first = next((index for index, line in enumerate(self._lines_shown) if isinstance(line, CheckItem)), None)
        if self.highlighted == first:
            self.call_after_refresh(self.scroll_home, animate=False)

    @property
    def pointed(self) -> CheckItem | None:
        """The item under the cursor."""
        line = None if self.highlighted is None else self._lines_shown[self.highlighted]
        return line if isinstance(line, CheckItem) else None

    def point_at(self, key: Any) -> bool:
        """Move the cursor to an item; return whether it is in the list."""
        for index, line in enumerate(self._lines_shown):
            if isinstance(line, CheckItem) and line.key == key:
                self.highlighted = index
                return True
        return False

    def action_tick(self) -> None:
        """Ask to tick or untick the item under the cursor."""
        if self.pointed is not None:
            self.post_message(self.Ticked(self, self.pointed.key))

    def action_page_up(self) -> None:
        """Move a page up; Textual raises if the list was not drawn since it changed."""
        with contextlib.suppress(KeyError, IndexError):
            super().action_page_up()  # type: ignore[no-untyped-call]

    def action_page_down(self) -> None:
        """Move a page down, as ``action_page_up`` does up."""
        with contextlib.suppress(KeyError, IndexError):
            super().action_page_down()  # type: ignore[no-untyped-call]

    def action_all(self, on: bool) -> None:
        """Ask to tick all items, or none."""
        self.post_message(self.AllTicked(self, on))

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.action_tick()

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if self.pointed is not None:
            self.post_message(self.Pointed(self, self.pointed.key))


def _key(line: CheckItem | Heading) -> Any:
    return line.text if isinstance(line, Heading) else (line.key,)


def _prompt(line: CheckItem | Heading) -> _Line:
    if isinstance(line, Heading):
        return _Line(Text(line.text, style="italic"), Text())
    dim = "dim" if line.tick is Tick.NONE else ""
    left = Text.assemble((f"{line.tick} ", "bold" if line.tick is Tick.ON else dim))
    if line.mark:
        left.append(f"{line.mark if line.tick is Tick.ON else ' '} ", style=line.style)
    left.append(line.label, style=line.style if line.tick is Tick.ON else dim)
    return _Line(left, Text(line.note, style="dim"))
