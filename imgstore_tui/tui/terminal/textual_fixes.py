"""Where Textual ends the program over something that is no reason to end it."""

from __future__ import annotations

import codecs
import contextlib
from functools import partial
from typing import Any

from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.drivers import linux_driver
from textual.screen import ModalScreen, ScreenResultType
from textual.worker import Worker


class Dialog(ModalScreen[ScreenResultType]):
    """A modal screen that takes away no other than itself.

    Textual takes away whatever is in front: a key that is pressed twice before the first is heeded would take the
    screen behind, too, and the last one with it.
    """

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Close, if it is in front and has not been closed before."""
        return super().dismiss(result) if self.app.screen is self else AwaitComplete()


class SafeCommandPalette(CommandPalette):
    """Textual's own, but that it may be closed while it still looks for commands: what is left of that fails alone."""

    def dismiss(self, result: Any = None) -> AwaitComplete:
        """Close, as a dialog does."""
        return super().dismiss(result) if self.app.screen is self else AwaitComplete()

    def _action_command_list(self, action: str) -> None:
        """Move in the list; one that was not drawn since it changed has no lines to move over."""
        with contextlib.suppress(KeyError, IndexError):
            super()._action_command_list(action)

    def run_worker(self, *arguments: Any, **settings: Any) -> Worker[Any]:
        """Start a worker whose failure is no failure of the program."""
        return super().run_worker(*arguments, **{**settings, "exit_on_error": False})


def tolerate_undecodable_keys() -> None:
    """Let keys be whatever bytes a terminal sends.

    Textual's thread for keys dies of the first byte that is no UTF-8, and the program with it: of an é from a terminal
    that speaks Latin-1, or of a long paste from which the kernel has dropped some bytes.
    """

    def decoder(name: str) -> partial[codecs.IncrementalDecoder]:
        return partial(codecs.getincrementaldecoder(name), "replace")

    vars(linux_driver)["getincrementaldecoder"] = decoder
