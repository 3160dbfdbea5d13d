"""Starts or reaches a Dask cluster, and starts the clients of a round on its workers at one instant.

The only module that imports Dask. Dask places, arms, starts and collects: what is timed runs in a child process of a
worker, so that Dask's threads do not share its interpreter, and nothing is sent while clocks run.
"""

from __future__ import annotations

import contextlib
import json
import logging
import time
import uuid
from collections.abc import Callable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import dask
from distributed import Client, Event, Future, LocalCluster, Variable, get_worker, wait
from distributed.security import Security

from imgstore_tui.bench.processes.client_process import ClientProcess, environment_of_trials, make_pictures
from imgstore_tui.bench.processes.worker_facts import WorkerFacts, describe_worker, versions_of, wall_clock
from imgstore_tui.core.errors import UnavailableError

_LOOPBACK = "127.0.0.1"
_LEAD_S = 0.5
"""Time from the announcement of the instant to the instant: it must have reached every client by then."""
_CLOCK_LOOKS = 9
_SAME_CLOCK_S = 0.005
"""Difference of the clocks of one machine that is an error of its measurement."""
_POLL_S = 0.1
_CONNECT_S = 10
_READY_S = 60.0
_GRACE_S = 3.0
"""Time after the window in which a client that ended must have answered before its worker is looked for."""
_COMPARED = ("python", "dask", "distributed", "msgpack", "cloudpickle", "tornado", "numpy")
"""Packages that must have one version everywhere, beside our own and those that read the stores."""
_SETTINGS: dict[str, Any] = {
    # A client belongs to its worker: it is neither moved nor run again inside another's timing.
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.active-memory-manager.start": False,
    # Nothing watches, samples or ticks while clocks run.
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.admin.tick.interval": "10s",
    "distributed.admin.tick.limit": "60s",
    "distributed.comm.timeouts.connect": f"{_CONNECT_S}s",
    # No code from elsewhere: what a file of settings may name is not loaded.
    "distributed.scheduler.preload": [],
    "distributed.worker.preload": [],
    "distributed.nanny.preload": [],
    "distributed.client.preload": [],
}


