"""Offers to remove what killed runs have left; hidden if they left nothing."""

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
    """Scans once, at the start, in a thread. Nothing is removed without the key."""

    DEFAULT_CSS = """
    LeftoversLine { height: 1; padding: 0 1; color: $text-warning; display: none; }
    LeftoversLine.-found { display: block; }
    """

    leftovers: reactive[tuple[WeighedLeftover, ...]] = reactive((), init=False)
    sweeping: reactive[bool] = reactive(False)
    measuring: reactive[bool] = reactive(False)
    """Whether a run goes on, which removing would disturb."""

    @dataclass
    class Scanned(Message):
        """The scan has ended."""

        leftovers: tuple[WeighedLeftover, ...]

    @dataclass
    class Swept(Message):
        """Per leftover: a sentence, and whether it was removed."""

        lines: tuple[tuple[str, bool], ...]

    def on_mount(self) -> None:
        """Scan for leftovers."""
        self.run_worker(self._scan, thread=True, exit_on_error=False)

    def _scan(self) -> None:
        try:
            leftovers = tuple(find_leftovers())
        except OSError:
            # Another process removes them right now.
            leftovers = ()
        self.post_message(self.Scanned(leftovers))

    @on(Scanned)
    def _scanned(self, event: Scanned) -> None:
        self.leftovers = event.leftovers

    def watch_leftovers(self, leftovers: tuple[WeighedLeftover, ...]) -> None:
        """Show or hide the line."""
        self.set_class(bool(leftovers), "-found")
        self.screen.refresh_bindings()

    def render(self) -> Text:
        """Draw the leftovers and the key that removes them."""
        size = total_size(self.leftovers)
        if self.sweeping:
            return Text(f"removing {size} ...", no_wrap=True)
        count = len({getattr(entry.leftover, "run_id", str(entry.leftover.path)) for entry in self.leftovers})
        runs, it = ("A run that died", "it") if count == 1 else (f"{count} runs that died", "them")
        paths = ", ".join(safe_text(str(entry.leftover.path)) for entry in self.leftovers)
        when = " after this run" if self.measuring else ""
        return Text(f"{runs} left {size}: u removes {it}{when}. {paths}", no_wrap=True, overflow="ellipsis")

    def sweep(self) -> None:
        """Remove all leftovers, in a thread."""
        if self.leftovers and not self.sweeping:
            self.sweeping = True
            self.run_worker(self._sweep, thread=True, exit_on_error=False)

    def _sweep(self) -> None:
        lines = []
        for entry in self.leftovers:
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
        self.leftovers = ()
