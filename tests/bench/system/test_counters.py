"""The kernel's counters agree with what the process did."""

from __future__ import annotations

import os
from pathlib import Path

from imgstore_tui.bench.system.counters import private_bytes, process_io


def test_private_memory_agrees_with_the_kernels_own_word() -> None:
    block = bytearray(os.urandom(1 << 20) * 32)
    status = Path("/proc/self/status").read_text()
    anonymous = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("RssAnon"))
    measured = private_bytes()
    assert measured is not None
    # statm counts in batches of pages per thread, so it may lag a little.
    assert abs(measured - anonymous) < 4 << 20
    del block


def test_written_bytes_are_seen(tmp_path: Path) -> None:
    before = process_io()
    (tmp_path / "file").write_bytes(bytes(1 << 20))
    after = process_io()
    assert before is not None
    assert after is not None
    assert after[1] - before[1] >= 1 << 20
