"""Passes the progress of an indexing that takes long from any depth of a format's reader to whoever opens the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str, int, int | None], None]
"""Called with what is being done, how many are done, and how many in total (None if unknown)."""

EVERY = 4096
"""Members or records between two reports."""

_listener: ContextVar[Listener | None] = ContextVar("scan_progress", default=None)


@contextmanager
def scan_progress_to(listener: Listener) -> Iterator[None]:
    """Send what is reported inside the block to a listener."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def report_scan(doing: str, done: int, total: int | None = None) -> None:
    """Report progress; nothing happens if nobody listens."""
    listener = _listener.get()
    if listener is not None:
        listener(doing, done, total)
