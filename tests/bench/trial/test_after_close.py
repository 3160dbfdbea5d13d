"""What goes on after the close is looked at: files, bytes written elsewhere, processor time, and processes."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from imgstore_tui.bench.trial.after_close import MOST_DIRTIED, CloseWatch
from imgstore_tui.core.errors import StoreError

CLOCK_S = 0.01


def watched(store: Path, act: Callable[[], object] = lambda: None) -> None:
    """Close a store, let a thread act after it, and check."""
    watch = CloseWatch()
    watch.closed([store])
    thread = threading.Thread(target=act)
    thread.start()
    thread.join()
    watch.check(CLOCK_S)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "store"
    path.write_bytes(b"whole")
    return path


def work() -> None:
    began = time.thread_time()
    while time.thread_time() - began < 0.1:
        sum(range(1000))


def test_a_thread_that_ends_in_peace_is_let_pass(store: Path) -> None:
    watched(store)


def test_a_store_that_is_still_written_is_caught(store: Path) -> None:
    with pytest.raises(StoreError, match="still being written after it was closed"):
        watched(store, lambda: store.write_bytes(b"later"))


def test_a_thread_that_writes_elsewhere_is_caught(store: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="bytes after the close, off the clock"):
        watched(store, lambda: (tmp_path / "elsewhere").write_bytes(b"x" * 8 * MOST_DIRTIED))


def test_a_thread_that_goes_on_working_is_caught(store: Path) -> None:
    with pytest.raises(StoreError, match=r"Threads worked for 0\.\d+ s after the close"):
        watched(store, work)


def test_what_the_instrument_itself_does_meanwhile_is_no_cheat(store: Path, tmp_path: Path) -> None:
    watch = CloseWatch()
    watch.closed([store])
    work()
    (tmp_path / "elsewhere").write_bytes(b"x" * 8 * MOST_DIRTIED)
    watch.check(CLOCK_S)


def test_a_tenth_of_the_clock_may_go_on_quietly(store: Path) -> None:
    watch = CloseWatch()
    watch.closed([store])
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    watch.check(10.0)


def test_a_child_that_is_left_running_is_ended(store: Path) -> None:
    watch = CloseWatch()
    with subprocess.Popen(["sleep", "60"]) as child:
        watch.closed([store])
        watch.check(CLOCK_S)
        assert not Path(f"/proc/{child.pid}").exists()
