"""The supervisor's side of the zygote: start it, hand it jobs, read a child's end from how it ended."""

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
from imgstore_tui.bench.protocol.messages import Flag, Job, Outcome
from imgstore_tui.bench.protocol.shared_progress import Board
from imgstore_tui.bench.system.processes import descendants_of, still_running
from imgstore_tui.bench.trial.source_row import backend_class
from imgstore_tui.core import child_python
from imgstore_tui.core.content import RAW_CODEC
from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.core.model import to_json
from imgstore_tui.core.spec import Spec
from imgstore_tui.plugins import registry

LISTEN_EVERY_S = 0.1
STUCK_AFTER_S = 10.0
"""So long after its limit a trial that the zygote has killed, or should have, is taken for stuck."""
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
    """Runs each job in a child process of its own, forked from a zygote that is started anew every round."""

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
        self._board = Board.create()
        self._zygote: subprocess.Popen[bytes] | None = None
        self._output = bytearray()

    def _note(self, kind: str, plugin: Any, fork_safe: bool) -> None:
        modules = (plugin.__module__, *plugin.requires)
        if fork_safe:
            self._modules += [name for name in modules if name not in self._modules]
        else:
            self._fresh[f"{kind} {plugin.name}"] = modules

    def begin_round(self) -> None:
        """Start a new zygote; the old one, if any, ends."""
        for _ in range(START_TRIES):
            self._stop()
            self._start()
            if self._next_message(time.monotonic() + START_LIMIT_S) is not None:
                return
            if self._zygote is None or self._zygote.poll() is None:
                break
        raise UnavailableError(f"The measuring process did not start: {self._last_words()}")

    def _start(self) -> None:
        self._zygote = subprocess.Popen(
            child_python.command(fork_server.__name__, str(self._board.descriptor), *self._modules),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(self._board.descriptor,),
            env=child_python.environment(**_SINGLE_THREADED),
            # A session of its own: the terminal's Ctrl-C is the supervisor's to judge.
            start_new_session=True,
            bufsize=0,
        )
        self._output.clear()

    def run(self, job: Job, limit_s: float, on_progress: Callable[[int], None], cancel: Flag) -> Outcome:
        """Run a job in a child; see ``Executor``."""
        if self._zygote is None or self._zygote.poll() is not None:
            self.begin_round()
        own = {f"backend {job.spec.backend}", f"codec {job.spec.codec}"} & self._fresh.keys()
        fresh = bool(own)
        if fresh:
            job = replace(job, modules=tuple(name for plugin in sorted(own) for name in self._fresh[plugin]))
        self._tell({"do": "run", "job": to_json(job), "limit_s": limit_s, "fresh": fresh})
        cancelled = False
        # The zygote keeps the time limit; the supervisor's own, a little later, is for a zygote that is stuck.
        deadline = time.monotonic() + limit_s + STUCK_AFTER_S
        images = 0
        while True:
            message = self._next_message(time.monotonic() + LISTEN_EVERY_S)
            if message is not None:
                break
            if self._zygote is None or self._zygote.poll() is not None:
                return Outcome(False, f"The measuring process died: {self._last_words()}", cancelled=cancelled)
            on_progress(self._board.images)
            if self._board.images != images and not cancelled:
                # As the zygote sees it: what moves does not hang.
                images, deadline = self._board.images, time.monotonic() + limit_s + STUCK_AFTER_S
            if cancel.is_set() and not cancelled:
                cancelled = True
                deadline = time.monotonic() + 1.0
                self._tell({"do": "kill"})
            if time.monotonic() > deadline:
                held = self._kill()
                reason = " ".join([f"Not done after {limit_s:.0f} s, nor ended when it was killed.", *held])
                return Outcome(False, reason, cancelled=cancelled, hung=True)
        return _outcome(message, cancelled)

    def close(self) -> None:
        """End the zygote and its child."""
        self._stop()
        self._board.close()

    def _tell(self, message: dict[str, Any]) -> None:
        if self._zygote is not None and self._zygote.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._zygote.stdin.write(json.dumps(message).encode() + b"\n")

    def _next_message(self, deadline: float) -> dict[str, Any] | None:
        if self._zygote is None or self._zygote.stdout is None:
            return None
        descriptor = self._zygote.stdout.fileno()
        while (end := self._output.find(b"\n")) < 0:
            if not select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]:
                return None
            data = os.read(descriptor, 65_536)
            if not data:
                # Its output has ended: give the process the moment it needs to be gone.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._zygote.wait(1.0)
                return None
            self._output += data
        message: dict[str, Any] = json.loads(self._output[:end])
        del self._output[: end + 1]
        return message

    def _last_words(self) -> str:
        if self._zygote is None or self._zygote.stderr is None or self._zygote.poll() is None:
            return "no answer."
        lines = self._zygote.stderr.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else _exit_reason(self._zygote.returncode)

    def _stop(self) -> None:
        if self._zygote is None:
            return
        # It ends when its input does.
        self._close_pipes(self._zygote)
        try:
            self._zygote.wait(2.0)
        except subprocess.TimeoutExpired:
            self._kill()
        self._zygote = None

    def _kill(self) -> list[str]:
        """Kill the zygote and all below it; return a sentence for each process that the kernel does not let go."""
        process, self._zygote = self._zygote, None
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


def _outcome(message: dict[str, Any], cancelled: bool) -> Outcome:
    start = message["start"]
    if message["ended_by_us"] == "limit":
        return Outcome(False, f"Not done after {message['limit_s']:.0f} s, killed.", start=start, hung=True)
    if message["ended_by_us"] == "cancel":
        return Outcome(False, "Stopped by the user.", start=start, cancelled=True)
    try:
        result = json.loads(message["result"])
    except ValueError:
        lines = message["errors"].strip().splitlines()
        last = f" Its last words: {lines[-1]}" if lines else ""
        return Outcome(False, _exit_reason(message["exit"]) + last, start=start, cancelled=cancelled)
    fields = result["fields"]
    before, after = fields.pop("private_before", None), fields.pop("private_after", None)
    if before is not None and after is not None:
        fields["peak_private_bytes"] = max(0, after - before, message["peak_private"] - before)
    return Outcome(result["ok"], result["reason"], fields, start, cancelled, result.get("skipped", False))


def _exit_reason(code: int) -> str:
    if code >= 0:
        return f"The process ended with exit status {code} and no result."
    number = -code
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    return f"The process was killed by {name}{_HINTS.get(number, '')}."
