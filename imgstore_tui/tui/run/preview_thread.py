"""Previews data in a thread and posts progress and result to a widget, which may be closed at any moment."""

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
"""Seconds between two messages about the progress."""
PREVIEW_GROUP = "preview"
"""The group of the thread workers that preview data."""


@dataclass
class PreviewProgress(Message):
    """The progress of a preview."""

    text: str
    """The dataset as written."""
    step: str
    done: int
    total: int | None


@dataclass
class PreviewEnded(Message):
    """A preview has ended, with a result or a problem."""

    text: str
    preview: DatasetPreview | None
    problem: str = ""
    requested: int = 0
    """How many images were requested; of a large folder no more are scanned."""


@dataclass
class PreviewYielded(Message):
    """A preview was cancelled because a run has begun."""

    text: str


def run_in_progress(app: App[Any]) -> bool:
    """Return whether a run goes on, here or in another terminal: other reads would disturb it."""
    return (isinstance(app, CleanExitApp) and app.run_thread.busy) or running() is not None


class _YieldError(PreviewCancelledError):
    """A run has begun during the preview."""


def post_preview(
    widget: Widget, text: str, requested: int, *, pictures: int = 0, patience_s: float | None = None
) -> None:
    """Preview a dataset and post the result to a widget; called in a thread worker.

    Args:
        widget: Gets the messages.
        text: The dataset as written.
        requested: How many images a run would use.
        pictures: How many pictures to show.
        patience_s: Seconds after which the preview gives up; None for no limit.
    """
    worker = get_current_worker()
    began = last_report = time.monotonic()

    def report(step: str, done: int, total: int | None) -> None:
        nonlocal last_report
        now = time.monotonic()
        if worker.is_cancelled or (patience_s is not None and now - began > patience_s):
            raise PreviewCancelledError
        if now - last_report >= REPORT_EVERY_S:
            last_report = now
            if run_in_progress(widget.app):
                raise _YieldError
            widget.post_message(PreviewProgress(text, step, done, total))

    message: Message
    try:
        preview = preview_dataset(text, requested, thumbnails=pictures, progress=report)
    except _YieldError:
        message = PreviewYielded(text)
    except PreviewCancelledError:
        message = PreviewEnded(text, None, "There is too much of it to look through.")
    except ImgstoreError as error:
        message = PreviewEnded(text, None, str(error))
    except Exception as error:  # no error of a decoder ends the screen
        message = PreviewEnded(text, None, f"The data cannot be looked at: {type(error).__name__}: {error}")
    else:
        message = PreviewEnded(text, preview, requested=requested)
    if not worker.is_cancelled:
        widget.post_message(message)
