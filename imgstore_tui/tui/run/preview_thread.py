"""Previewing data in a thread: whoever wants to know is told by messages, and may leave at any moment."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from textual.app import App
from textual.message import Message
from textual.widget import Widget
from textual.worker import get_current_worker

from imgstore_tui.bench.results.lock import running
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.jobs.preview import LeftError, Preview, preview
from imgstore_tui.tui.terminal.clean_exit import OrderlyApp

TELL_EVERY_S = 0.25
GROUP = "preview"


@dataclass
class Previewing(Message):
    """How far a preview is."""

    text: str
    words: str
    done: int
    total: int | None


@dataclass
class Previewed(Message):
    """A preview is over: what was seen, or why nothing was."""

    text: str
    found: Preview | None
    problem: str = ""
    wanted: int = 0
    """How many images were asked for: of large folders no more were looked at."""


@dataclass
class GivenWay(Message):
    """A preview was left because a run has begun; of the data nothing is known."""

    text: str


def busy(app: App[Any]) -> bool:
    """Whether a run goes on, here or in another terminal: nothing else is read then, for it would be measured too."""
    return (isinstance(app, OrderlyApp) and app.bridge.busy) or running() is not None


class _GivesWayError(LeftError):
    """A run has begun meanwhile."""


def preview_for(widget: Widget, text: str, wanted: int, *, pictures: int = 0, patience_s: float | None = None) -> None:
    """Preview a dataset and post what is seen to a widget; to be called in a thread worker of its own.

    Args:
        widget: Who is told.
        text: The dataset as written.
        wanted: How many images a run would use.
        pictures: How many pictures to show.
        patience_s: Give up without a word after so many seconds; None to go on to the end.
    """
    worker = get_current_worker()
    began = told = time.monotonic()

    def tell(words: str, done: int, total: int | None) -> None:
        nonlocal told
        now = time.monotonic()
        if worker.is_cancelled or (patience_s is not None and now - began > patience_s):
            raise LeftError
        if now - told >= TELL_EVERY_S:
            told = now
            if busy(widget.app):
                raise _GivesWayError
            widget.post_message(Previewing(text, words, done, total))

    answer: Message
    try:
        found = preview(text, wanted, pictures=pictures, progress=tell)
    except _GivesWayError:
        answer = GivenWay(text)
    except LeftError:
        answer = Previewed(text, None, "There is too much of it to look through.")
    except ImgstoreError as error:
        answer = Previewed(text, None, str(error))
    except Exception as error:  # whatever the data does, the screen stays up and says so
        answer = Previewed(text, None, f"The data cannot be looked at: {type(error).__name__}: {error}")
    else:
        answer = Previewed(text, found, wanted=wanted)
    if not worker.is_cancelled:
        widget.post_message(answer)
