"""What a child writes into the shared memory, its parent reads."""

from __future__ import annotations

import os

from imgstore_tui.bench.protocol.shared_progress import SharedProgress


def test_a_child_writes_what_its_parent_reads() -> None:
    progress = SharedProgress.create()
    assert (progress.images, progress.measuring) == (0, False)
    pid = os.fork()
    if pid == 0:
        progress.report(2**40)
        progress.set_measuring(True)
        os._exit(0)
    os.waitpid(pid, 0)
    assert (progress.images, progress.measuring) == (2**40, True)
    progress.clear()
    assert (progress.images, progress.measuring) == (0, False)
    progress.close()


def test_a_descriptor_is_enough_to_share_it() -> None:
    progress = SharedProgress.create()
    other = SharedProgress(os.dup(progress.descriptor))
    other.report(7)
    assert progress.images == 7
    other.close()
    progress.report(8)
    assert progress.images == 8
    progress.close()