class Cluster:
    """A cluster that this process has started, or that it has reached at an address."""

    def __init__(self, address: str | None, clients: int, folder: str) -> None:
        """Start a cluster on loopback, or reach one.

        Args:
            address: Address of a scheduler; None to start one with workers on this machine.
            clients: How many workers are needed.
            folder: Folder for what the workers of a cluster that is started keep.

        Raises:
            UnavailableError: If it does not start or answer in time.
        """
        self._local: Any = None
        dask.config.set(_SETTINGS)
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        try:
            if address is None:
                # Encrypted on loopback, too: who reaches a scheduler without it can run code as this user.
                self._local = LocalCluster(
                    n_workers=clients, threads_per_worker=1, processes=True, host=_LOOPBACK, dashboard_address=None,
                    worker_dashboard_address=None, memory_limit=None, local_directory=folder, security=True,
                    silence_logs=logging.CRITICAL,
                )  # fmt: skip
                self._client: Any = Client(self._local, timeout=_CONNECT_S)
            else:
                security = Security(require_encryption=True) if address.startswith("tls://") else None
                self._client = Client(address, timeout=_CONNECT_S, security=security)
        except Exception as error:
            where = "The cluster on this machine did not start" if address is None else f"{address} does not answer"
            raise UnavailableError(f"{where}: {_first_line(error)}") from None
        with contextlib.suppress(Exception):
            self._client.wait_for_workers(clients, timeout=_CONNECT_S if address is None else 2)

    def workers(self, modules: Sequence[str], token: str, text: str) -> list[WorkerFacts]:
        """Ask all workers that are there now what they are, those of each machine in turn.

        Args:
            modules: Import names of the libraries whose versions count.
            token: Path of a file that the run has written.
            text: What it holds.

        Raises:
            UnavailableError: If one lacks this program, or has other versions than this process.
        """
        replies: dict[str, Any] = self._client.run(describe_worker, list(modules), token, text, on_error="return")
        facts = []
        for address, reply in sorted(replies.items()):
            if isinstance(reply, BaseException):
                raise UnavailableError(f"The worker {address} cannot run clients: {_first_line(reply)}")
            facts.append(WorkerFacts(address=address, **reply))
        self._check_versions(facts, versions_of(modules))
        machines: dict[str, list[WorkerFacts]] = {}
        for worker in facts:
            machines.setdefault(worker.boot + worker.machine, []).append(worker)
        return [worker for row in zip_longest(*machines.values()) for worker in row if worker is not None]

    def _check_versions(self, workers: Sequence[WorkerFacts], own: dict[str, str]) -> None:
        for worker in workers:
            for name, version in own.items():
                _check_same(f"the worker {worker.address} on {worker.machine}", name, worker.versions[name], version)
        versions = self._client.get_versions(check=False)
        ours = versions["client"]["packages"]
        others = {"the scheduler": versions["scheduler"]}
        others |= {f"the worker {address}": entry for address, entry in versions["workers"].items()}
        for where, entry in others.items():
            for name in _COMPARED:
                if name in ours and entry:
                    _check_same(where, name, str(entry["packages"].get(name)), str(ours[name]))

    def clock_offset(self, worker: WorkerFacts) -> tuple[float, float]:
        """Return how far the clock of a worker is before that of this process, and how uncertain that is, seconds.

        By the quickest of several looks, which took the same time there and back within its round trip.
        Source: F. Cristian, "Probabilistic clock synchronization", Distributed Computing 3 (1989).
        """
        looks = []
        for _ in range(_CLOCK_LOOKS):
            before, began = time.time(), time.perf_counter()
            there: float = self._client.run(wall_clock, workers=[worker.address])[worker.address]
            round_trip = time.perf_counter() - began
            looks.append((round_trip, there - (before + round_trip / 2)))
        round_trip, offset = min(looks)
        return offset, round_trip / 2

    def run(
        self, tasks: Sequence[tuple[WorkerFacts, dict[str, Any]]], window_s: float, limit_s: float,
        cancelled: Callable[[], bool],
    ) -> list[dict[str, Any]]:  # fmt: skip
        """Run one client on each of several workers from one instant on.

        Args:
            tasks: Worker and message of each client, see ``run_client``.
            window_s: Seconds for which the clients go on; 0 for a fixed amount of work.
            limit_s: Seconds that a client may take to be ready, and then beyond its window.
            cancelled: Returns whether the round is to end now.

        Returns:
            The last message of each client, in their order, with its ``machine``.
        """
        name = f"imgstore-tui-{uuid.uuid4().hex}"
        clocks = [self.clock_offset(worker) for worker, _ in tasks]
        # On one machine all read the same clock: the error of looking at it would only hurt.
        offsets = [
            None if worker.same_machine and abs(offset) <= uncertainty + _SAME_CLOCK_S else offset
            for (worker, _), (offset, uncertainty) in zip(tasks, clocks, strict=True)
        ]
        futures = [
            self._client.submit(
                run_client, name, number, json.dumps(message), offsets[number] or 0.0, limit_s, window_s,
                workers=[worker.address], allow_other_workers=False, pure=False, retries=0, key=f"{name}-{number}",
            )
            for number, (worker, message) in enumerate(tasks)
        ]  # fmt: skip
        go = Variable(f"{name}-go", client=self._client)
        try:
            ready = self._wait_ready(name, futures, limit_s, cancelled)
            go.set(time.time() + _LEAD_S if ready else None)
            self._wait_done([worker for worker, _ in tasks], futures, window_s, limit_s, cancelled)
            return [
                {
                    **_reply(future, worker), "machine": worker.machine, "clock_offset_s": offset,
                    "clock_uncertainty_s": None if offset is None else clock[1],
                }
                for future, (worker, _), offset, clock in zip(futures, tasks, offsets, clocks, strict=True)
            ]  # fmt: skip
        finally:
            self._client.cancel(futures, force=True)
            with contextlib.suppress(Exception):
                go.delete()

    def _wait_ready(self, name: str, futures: Sequence[Any], limit_s: float, cancelled: Callable[[], bool]) -> bool:
        """Wait until all clients are ready; return whether they are."""
        deadline = time.monotonic() + limit_s
        for number, future in enumerate(futures):
            ready = Event(f"{name}-ready-{number}", client=self._client)
            while not ready.wait(timeout=_POLL_S):
                if cancelled() or future.done() or time.monotonic() > deadline:
                    return False
        return not any(future.done() for future in futures)

    def _wait_done(
        self, workers: Sequence[WorkerFacts], futures: Sequence[Any], window_s: float, limit_s: float,
        cancelled: Callable[[], bool],
    ) -> None:  # fmt: skip
        """Wait until every client has ended, or its worker is gone."""
        began = time.monotonic()
        asked = _LEAD_S + window_s + _GRACE_S
        while not cancelled():
            with contextlib.suppress(TimeoutError):
                wait(futures, timeout=_POLL_S)  # what this process knows: nothing is asked of the scheduler
                return
            passed = time.monotonic() - began
            if passed > window_s + 2 * limit_s:
                return
            if passed > asked:
                # Where the scheduler would run a client again, it waits for ever for a worker that is gone.
                there = self._client.scheduler_info(n_workers=-1)["workers"]
                pairs = zip(futures, workers, strict=True)
                if all(future.done() or worker.address not in there for future, worker in pairs):
                    return
                asked = passed + _GRACE_S

    def close(self) -> None:
        """Leave the cluster; end it if this process has started it."""
        with contextlib.suppress(Exception):
            self._client.close(timeout=2)
        if self._local is not None:
            with contextlib.suppress(Exception):
                self._local.close(timeout=5)


