"""Keeps one server alive for as long as whoever started it, and ends it with them, however they end.

It is a process of its own: it watches its standard input, whose other end is held by who started it, or the process
that ``--with`` names. When it is killed itself, the kernel ends its server. It prints one line of JSON when the server
answers, or why it does not.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import select
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from imgstore_tui.bench.system.processes import descendants_of
from imgstore_tui.core.errors import ImgstoreError, UnavailableError
from imgstore_tui.jobs.servers import leftovers, state
from imgstore_tui.jobs.servers.catalogue import recipe
from imgstore_tui.jobs.servers.node import Node

_PR_SET_CHILD_SUBREAPER = 36
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


def main(argv: Sequence[str]) -> int:
    """Run a server until it is to end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("state", type=Path)
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--with", dest="companion", type=int)
    arguments = parser.parse_args(argv)
    if sys.platform == "linux":
        # What the server leaves behind comes to this process, and is ended by it.
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    wakeup, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    for number in _SIGNALS:
        signal.signal(number, _stop if number is not signal.SIGCHLD else _note)
    try:
        companion = sys.stdin.fileno() if arguments.companion is None else os.pidfd_open(arguments.companion)
    except OSError:
        return 0
    with contextlib.ExitStack() as stack:
        # Whatever happens from the making of the folder on, it is removed, or left noted for the next command.
        try:
            node = Node(
                recipe(arguments.name), arguments.folder, fast=arguments.fast,
                claim=lambda folder: stack.callback(leftovers.remove, leftovers.note(folder, arguments.state)),
            )  # fmt: skip
        except ImgstoreError as error:
            return _fail(error)
        except OSError as error:
            return _fail(UnavailableError(f"No server can be started: {error.filename}: {error.strerror}."))
        return _guard(node, arguments.state, companion, wakeup)


def _guard(node: Node, file: Path, companion: int, wakeup: int) -> int:
    """Start a server, wait for the moment that ends it, and end it."""
    try:
        state.write(file, node)
        try:
            node.start()
        except ImgstoreError as error:
            return _fail(error)
        state.write(file, node, node.variables())
        _say({"ready": True})
        _wait(node, companion, wakeup)
    except _Stopped:
        pass
    finally:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN if number is not signal.SIGCHLD else signal.SIG_DFL)
        node.stop()
        for pid in descendants_of(os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    return 0


class _Stopped(BaseException):
    """A signal has asked for the end."""


def _stop(_number: int, _frame: object) -> None:
    raise _Stopped


def _note(_number: int, _frame: object) -> None:
    """Let the wakeup descriptor say that a child has ended."""


def _wait(node: Node, companion: int, wakeup: int) -> None:
    """Wait for the end of who started this, or of the server; a signal raises."""
    poll = select.poll()
    poll.register(companion, select.POLLIN)
    poll.register(wakeup, select.POLLIN)
    while len(node.pids) == node.process_count:
        for descriptor, _ in poll.poll():
            if descriptor == wakeup:
                os.read(wakeup, 4096)
            elif descriptor != sys.stdin.fileno() or not os.read(descriptor, 4096):
                return


def _fail(error: ImgstoreError) -> int:
    _say({"error": str(error)})
    return int(error.exit_code)


def _say(words: dict[str, object]) -> None:
    # Who started this may be gone, and then nobody reads it.
    with contextlib.suppress(OSError):
        print(json.dumps(words), flush=True)  # noqa: T201 - this is how it answers
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, 1)
        os.close(devnull)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
