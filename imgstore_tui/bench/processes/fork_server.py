"""Forks one child per trial from a small single-threaded process, watches it, and reports how it ended.

Forking a process that has imported everything costs milliseconds; a new interpreter costs a third of a second. The
fork server opens no store, client or pool; it imports the fork-safe drivers, freezes the garbage collector, and checks
before every fork that it has a single thread. It exchanges JSON lines on standard input and output and ends, with its
child, when its input ends: when the supervisor is gone, for whatever reason.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import resource
import select
import signal
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from imgstore_tui.bench.processes import child as child_side
from imgstore_tui.bench.protocol.shared_progress import SharedProgress
from imgstore_tui.bench.system.counters import tree_private_bytes
from imgstore_tui.bench.system.processes import die_first, die_with_parent
from imgstore_tui.core import credentials
from imgstore_tui.plugins import registry
from imgstore_tui.storekit import child_python

SAMPLE_EVERY_S = 0.01
"""Interval between samples of a child's private memory while its clock runs."""
STDERR_TAIL = 4_096
"""Bytes of a child's standard error that are kept, its last."""


@dataclass
class Child:
    """A running child and what it has written so far."""

    pid: int
    pidfd: int
    result_fd: int
    error_fd: int
    deadline: float
    limit_s: float
    start: str
    result: bytearray = field(default_factory=bytearray)
    errors: bytearray = field(default_factory=bytearray)
    peak_private: int = 0
    images: int = 0
    """Images it had done when it was last checked."""
    ended_by_us: str | None = None
    """``limit`` or ``cancel`` once the fork server has killed it."""

    def kill(self, reason: str) -> None:
        """Kill it; ``reason`` is ``limit`` or ``cancel``."""
        if self.ended_by_us is None:
            self.ended_by_us = reason
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)


