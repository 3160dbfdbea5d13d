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
from imgstore_tui.jobs.preview import DatasetPreview, PreviewCancelledError, preview_dataset
from imgstore_tui.tui.terminal.clean_exit import CleanExitApp

REPORT_EVERY_S = 0.25
PREVIEW_GROUP = "preview"


@dataclass
class PreviewProgress(Message):
    """How far a preview is."""

    text: str
    words: str
    done: int
    total: int | None


@dataclass
class PreviewEnded(Message):
    """A preview is over: what was seen, or why nothing was."""

    text: str
    found: DatasetPreview | None
    problem: str = ""
    wanted: int = 0
    """How many images were asked for: of large folders no more were looked at."""


@dataclass
class PreviewYielded(Message):
    """A preview was left because a run has begun; of the data nothing is known."""

    text: str


def run_in_progress(app: App[Any]) -> bool:
    """Whether a run goes on, here or in another terminal: nothing else is read then, for it would be measured too."""
    return (isinstance(app, CleanExitApp) and app.run_thread.busy) or running() is not None


class _YieldError(PreviewCancelledError):
    """A run has begun meanwhile."""


def post_preview(widget: Widget, text: str, wanted: int, *, pictures: int = 0, patience_s: float | None = None) -> None:
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
            raise PreviewCancelledError
        if now - told >= REPORT_EVERY_S:
            told = now
            if run_in_progress(widget.app):
                raise _YieldError
            widget.post_message(PreviewProgress(text, words, done, total))

    answer: Message
    try:
        found = preview_dataset(text, wanted, thumbnails=pictures, progress=tell)
    except _YieldError:
        answer = PreviewYielded(text)
    except PreviewCancelledError:
        answer = PreviewEnded(text, None, "There is too much of it to look through.")
    except ImgstoreError as error:
        answer = PreviewEnded(text, None, str(error))
    except Exception as error:  # whatever the data does, the screen stays up and says so
        answer = PreviewEnded(text, None, f"The data cannot be looked at: {type(error).__name__}: {error}")
    else:
        answer = PreviewEnded(text, found, wanted=wanted)
    if not worker.is_cancelled:
        widget.post_message(answer)
