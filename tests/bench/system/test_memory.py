from __future__ import annotations

from pathlib import Path

from imgstore_tui.bench.system.memory import available_bytes


def test_what_is_available_is_no_more_than_the_machine_has() -> None:
    tokens = Path("/proc/meminfo").read_text().split()
    available = available_bytes()
    assert available is not None
    assert 0 < available <= int(tokens[tokens.index("MemTotal:") + 1]) * 1024
