"""Reads with several processes on one clock, as a data loader with N workers does."""

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
from imgstore_tui.core.operations import Operation

Batches = Sequence[Sequence[int]]
IN_PROCESSES = (Operation.READ_MANY, Operation.READ_RANDOM)
"""Operations that several processes share."""


def read_in_processes(
    workers: int, batches: Batches, prepare: Callable[[], Callable[[Batches, Clock], None]], clock: Clock
) -> None:
    """Read batches in several processes at once, each every ``workers``-th one.

    The processes are ready and wait before the clock starts; it stops when the last is done. Wall time is on the clock
    as ``storage``; the phases that count are the sums of the workers' own seconds.

    Args:
        workers: Number of processes.
        batches: The ids of each call.
        prepare: Called in each process before it is ready; returns a function that opens the store, reads its batches
            and closes the store, with phases on its own clock.
        clock: Gets the wall time and the workers' seconds.

    Raises:
        StoreError: If a worker failed.
    """
    start_read, start_write = os.pipe()
    results: dict[int, bytearray] = {}
    pids = []
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    parent = os.getpid()
    for number in range(workers):
        result_read, result_write = os.pipe()
        pid = os.fork()
        if pid == 0:
            die_with_parent(parent)
            os.close(start_write)
            _work(start_read, result_write, batches[number::workers], prepare)
        os.close(result_write)
        results[result_read] = bytearray()
        pids.append(pid)
    os.close(start_read)
    for descriptor in results:
        os.read(descriptor, 1)
    clock.start()
    os.close(start_write)
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


def in_own_process(act: Callable[[], None]) -> None:
    """Do something in a forked process and wait for its end: threads that a library starts do not survive a fork.

    Raises:
        StoreError: If it failed.
    """
    result_read, result_write = os.pipe()
    parent, pid = os.getpid(), os.fork()
    if pid == 0:
        die_with_parent(parent)
        reason = ""
        try:
            act()
        except Exception as error:
            reason = str(error) or type(error).__name__
        os.write(result_write, reason.encode() or b"\0")
        os._exit(0)
    os.close(result_write)
    with open(result_read, "rb") as result:
        reply = result.read()
    os.waitpid(pid, 0)
    if reply != b"\0":
        raise StoreError(reply.decode() or "A process that prepared the trial died.")


def _work(
    start_read: int, result_write: int, batches: Batches, prepare: Callable[[], Callable[[Batches, Clock], None]]
) -> None:
    """Run a worker: report ready, wait for the start, read, report the phases, end."""
    clock = Clock()
    read = prepare()
    os.write(result_write, b"r")
    # The start is the end of the pipe: it wakes all workers at once.
    os.read(start_read, 1)
    try:
        if batches:
            read(batches, clock)
        report = {
            "phases": clock.phases, "read": clock.io_read_bytes, "dirtied": clock.io_dirtied_bytes, "reason": None,
            "requests": clock.requests, "retries": clock.retries,
        }  # fmt: skip
    except Exception as error:
        report = {"reason": f"A reading process failed. {error}"}
    with contextlib.suppress(OSError):
        os.write(result_write, json.dumps(report).encode())
    os._exit(0)


def _collect(result: bytes, clock: Clock) -> None:
    if not result:
        raise StoreError("A reading process died.")
    report = json.loads(result)
    if report["reason"] is not None:
        raise StoreError(report["reason"])
    for phase, nanoseconds in report["phases"].items():
        clock.count_worker(phase, nanoseconds)
    clock.io_read_bytes += report["read"]
    clock.io_dirtied_bytes += report["dirtied"]
    clock.count_requests(report["requests"], report["retries"])
