"""Several reading processes on one clock: what a data loader with N workers does."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
from collections.abc import Callable, Sequence

from imgstore_tui.bench.system.processes import die_with_parent
from imgstore_tui.bench.trial.clock import Clock
from imgstore_tui.core.errors import StoreError

Batches = Sequence[Sequence[int]]


def read_in_processes(
    workers: int, batches: Batches, prepare: Callable[[], Callable[[Batches, Clock], None]], clock: Clock
) -> None:
    """Read every ``workers``-th batch in a process of its own, all at once.

    The processes are there and wait before the clock starts; it stops when the last has said that it is done. Wall
    time is on the clock as ``storage``; the phases that count are the workers' own seconds, added up.

    Args:
        workers: How many processes.
        batches: The ids of each call.
        prepare: Called in each process before it is ready; returns what opens the store, reads some batches and closes
            it, with phases on the clock that it is given.
        clock: Gets wall time and worker-seconds.

    Raises:
        StoreError: If a worker failed.
    """
    go_read, go_write = os.pipe()
    results: dict[int, bytearray] = {}
    pids = []
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    parent = os.getpid()
    for number in range(workers):
        result_read, result_write = os.pipe()
        pid = os.fork()
        if pid == 0:
            die_with_parent(parent)
            os.close(go_write)
            _work(go_read, result_write, batches[number::workers], prepare)
        os.close(result_write)
        results[result_read] = bytearray()
        pids.append(pid)
    os.close(go_read)
    for descriptor in results:
        os.read(descriptor, 1)
    clock.start()
    os.close(go_write)
    waiting = set(results)
    while waiting:
        for descriptor in select.select(list(waiting), [], [])[0]:
            data = os.read(descriptor, 65_536)
            results[descriptor] += data
            if not data:
                waiting.remove(descriptor)
    clock.lap("storage")
    clock.stop()
    for pid in pids:
        os.waitpid(pid, 0)
    for descriptor in results:
        os.close(descriptor)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    clock.cpu_user_s += after.ru_utime - usage.ru_utime
    clock.cpu_system_s += after.ru_stime - usage.ru_stime
    for result in results.values():
        _collect(bytes(result), clock)


def _work(
    go_read: int, result_write: int, batches: Batches, prepare: Callable[[], Callable[[Batches, Clock], None]]
) -> None:
    """Be a worker: ready, wait, read, say the phases, end."""
    own = Clock()
    read = prepare()
    os.write(result_write, b"r")
    # The go is the end of the pipe: it wakes all workers at once.
    os.read(go_read, 1)
    try:
        if batches:
            read(batches, own)
        answer = {
            "phases": own.phases, "read": own.io_read_bytes, "dirtied": own.io_dirtied_bytes, "reason": None,
            "requests": own.requests, "retries": own.retries,
        }  # fmt: skip
    except Exception as error:
        answer = {"reason": f"A reading process failed. {error}"}
    with contextlib.suppress(OSError):
        os.write(result_write, json.dumps(answer).encode())
    os._exit(0)


def _collect(result: bytes, clock: Clock) -> None:
    if not result:
        raise StoreError("A reading process died.")
    answer = json.loads(result)
    if answer["reason"] is not None:
        raise StoreError(answer["reason"])
    for phase, taken in answer["phases"].items():
        clock.count_worker(phase, taken)
    clock.io_read_bytes += answer["read"]
    clock.io_dirtied_bytes += answer["dirtied"]
    clock.count_requests(answer["requests"], answer["retries"])
