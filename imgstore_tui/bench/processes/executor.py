"""The supervisor's side of the fork server: start it, hand it requests, read a child's end from how it ended."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from imgstore_tui.bench.processes import fork_server
from imgstore_tui.bench.protocol.messages import Flag, TrialOutcome, TrialRequest
from imgstore_tui.bench.protocol.shared_progress import SharedProgress
from imgstore_tui.bench.system.processes import descendants_of, still_running
from imgstore_tui.bench.trial.source_row import backend_class
from imgstore_tui.core.content import RAW_CODEC
from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.core.model import to_json
from imgstore_tui.core.spec import Spec
from imgstore_tui.plugins import registry
from imgstore_tui.storekit import child_python

LISTEN_EVERY_S = 0.1
STUCK_AFTER_S = 10.0
"""So long after its limit a trial that the fork server has killed, or should have, is taken for stuck."""
KILLED_WITHIN_S = 0.5
"""A process that is killed is gone by then, unless the kernel holds it."""
START_LIMIT_S = 60.0
START_TRIES = 3
"""One that is killed while it starts, by whomever, is not the end of a run."""

_HINTS: dict[int, str] = {
    signal.SIGKILL: ", probably out of memory",
    signal.SIGBUS: ": a file that it had mapped was cut short, or there was no room for its pages",
}

# One thread a library: what is measured is storage, and a fork must find a single task.
_SINGLE_THREADED = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)


class ProcessExecutor:
    """Runs each request in a child process of its own, forked from a fork server that is started anew every round."""

    def __init__(self, specs: Iterable[Spec]) -> None:
        chosen = list(specs)
        plugins = [backend_class(spec) for spec in chosen], [registry.codecs.get(spec.codec) for spec in chosen]
        self._modules: list[str] = []
        self._fresh: dict[str, tuple[str, ...]] = {}
        """What a fresh interpreter imports for each plug-in that does not survive a fork, by kind and name."""
        for backend in plugins[0]:
            self._note("backend", backend, backend.capabilities.fork_safe)
        for codec in (*plugins[1], registry.codecs.get(RAW_CODEC)):
            self._note("codec", codec, codec.fork_safe)
        self._progress = SharedProgress.create()
        self._fork_server: subprocess.Popen[bytes] | None = None
        self._output = bytearray()

    def _note(self, kind: str, plugin: Any, fork_safe: bool) -> None:
        modules = (plugin.__module__, *plugin.requires)
        if fork_safe:
            self._modules += [name for name in modules if name not in self._modules]
        else:
            self._fresh[f"{kind} {plugin.name}"] = modules

    def begin_round(self) -> None:
        """Start a new fork server; the old one, if any, ends."""
        for _ in range(START_TRIES):
            self._stop()
            self._start()
            if self._next_message(time.monotonic() + START_LIMIT_S) is not None:
                return
            if self._fork_server is None or self._fork_server.poll() is None:
                break
        raise UnavailableError(f"The measuring process did not start: {self._last_words()}")

    def _start(self) -> None:
        self._fork_server = subprocess.Popen(
            child_python.command(fork_server.__name__, str(self._progress.descriptor), *self._modules),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(self._progress.descriptor,),
            env=child_python.environment(**_SINGLE_THREADED),
            # A session of its own: the terminal's Ctrl-C is the supervisor's to judge.
            start_new_session=True,
            bufsize=0,
        )
        self._output.clear()

    def run(
        self, request: TrialRequest, limit_s: float, on_progress: Callable[[int], None], cancel: Flag
    ) -> TrialOutcome:
        """Run a request in a child; see ``Executor``."""
        if self._fork_server is None or self._fork_server.poll() is not None:
            self.begin_round()
        own = {f"backend {request.spec.backend}", f"codec {request.spec.codec}"} & self._fresh.keys()
        fresh = bool(own)
        if fresh:
            request = replace(request, modules=tuple(name for plugin in sorted(own) for name in self._fresh[plugin]))
        self._tell({"do": "run", "request": to_json(request), "limit_s": limit_s, "fresh": fresh})
        cancelled = False
        # The fork server keeps the time limit; the supervisor's own, a little later, is for one that is stuck.
        deadline = time.monotonic() + limit_s + STUCK_AFTER_S
        images = 0
        while True:
            message = self._next_message(time.monotonic() + LISTEN_EVERY_S)
            if message is not None:
                break
            if self._fork_server is None or self._fork_server.poll() is not None:
                return TrialOutcome(False, f"The measuring process died: {self._last_words()}", cancelled=cancelled)
            on_progress(self._progress.images)
            if self._progress.images != images and not cancelled:
                # As the fork server sees it: what moves does not hang.
                images, deadline = self._progress.images, time.monotonic() + limit_s + STUCK_AFTER_S
            if cancel.is_set() and not cancelled:
                cancelled = True
                deadline = time.monotonic() + 1.0
                self._tell({"do": "kill"})
            if time.monotonic() > deadline:
                held = self._kill()
                reason = " ".join([f"Not done after {limit_s:.0f} s, nor ended when it was killed.", *held])
                return TrialOutcome(False, reason, cancelled=cancelled, hung=True)
        return _outcome(message, cancelled)

    def close(self) -> None:
        """End the fork server and its child."""
        self._stop()
        self._progress.close()

    def _tell(self, message: dict[str, Any]) -> None:
        if self._fork_server is not None and self._fork_server.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._fork_server.stdin.write(json.dumps(message).encode() + b"\n")

    def _next_message(self, deadline: float) -> dict[str, Any] | None:
        if self._fork_server is None or self._fork_server.stdout is None:
            return None
        descriptor = self._fork_server.stdout.fileno()
        while (end := self._output.find(b"\n")) < 0:
            if not select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]:
                return None
            data = os.read(descriptor, 65_536)
            if not data:
                # Its output has ended: give the process the moment it needs to be gone.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._fork_server.wait(1.0)
                return None
            self._output += data
        message: dict[str, Any] = json.loads(self._output[:end])
        del self._output[: end + 1]
        return message

    def _last_words(self) -> str:
        if self._fork_server is None or self._fork_server.stderr is None or self._fork_server.poll() is None:
            return "no answer."
        lines = self._fork_server.stderr.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else _exit_reason(self._fork_server.returncode)

    def _stop(self) -> None:
        if self._fork_server is None:
            return
        # It ends when its input does.
        self._close_pipes(self._fork_server)
        try:
            self._fork_server.wait(2.0)
        except subprocess.TimeoutExpired:
            self._kill()
        self._fork_server = None

    def _kill(self) -> list[str]:
        """Kill the fork server and all below it; return a sentence for each process that the kernel does not let go."""
        process, self._fork_server = self._fork_server, None
        if process is None:
            return []
        pids = [process.pid, *descendants_of(process.pid)]
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        self._close_pipes(process)
        deadline = time.monotonic() + KILLED_WITHIN_S
        while True:
            process.poll()
            places = {pid: place for pid in pids if (place := still_running(pid)) is not None}
            if not places or time.monotonic() > deadline:
                break
            time.sleep(0.01)
        return [
            f"Process {pid} is held by the kernel ({place}) and ends when the device or file system answers."
            for pid, place in places.items()
        ]

    @staticmethod
    def _close_pipes(process: subprocess.Popen[bytes]) -> None:
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def _outcome(message: dict[str, Any], cancelled: bool) -> TrialOutcome:
    start = message["start"]
    if message["ended_by_us"] == "limit":
        return TrialOutcome(False, f"Not done after {message['limit_s']:.0f} s, killed.", start=start, hung=True)
    if message["ended_by_us"] == "cancel":
        return TrialOutcome(False, "Stopped by the user.", start=start, cancelled=True)
    try:
        result = json.loads(message["result"])
    except ValueError:
        lines = message["errors"].strip().splitlines()
        last = f" Its last words: {lines[-1]}" if lines else ""
        return TrialOutcome(False, _exit_reason(message["exit"]) + last, start=start, cancelled=cancelled)
    fields = result["fields"]
    before, after = fields.pop("private_before", None), fields.pop("private_after", None)
    if before is not None and after is not None:
        fields["peak_private_bytes"] = max(0, after - before, message["peak_private"] - before)
    return TrialOutcome(result["ok"], result["reason"], fields, start, cancelled, result.get("skipped", False))


def _exit_reason(code: int) -> str:
    if code >= 0:
        return f"The process ended with exit status {code} and no result."
    number = -code
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    return f"The process was killed by {name}{_HINTS.get(number, '')}."
