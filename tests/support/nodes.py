"""Runs a server for one program: it ends, and its folder goes, with that program, however that ends.

``python -m tests.support.nodes PROCESS FOLDER`` waits for the end of the process, then ends whatever works in the
folder and removes it. It is no child's child of the program: a kill of the program's process group spares it.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from imgstore_tui.jobs.servers.node import PREFIX, Node
from imgstore_tui.jobs.servers.recipe import ServerRecipe

_LOOKS = 100
_LOOK_AGAIN_S = 0.05


@contextlib.contextmanager
def running_node(recipe: ServerRecipe, *, fast: bool = False, password: str | None = None) -> Iterator[Node]:
    """Start a node that this program may stop, kill and start again; stop and remove it in the end."""
    watchers: list[subprocess.Popen[bytes]] = []

    def watch(folder: Path) -> None:
        words = [sys.executable, "-m", "tests.support.nodes", str(os.getpid()), str(folder)]
        watchers.append(
            subprocess.Popen(words, cwd=Path(__file__).parents[2], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, start_new_session=True)
        )  # fmt: skip

    try:
        node = Node(recipe, fast=fast, password=password, claim=watch)
        try:
            node.start()
            yield node
        finally:
            node.stop()
            node.remove()
    finally:
        for watcher in watchers:
            watcher.kill()
            watcher.wait()


def processes_in(folder: Path) -> list[int]:
    """Return the processes whose working folder is one or below it."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (entry / "cwd").readlink().is_relative_to(folder):
                found.append(int(entry.name))
    return found


def main(process: int, folder: Path) -> None:
    """Wait for the end of a process, then end what works in a folder, and remove that."""
    with contextlib.suppress(ProcessLookupError):
        poll = select.poll()
        poll.register(os.pidfd_open(process), select.POLLIN)
        poll.poll()
    for _ in range(_LOOKS):
        for pid in processes_in(folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(_LOOK_AGAIN_S)


if __name__ == "__main__":
    target = Path(sys.argv[2])
    if target.name.startswith(PREFIX):
        main(int(sys.argv[1]), target)
