"""Ends a command on Ctrl-C with a sentence, also while modules are loaded, where an exception would be a traceback.

Only what every interpreter has loaded is imported here, so that it can begin before anything else does.
"""

from __future__ import annotations

import os
import signal
from types import FrameType

RETRY_S = 0.02
"""An import that is under way is looked at again after so long."""

_IMPORT_MACHINERY = "<frozen importlib"


def end_at_once() -> None:
    """Let Ctrl-C end the process at once, before a command begins and when it is over; ignored, it stays ignored."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _end)
        signal.setitimer(signal.ITIMER_REAL, 0)


def interrupt_between_imports() -> None:
    """Let Ctrl-C raise ``KeyboardInterrupt`` from now on, but not inside an import, where C code would print it."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGALRM, _raise)
        signal.signal(signal.SIGINT, _raise)


def _end(number: int, _: FrameType | None) -> None:
    # The streams' own locks may be held by what was interrupted.
    os.write(2, b"imgstore-tui: Interrupted.\n")
    os._exit(128 + number)


def _raise(_: int, frame: FrameType | None) -> None:
    while frame is not None:
        if frame.f_code.co_filename.startswith(_IMPORT_MACHINERY):
            signal.setitimer(signal.ITIMER_REAL, RETRY_S)
            return
        frame = frame.f_back
    raise KeyboardInterrupt
