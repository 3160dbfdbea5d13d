from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from imgstore_tui.bench.system.counters import private_bytes, process_io
from imgstore_tui.bench.system.page_cache import resident_share
from imgstore_tui.bench.trial.clock import Clock


def test_phases_add_up_and_gaps_do_not_count() -> None:
    clock = Clock()
    clock.start()
    time.sleep(0.01)
    clock.lap("open")
    time.sleep(0.02)
    clock.lap("storage")
    clock.stop()
    time.sleep(0.05)
    clock.start()
    time.sleep(0.01)
    clock.lap("storage")
    clock.stop()
    sample = clock.take_sample()
    assert sample.seconds == pytest.approx(sum(sample.phases.values()), abs=1e-12)
    assert sample.phases["open"] >= 0.01
    assert sample.phases["storage"] >= 0.03
    assert clock.elapsed_s >= sample.seconds + 0.05
    assert clock.take_sample().phases == {}


def test_cpu_of_gaps_does_not_count() -> None:
    clock = Clock()
    clock.start()
    clock.lap("open")
    clock.stop()
    sum(number * number for number in range(2_000_000))
    clock.start()
    clock.lap("close")
    clock.stop()
    assert clock.cpu_user_s + clock.cpu_system_s < 0.02


def test_private_memory_agrees_with_the_kernels_own_word() -> None:
    block = bytearray(os.urandom(1 << 20) * 32)
    status = Path("/proc/self/status").read_text()
    anonymous = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("RssAnon"))
    found = private_bytes()
    assert found is not None
    # statm counts in batches of pages per thread, so it may lag a little.
    assert abs(found - anonymous) < 4 << 20
    del block


def test_written_bytes_are_seen(tmp_path: Path) -> None:
    before = process_io()
    (tmp_path / "file").write_bytes(bytes(1 << 20))
    after = process_io()
    assert before is not None
    assert after is not None
    assert after[1] - before[1] >= 1 << 20


def test_residency_agrees_with_fincore(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(64 * 4096))
    assert resident_share([path]) == 1.0
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 32 * 4096, os.POSIX_FADV_DONTNEED)
    share = resident_share([path])
    try:
        listed = subprocess.run(
            ["fincore", "-nb", "-o", "PAGES", str(path)], capture_output=True, text=True, check=True
        )
    except FileNotFoundError:
        pytest.skip("fincore is not installed (apt-get install util-linux-extra)")
    assert share == int(listed.stdout) / 64


def test_residency_of_nothing_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert resident_share([]) is None
    assert resident_share([tmp_path / "empty"]) is None
    assert resident_share([tmp_path / "missing"]) is None
