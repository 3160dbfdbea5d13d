"""Runs requests in child processes: starts the fork server, sends it requests, reads how each child ended."""

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
from imgstore_tui.bench.system.processes import descendants_of, wait_state
from imgstore_tui.bench.trial.source_row import backend_class
from imgstore_tui.core import credentials
from imgstore_tui.core.content import RAW_CODEC
from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.core.json_values import from_json, to_json
from imgstore_tui.core.spec import Spec
from imgstore_tui.plugins import registry
from imgstore_tui.storekit import child_python

POLL_INTERVAL_S = 0.1
STUCK_AFTER_S = 10.0
"""A trial that has not ended this long after its limit, although the fork server kills it then, counts as stuck."""
KILLED_WITHIN_S = 0.5
"""A killed process is gone after this time, unless the kernel holds it."""
START_LIMIT_S = 60.0
START_TRIES = 3
"""A fork server that something kills while it starts does not end a run."""

_HINTS: dict[int, str] = {
    signal.SIGKILL: ", probably out of memory",
    signal.SIGBUS: ": a file that it had mapped was cut short, or there was no room for its pages",
}


class ProcessExecutor:
    """Runs each request in its own child process, forked from a fork server that is restarted every round."""

    def __init__(self, specs: Iterable[Spec]) -> None:
        """Prepare for the plug-ins of the given specs; no process is started yet."""
        specs = list(specs)
        self._modules: list[str] = []
        """What the fork server imports."""
        self._fresh_modules: dict[str, tuple[str, ...]] = {}
        """What a fresh interpreter imports for each plug-in that is not fork safe, by kind and name."""
        for spec in specs:
            backend = backend_class(spec)
            modules = (backend.__module__, *backend.imports_for(dict(spec.options)))
            self._add_modules("backend", backend, modules, backend.capabilities.fork_safe)
        for codec in (*(registry.codecs.get(spec.codec) for spec in specs), registry.codecs.get(RAW_CODEC)):
            self._add_modules("codec", codec, (codec.__module__, *codec.requires), codec.fork_safe)
        self._progress = SharedProgress.create()
        self._fork_server: subprocess.Popen[bytes] | None = None
        self._output = bytearray()

    def _add_modules(self, kind: str, plugin: Any, modules: tuple[str, ...], fork_safe: bool) -> None:
        if fork_safe:
            self._modules += [name for name in modules if name not in self._modules]
        else:
            self._fresh_modules[f"{kind} {plugin.name}"] = modules

    def begin_round(self) -> None:
        """Start a new fork server; the old one, if any, ends.

        Raises:
            UnavailableError: If it does not start.
        """
        for _ in range(START_TRIES):
            self._stop()
            self._start()
            if self._next_message(time.monotonic() + START_LIMIT_S) is not None:
                return
            if self._fork_server is None or self._fork_server.poll() is None:
                break
        raise UnavailableError(f"The measuring process did not start: {self._last_error_line()}")

    def _start(self) -> None:
        self._fork_server = subprocess.Popen(
            child_python.command(fork_server.__name__, str(self._progress.descriptor), *self._modules),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(self._progress.descriptor,),
            env=child_python.environment(**child_python.SINGLE_THREADED),
            # In a new session, so that only the supervisor gets the terminal's Ctrl-C.
            start_new_session=True,
            bufsize=0,
        )
        self._output.clear()
        if secrets := credentials.held():
            # Through the pipe: an environment and a command line can be read by others.
            self._send({"do": "credentials", "values": secrets})

    def run(
        self, request: TrialRequest, limit_s: float, on_progress: Callable[[int], None], cancel: Flag
    ) -> TrialOutcome:
        """Run a request in a child; see ``Executor``."""
        if self._fork_server is None or self._fork_server.poll() is not None:
            self.begin_round()
        plugins = {f"backend {request.spec.backend}", f"codec {request.spec.codec}"} & self._fresh_modules.keys()
        if plugins:
            modules = tuple(name for plugin in sorted(plugins) for name in self._fresh_modules[plugin])
            request = replace(request, modules=modules)
        self._send({"do": "run", "request": to_json(request), "limit_s": limit_s, "fresh": bool(plugins)})
        cancelled = False
        # The fork server enforces the time limit; the supervisor's own, a little later, is for one that is stuck.
        deadline = time.monotonic() + limit_s + STUCK_AFTER_S
        images = 0
        while True:
            message = self._next_message(time.monotonic() + POLL_INTERVAL_S)
            if message is not None:
                break
            if self._fork_server is None or self._fork_server.poll() is not None:
                return TrialOutcome(
                    False, f"The measuring process died: {self._last_error_line()}", cancelled=cancelled
                )
            on_progress(self._progress.images)
            if self._progress.images != images and not cancelled:
                # As in the fork server: a trial that makes progress does not hang.
                images, deadline = self._progress.images, time.monotonic() + limit_s + STUCK_AFTER_S
            if cancel.is_set() and not cancelled:
                cancelled = True
                deadline = time.monotonic() + 1.0
                self._send({"do": "kill"})
            if time.monotonic() > deadline:
                held = self._kill()
                reason = " ".join([f"Not done after {limit_s:.0f} s, nor ended when it was killed.", *held])
                return TrialOutcome(False, reason, cancelled=cancelled, hung=True)
        outcome = _outcome(message, cancelled)
        return outcome if outcome.reason is None else replace(outcome, reason=credentials.scrub(outcome.reason))

    def close(self) -> None:
        """End the fork server and its child."""
        self._stop()
        self._progress.close()

    def _send(self, message: dict[str, Any]) -> None:
        if self._fork_server is not None and self._fork_server.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._fork_server.stdin.write(json.dumps(message).encode() + b"\n")

    def _next_message(self, deadline: float) -> dict[str, Any] | None:
        """Return the fork server's next message; None if none came until ``deadline``, or its output ended."""
        if self._fork_server is None or self._fork_server.stdout is None:
            return None
        descriptor = self._fork_server.stdout.fileno()
        while (end := self._output.find(b"\n")) < 0:
            if not select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]:
                return None
            data = os.read(descriptor, 65_536)
            if not data:
                # Its output has ended: give the process a moment to end, too.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._fork_server.wait(1.0)
                return None
            self._output += data
        message: dict[str, Any] = json.loads(self._output[:end])
        del self._output[: end + 1]
        return message

    def _last_error_line(self) -> str:
        if self._fork_server is None or self._fork_server.stderr is None or self._fork_server.poll() is None:
            return "no answer."
        lines = self._fork_server.stderr.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else _exit_reason(self._fork_server.returncode)

    def _stop(self) -> None:
        if self._fork_server is None:
            return
        # The fork server ends when its input ends.
        self._close_pipes(self._fork_server)
        try:
            self._fork_server.wait(2.0)
        except subprocess.TimeoutExpired:
            self._kill()
        self._fork_server = None

    def _kill(self) -> list[str]:
        """Kill the fork server and all below it; return a sentence for each process that the kernel holds."""
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
            held = {pid: state for pid in pids if (state := wait_state(pid)) is not None}
            if not held or time.monotonic() > deadline:
                break
            time.sleep(0.01)
        return [
            f"Process {pid} is held by the kernel ({state}) and ends when the device or file system answers."
            for pid, state in held.items()
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
        values = json.loads(message["result"])
    except ValueError:
        lines = message["errors"].strip().splitlines()
        last = f" Its last words: {lines[-1]}" if lines else ""
        return TrialOutcome(False, _exit_reason(message["exit"]) + last, start=start, cancelled=cancelled)
    outcome: TrialOutcome = from_json(TrialOutcome, values)
    before, after = outcome.result.private_before, outcome.result.private_after
    result = outcome.result
    if before is not None and after is not None:
        result = replace(result, peak_private_bytes=max(0, after - before, message["peak_private"] - before))
    return replace(outcome, result=result, start=start, cancelled=cancelled)


def _exit_reason(code: int) -> str:
    if code >= 0:
        return f"The process ended with exit status {code} and no result."
    number = -code
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    return f"The process was killed by {name}{_HINTS.get(number, '')}."