class ForkServer:
    """Serves requests, one child at a time."""

    def __init__(self, progress: SharedProgress) -> None:
        self._progress = progress
        self._child: Child | None = None
        self._input = bytearray()
        self._poll = select.poll()
        self._poll.register(0, select.POLLIN)

    def serve(self) -> None:
        """Serve requests until standard input ends."""
        self._send({"event": "ready", "pid": os.getpid()})
        while True:
            timeout_ms = None if self._child is None else SAMPLE_EVERY_S * 1000
            ready = {descriptor for descriptor, _ in self._poll.poll(timeout_ms)}
            if 0 in ready and not self._read_requests():
                break
            if self._child is not None:
                self._watch(self._child, ready)
        if self._child is not None:
            self._child.kill("cancel")
            os.waitpid(self._child.pid, 0)

    def _read_requests(self) -> bool:
        data = os.read(0, 65_536)
        self._input += data
        while (end := self._input.find(b"\n")) >= 0:
            message = json.loads(self._input[:end])
            del self._input[: end + 1]
            if message["do"] == "credentials":
                credentials.hold(message["values"])
            elif message["do"] == "run":
                self._child = self._start(message)
            elif self._child is not None:
                self._child.kill("cancel")
        return bool(data)

    def _start(self, message: dict[str, Any]) -> Child:
        self._progress.clear()
        request, limit_s = message["request"], message["limit_s"]
        start = "fresh" if message["fresh"] else "fork"
        result_read, result_write = os.pipe()
        error_read, error_write = os.pipe()
        if sys.platform == "linux" and len(os.listdir("/proc/self/task")) != 1:  # noqa: PTH208
            raise RuntimeError("the fork server has more than one thread and must not fork")
        own_pid = os.getpid()
        pid = os.fork()
        if pid == 0:
            die_with_parent(own_pid)
            die_first()
            os.close(result_read)
            os.close(error_read)
            _become_child(error_write)
            if start == "fresh":
                _run_fresh(request, result_write, self._progress.descriptor)
            child_side.write_message(child_side.handle_request(request, self._progress), result_write)
            # No interpreter shutdown: a child has nothing to clean up, and drivers crash there on a full disk.
            os._exit(0)
        os.close(result_write)
        os.close(error_write)
        child = Child(pid, os.pidfd_open(pid), result_read, error_read, time.monotonic() + limit_s, limit_s, start)
        for descriptor in (child.pidfd, result_read, error_read):
            self._poll.register(descriptor, select.POLLIN)
        return child

    def _watch(self, child: Child, ready: set[int]) -> None:
        for descriptor, received in ((child.result_fd, child.result), (child.error_fd, child.errors)):
            if descriptor in ready:
                data = os.read(descriptor, 65_536)
                received.extend(data)
                if not data:
                    self._poll.unregister(descriptor)
        del child.errors[:-STDERR_TAIL]
        if self._progress.measuring:
            child.peak_private = max(child.peak_private, tree_private_bytes(child.pid))
        if self._progress.images != child.images:
            # It makes progress, so it does not hang.
            child.images = self._progress.images
            child.deadline = time.monotonic() + child.limit_s
        if time.monotonic() > child.deadline:
            child.kill("limit")
        if child.pidfd in ready:
            self._finish(child)

    def _finish(self, child: Child) -> None:
        _, status = os.waitpid(child.pid, 0)
        for descriptor, received in ((child.result_fd, child.result), (child.error_fd, child.errors)):
            os.set_blocking(descriptor, False)
            with contextlib.suppress(BlockingIOError):
                while data := os.read(descriptor, 65_536):
                    received.extend(data)
        for descriptor in (child.pidfd, child.result_fd, child.error_fd):
            with contextlib.suppress(KeyError):
                self._poll.unregister(descriptor)
            os.close(descriptor)
        self._child = None
        self._send({
            "event": "ended",
            "exit": os.waitstatus_to_exitcode(status),
            "ended_by_us": child.ended_by_us,
            "limit_s": child.limit_s,
            "result": child.result.decode("utf-8", "replace"),
            "errors": child.errors[-STDERR_TAIL:].decode("utf-8", "replace"),
            "peak_private": child.peak_private,
            "start": child.start,
        })  # fmt: skip

    @staticmethod
    def _send(message: dict[str, Any]) -> None:
        child_side.write_message(message, 1)
        os.write(1, b"\n")


def _become_child(error_write: int) -> None:
    """Detach from the fork server: no terminal, no request pipe, errors to the pipe of this child."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.dup2(error_write, 2)


def _run_fresh(request: dict[str, Any], result_write: int, progress_fd: int) -> None:
    """Replace the forked child with a new interpreter that gets the request on its standard input."""
    request_read, request_write = os.pipe()
    if os.fork() == 0:
        os.close(request_read)
        child_side.write_message(request | {"credentials": credentials.held()}, request_write)
        os._exit(0)
    os.close(request_write)
    os.dup2(request_read, 0)
    for descriptor in (result_write, progress_fd):
        os.set_inheritable(descriptor, True)
    arguments = child_python.command(child_side.__name__, str(result_write), str(progress_fd))
    os.execv(arguments[0], arguments)  # noqa: S606


def _end_if_alone() -> None:
    """End if the supervisor is gone already: a busy machine takes seconds to load all drivers."""
    poll = select.poll()
    poll.register(0, 0)
    if poll.poll(0):
        os._exit(0)


def main() -> None:
    """Run as ``python -m imgstore_tui.bench.processes.fork_server PROGRESS_FD MODULE...``."""
    progress = SharedProgress(int(sys.argv[1]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for module in sys.argv[2:]:
        _end_if_alone()
        # A driver that cannot be loaded fails its own trials, with its own message, not the fork server.
        with contextlib.suppress(Exception):
            importlib.import_module(module)
    _end_if_alone()
    importlib.import_module("imgstore_tui.bench.trial.trial")
    # Finding plug-ins costs more than a fork: once here, not once per child.
    registry.backends.all()
    registry.codecs.all()
    gc.collect()
    gc.freeze()
    ForkServer(progress).serve()


if __name__ == "__main__":
    main()
