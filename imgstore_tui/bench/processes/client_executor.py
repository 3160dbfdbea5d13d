"""Runs the clients of a round: starts the process that holds the cluster, sends it requests, reads what comes back."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from imgstore_tui.bench.processes import cluster_process
from imgstore_tui.bench.protocol.client_messages import ClientFigures, ClientOutcome, ClientRequest, ClusterWorker
from imgstore_tui.bench.protocol.messages import Flag
from imgstore_tui.bench.system.processes import descendants_of
from imgstore_tui.core import credentials
from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.core.json_values import from_json, to_json
from imgstore_tui.core.units import counted
from imgstore_tui.storekit import child_python

_START_S = 90.0
_POLL_S = 0.1
_CANCEL_S = 1.0
"""Time that a cluster has to end the clients of a round that is stopped."""
_CLOSE_S = 8.0


class ClientExecutor:
    """Runs each client in a process of its own, on workers of a Dask cluster; see ``ClientRunner``."""

    def __init__(self, address: str | None, most: int, folder: Path, modules: Sequence[str]) -> None:
        """Prepare; no process is started yet.

        Args:
            address: Address of a scheduler; None to start a cluster on this machine.
            most: Most clients of a round: as many workers are started.
            folder: Folder of the run for what the cluster keeps; made when it is needed.
            modules: Import names of the libraries that clients use: imported before they get ready, and of one version
                everywhere.
        """
        self._address = address
        self._most = most
        self._folder = folder
        self._modules = list(modules)
        self._process: subprocess.Popen[bytes] | None = None
        self._output = bytearray()
        self._workers: tuple[ClusterWorker, ...] = ()

    def start(self, clients: int, cancel: Flag) -> tuple[ClusterWorker, ...]:
        """Start or reach the workers of a round; see ``ClientRunner``."""
        if self._process is None or self._process.poll() is not None:
            self._start(cancel)
        token, text = self._folder / "token", uuid.uuid4().hex
        token.write_text(text, encoding="ascii")
        try:
            question = {"do": "workers", "modules": self._modules, "token": str(token), "text": text}
            answer = self._ask(question, _START_S, cancel)
        finally:
            token.unlink()
        workers: list[ClusterWorker] = [from_json(ClusterWorker, values) for values in answer["workers"]]
        if len(workers) < clients:
            where = self._address or "The cluster on this machine"
            raise UnavailableError(
                f"{where} has {counted(len(workers), 'worker')} and {clients} clients need one each. Start more, or "
                "ask for fewer --clients."
            )
        self._workers = tuple(workers)
        return self._workers

    def _start(self, cancel: Flag) -> None:
        self._folder.mkdir(exist_ok=True)
        self._output.clear()
        self._process = subprocess.Popen(
            child_python.command(cluster_process.__name__),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=child_python.environment(),
            # In a new session, so that only the supervisor gets the terminal's Ctrl-C.
            start_new_session=True,
            bufsize=0,
        )
        self._ask(
            {"do": "start", "address": self._address, "clients": self._most, "folder": str(self._folder)},
            _START_S,
            cancel,
        )

    def run(self, requests: tuple[ClientRequest, ...], limit_s: float, cancel: Flag) -> tuple[ClientOutcome, ...]:
        """Run one client for each request; see ``ClientRunner``."""
        workers = self._workers[: len(requests)]
        secrets = credentials.held() if self._is_private else {}
        tasks = [
            {
                "worker": worker.address,
                "message": {"request": to_json(request), "credentials": secrets, "modules": self._modules},
            }
            for request, worker in zip(requests, workers, strict=True)
        ]
        window_s = max(request.window_s for request in requests)
        message = {"do": "round", "tasks": tasks, "window_s": window_s, "limit_s": limit_s}
        try:
            answer = self._ask(message, 3 * limit_s + 2 * window_s + _START_S, cancel)
        except UnavailableError as error:
            if cancel.is_set():
                return ()
            reason = credentials.scrub(str(error))
            return tuple(
                ClientOutcome(request.number, worker.machine, reason=reason)
                for request, worker in zip(requests, workers, strict=True)
            )
        if cancel.is_set():
            return ()
        results = zip(requests, answer["results"], strict=True)
        return tuple(_outcome(request.number, result) for request, result in results)

    @property
    def _is_private(self) -> bool:
        """Whether nobody on the way to the workers can read what they are sent."""
        address = self._address
        return address is None or address.startswith(("tls://", "tcp://127.0.0.1:", "tcp://localhost:"))

    def _ask(self, message: dict[str, Any], limit_s: float, cancel: Flag) -> dict[str, Any]:
        """Send a message and return the answer to it.

        Raises:
            UnavailableError: With the reason that the cluster gives, or that it does not answer any more.
        """
        self._send(message)
        deadline = time.monotonic() + limit_s
        cancelled = False
        while (answer := self._next_message(_POLL_S)) is None:
            if self._process is None or self._process.poll() is not None:
                raise UnavailableError("The process that holds the cluster died.")
            if cancel.is_set() and not cancelled:
                cancelled = True
                self._send({"do": "cancel"})
                deadline = time.monotonic() + _CANCEL_S
            if time.monotonic() > deadline:
                self._kill()
                raise UnavailableError(f"The cluster did not answer within {limit_s:.0f} s.")
        if cancelled:
            self._kill()  # to be asked to leave takes it seconds, and who stops a run does not wait
        if answer["event"] == "failed":
            raise UnavailableError(answer["reason"])
        return answer

    def _send(self, message: dict[str, Any]) -> None:
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(json.dumps(message).encode() + b"\n")

    def _next_message(self, wait_s: float) -> dict[str, Any] | None:
        if self._process is None or self._process.stdout is None:
            return None
        if (end := self._output.find(b"\n")) < 0:
            descriptor = self._process.stdout.fileno()
            if select.select([descriptor], [], [], wait_s)[0]:
                data = os.read(descriptor, 65_536)
                if not data:
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        self._process.wait(1.0)
                self._output += data
            end = self._output.find(b"\n")
        if end < 0:
            return None
        message: dict[str, Any] = json.loads(self._output[:end])
        del self._output[: end + 1]
        return message

    def close(self) -> None:
        """End the process that holds the cluster, and all that it has started."""
        if self._process is None:
            return
        self._send({"do": "close"})
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_CLOSE_S)
        self._kill()

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        left = descendants_of(process.pid)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def _outcome(number: int, result: dict[str, Any]) -> ClientOutcome:
    figures: ClientFigures | None = from_json(ClientFigures, result["figures"]) if result["event"] == "done" else None
    reason = result.get("reason")
    return ClientOutcome(
        number,
        result["machine"],
        figures,
        None if reason is None else credentials.scrub(reason),
        skipped=bool(result.get("skipped")),
        clock_offset_s=result["clock_offset_s"],
        clock_uncertainty_s=result["clock_uncertainty_s"],
    )