def _check_same(where: str, name: str, version: str, own: str) -> None:
    if version != own:
        raise UnavailableError(
            f"{name} is {version} on {where} and {own} here: their figures do not belong together. "
            "Install the same everywhere."
        )


def _reply(future: Future, worker: WorkerFacts) -> dict[str, Any]:
    """Return the last message of a client, or why there is none."""
    if future.status == "finished":
        message: dict[str, Any] = json.loads(future.result())
        return message
    if future.status == "error":
        return {"event": "failed", "reason": f"Its worker {worker.address} on {worker.machine} died."}
    return {"event": "failed", "reason": f"Its worker {worker.address} on {worker.machine} is gone, or did not answer."}


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{(lines or [type(error).__name__])[0].rstrip('.')}."


def run_client(name: str, number: int, message: str, offset_s: float, limit_s: float, window_s: float) -> str:
    """Run a client in a child process of this worker.

    Args:
        name: Name of the round.
        number: Number of the client.
        message: What the child is to do, as JSON.
        offset_s: How far the clock here is before that of the run.
        limit_s: Seconds that it may take to be ready, and then beyond its window.
        window_s: Seconds for which it goes on.

    Returns:
        The last message of the child, as JSON.
    """
    worker = get_worker()
    key = worker.get_current_task()

    def is_wanted() -> bool:
        task = worker.state.tasks.get(key)
        return task is not None and task.state == "executing"

    environment = environment_of_trials(dask.config.get("distributed.nanny.pre-spawn-environ", {}))
    if (data := json.loads(message)["request"]["data"]) is not None:
        pictures, reason = make_pictures(data, Path(worker.local_directory), limit_s, environment)
        if reason:
            return json.dumps({"event": "failed", "reason": reason})
        values = json.loads(message)
        values["request"]["trial"]["pixel_cache"] = str(pictures)
        message = json.dumps(values)
    with ClientProcess(message, environment) as child:
        reply = child.receive(limit_s, is_wanted)
        if reply["event"] != "ready":
            return json.dumps(reply)
        Event(f"{name}-ready-{number}").set()
        at = _agreed_instant(name, limit_s, is_wanted)
        if at is None:
            return json.dumps({"event": "failed", "reason": "Not run, because another client did not get ready."})
        child.send(json.dumps({"at": at + offset_s}))
        return json.dumps(child.receive(_LEAD_S + window_s + limit_s, is_wanted))


def _agreed_instant(name: str, limit_s: float, is_wanted: Callable[[], bool]) -> float | None:
    """Wait for the instant at which all clients start; None if they do not."""
    deadline = time.monotonic() + limit_s
    while is_wanted() and time.monotonic() < deadline:
        with contextlib.suppress(TimeoutError):
            instant: float | None = Variable(f"{name}-go").get(timeout=2)
            return instant
    return None
