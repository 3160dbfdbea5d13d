"""A backend that derives from the contract alone, as plug-ins of before do, is a local backend to the program."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imgstore_tui.core.backend import Content, DurableBy, PayloadKind
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.local import LocalBackend
from tests.outside.ledger import Ledger
from tests.support.entry_points import offer


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[LocalBackend]:
    assert not issubclass(Ledger, LocalBackend)
    offer(tmp_path / "package", {"imgstore_tui.backends": {"ledger": "tests.outside.ledger:Ledger"}}, monkeypatch)
    kind = registry.backends.get("ledger")
    assert issubclass(kind, LocalBackend)
    return kind


def test_it_is_known_by_the_same_name_and_module(ledger: type[LocalBackend]) -> None:
    assert (ledger.__name__, ledger.__module__) == ("Ledger", "tests.outside.ledger")


def test_its_stores_are_weighed_forced_and_removed_as_folders(ledger: type[LocalBackend], tmp_path: Path) -> None:
    backend, store = ledger({}), tmp_path / "store"
    assert not backend.exists(store)
    with backend.create(store, Content(1, PayloadKind.BYTES, "png"), SyncLevel.END) as writer:
        writer.put_bytes([0], [b"12345"], np.array([7]))
    assert backend.exists(store)
    assert backend.durability(store, SyncLevel.END).by is DurableBy.FORCE
    assert backend.disk_usage(store).files == 3
    assert backend.make_durable(store) == 5
    backend.destroy(store)
    assert not backend.exists(store)


def test_a_store_that_is_one_file_is_weighed_forced_and_removed(ledger: type[LocalBackend], tmp_path: Path) -> None:
    backend, store, neighbour = ledger({}), tmp_path / "store.bin", tmp_path / "neighbour"
    store.write_bytes(b"x" * 10_000)
    neighbour.write_bytes(b"y")
    assert list(backend.files(store)) == [store]
    usage = backend.disk_usage(store)
    assert (usage.apparent_bytes, usage.files) == (10_000, 1)
    assert usage.allocated_bytes == store.stat().st_blocks * 512
    assert backend.make_durable(store) == 2
    assert backend.make_durable(store, [store]) == 2
    backend.destroy(store)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["neighbour"]
