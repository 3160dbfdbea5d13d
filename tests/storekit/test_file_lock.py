"""A lock keeps other holders out until its descriptor is closed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from imgstore_tui.storekit.file_lock import lock, try_lock


def opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    first, second = opened(tmp_path / "lock"), opened(tmp_path / "lock")
    assert try_lock(first)
    assert not try_lock(second)
    assert not try_lock(second, shared=True)
    os.close(first)
    assert try_lock(second)
    os.close(second)


def test_shared_holders_keep_an_exclusive_one_out(tmp_path: Path) -> None:
    descriptors = [opened(tmp_path / "lock") for _ in range(3)]
    assert try_lock(descriptors[0], shared=True)
    assert try_lock(descriptors[1], shared=True)
    assert not try_lock(descriptors[2])
    for descriptor in descriptors:
        os.close(descriptor)


def test_the_lock_of_a_process_that_ends_is_waited_for_and_gained(tmp_path: Path) -> None:
    code = (
        "import os, sys; from imgstore_tui.storekit.file_lock import lock; "
        "lock(os.open(sys.argv[1], os.O_RDWR)); print('held', flush=True); sys.stdin.read()"
    )
    own = opened(tmp_path / "lock")
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == b"held\n"
        assert not try_lock(own)
        holder.kill()
        lock(own)
    other = opened(tmp_path / "lock")
    assert not try_lock(other)
    os.close(own)
    os.close(other)
