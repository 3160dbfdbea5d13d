"""The line that offers to remove what runs that died have left; it is not there where they left nothing."""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text
from textual import on
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.text import safe_text
from imgstore_tui.jobs.sweep import WeighedLeftover, find_leftovers, sweep, total_size


class LeftoversLine(Widget):
    """Looks once, at the start, in a thread: weighing many files takes its time. Nothing is removed unasked."""

    DEFAULT_CSS = """
    LeftoversLine { height: 1; padding: 0 1; color: $text-warning; display: none; }
    LeftoversLine.-found { display: block; }
    """

    found: reactive[tuple[WeighedLeftover, ...]] = reactive((), init=False)
    sweeping: reactive[bool] = reactive(False)
    measuring: reactive[bool] = reactive(False)
    """Whether a run goes on: what is removed now would be measured, too."""

    @dataclass
    class Scanned(Message):
        """The thread has looked."""

        found: tuple[WeighedLeftover, ...]

    @dataclass
    class Swept(Message):
        """What became of every leftover: a sentence each, and whether it went well."""

        lines: tuple[tuple[str, bool], ...]

    def on_mount(self) -> None:
        """Look."""
        self.run_worker(self._scan, thread=True, exit_on_error=False)

    def _scan(self) -> None:
        try:
            found = tuple(find_leftovers())
        except OSError:
            # Somebody else sweeps right now.
            found = ()
        self.post_message(self.Scanned(found))

    @on(Scanned)
    def _scanned(self, event: Scanned) -> None:
        self.found = event.found

    def watch_found(self, found: tuple[WeighedLeftover, ...]) -> None:
        """Be there, or not."""
        self.set_class(bool(found), "-found")
        self.screen.refresh_bindings()

    def render(self) -> Text:
        """Say what was left and which key removes it."""
        weight = total_size(self.found)
        if self.sweeping:
            return Text(f"removing {weight} ...", no_wrap=True)
        one = len(self.found) == 1
        runs, it = ("A run that died", "it") if one else (f"{len(self.found)} runs that died", "them")
        places = ", ".join(safe_text(str(entry.leftover.path)) for entry in self.found)
        when = " after this run" if self.measuring else ""
        return Text(f"{runs} left {weight}: u removes {it}{when}. {places}", no_wrap=True, overflow="ellipsis")

    def sweep(self) -> None:
        """Remove all of it, in a thread."""
        if self.found and not self.sweeping:
            self.sweeping = True
            self.run_worker(self._sweep, thread=True, exit_on_error=False)

    def _sweep(self) -> None:
        lines = []
        for entry in self.found:
            try:
                sweep(entry.leftover)
            except (ImgstoreError, OSError) as error:
                lines.append((str(error), False))
            else:
                lines.append((f"removed {entry.leftover.path}", True))
        self.post_message(self.Swept(tuple(lines)))

    @on(Swept)
    def _swept(self) -> None:
        self.sweeping = False
        self.found = ()
