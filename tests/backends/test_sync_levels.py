"""What is forced to the device at each sync level, according to strace."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from imgstore_tui.core.operations import Operation, SyncLevel
from imgstore_tui.plugins import registry
from tests.support.sync_calls import traced

LOCAL = sorted(name for name, backend in registry.backends.all().items() if not backend.capabilities.server)
ALWAYS_RUN = "disk"

pytestmark = [
    pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed (apt-get install strace)"),
    pytest.mark.timeout(300),
]


@pytest.mark.parametrize(
    "name", [name if name == ALWAYS_RUN else pytest.param(name, marks=pytest.mark.full) for name in LOCAL]
)
def test_the_kernel_sees_the_sync_calls_that_a_row_says(name: str, tmp_path: Path) -> None:
    backend = registry.backends.get(name)
    for module in backend.requires:
        pytest.importorskip(module, reason=f"{module} is not installed (extra {backend.extra})")
    rows = traced(name, tmp_path)
    assert {row.level for row in rows} == {SyncLevel.BUFFERED, SyncLevel.END, SyncLevel.BATCH}
    for row in rows:
        if row.reason is not None:
            assert row.level == SyncLevel.BATCH or "cannot" in row.reason
            continue
        case = (row.operation, row.level, row.reported, row.traced)
        if row.operation == Operation.WRITE_MANY and row.level == SyncLevel.BUFFERED:
            assert backend.capabilities.forces_itself or not row.replaced, row.replaced
        if backend.capabilities.forces_itself:
            assert row.traced, case
            assert row.reported is None, case
        elif row.level == SyncLevel.BUFFERED:
            assert not row.traced, case
            assert row.reported is None, case
        elif row.level == SyncLevel.BATCH and not backend.capabilities.counts_syncs:
            assert row.traced, case
            assert row.reported is None, case
        else:
            assert row.reported == len(row.traced) > 0, case
