"""Holds a Dask cluster for the supervisor in a process of its own: its loops and threads stay out of the front.

It exchanges JSON lines on standard input and output and ends, with what it has started, when its input ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import sys
import threading
from typing import Any

from imgstore_tui.bench.processes.child import reason_of, write_message
from imgstore_tui.core.errors import ImgstoreError


def main() -> None:
    """Run as ``python -m imgstore_tui.bench.processes.cluster_process`` with messages on stdin."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What a library prints must not end up among the messages.
    answers = os.dup(1)
    os.dup2(2, 1)
    messages: queue.Queue[dict[str, Any]] = queue.Queue()
    cancel = threading.Event()
    threading.Thread(target=_read, args=(messages, cancel), daemon=True).start()
    first = messages.get()
    try:
        from imgstore_tui.bench.processes.cluster import Cluster

        cluster = Cluster(first["address"], first["clients"], first["folder"])
    except Exception as error:
        _send(answers, {"event": "failed", "reason": reason_of(error)})
        os._exit(1)
    try:
        _send(answers, {"event": "started"})
        _serve(cluster, messages, cancel, answers)
    finally:
        cluster.close()


def _serve(cluster: Any, messages: queue.Queue[dict[str, Any]], cancel: threading.Event, answers: int) -> None:
    workers: dict[str, Any] = {}
    while (message := messages.get())["do"] != "close":
        try:
            if message["do"] == "workers":
                workers = {
                    worker.address: worker
                    for worker in cluster.workers(message["modules"], message["token"], message["text"])
                }
                answer: dict[str, Any] = {
                    "event": "workers",
                    "workers": [
                        {
                            "address": worker.address, "machine": worker.machine, "cores": worker.cores,
                            "same_machine": worker.same_machine, "sees_scratch": worker.sees_scratch,
                        }
                        for worker in workers.values()
                    ],
                }  # fmt: skip
            else:
                cancel.clear()
                tasks = [(workers[entry["worker"]], entry["message"]) for entry in message["tasks"]]
                results = cluster.run(tasks, message["window_s"], message["limit_s"], cancel.is_set)
                answer = {"event": "round", "results": results}
        except Exception as error:
            known = isinstance(error, ImgstoreError)
            answer = {"event": "failed", "reason": reason_of(error) if known else f"The cluster: {reason_of(error)}"}
        _send(answers, answer)


def _read(messages: queue.Queue[dict[str, Any]], cancel: threading.Event) -> None:
    """Pass messages on; end the process, and with it the workers that it has started, when there are no more."""
    for line in sys.stdin.buffer:
        message = json.loads(line)
        if message["do"] == "cancel":
            cancel.set()
        else:
            messages.put(message)
    os._exit(1)


def _send(descriptor: int, message: dict[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):
        write_message(message, descriptor)
        os.write(descriptor, b"\n")


if __name__ == "__main__":
    main()
