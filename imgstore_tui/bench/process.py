"""Being a child: dying with the parent, however it dies."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when its parent is gone; end at once if it is gone already.

    Source: prctl(2), PR_SET_PDEATHSIG. It is the death of the parent's thread that counts, so the parent must fork
    from its only thread; and it is not inherited, so every fork asks for itself.

    Args:
        parent: The process that forked, as it knew itself.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
