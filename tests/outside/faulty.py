"""Backends that go wrong in every way a driver can: each offered by an entry point, none by the package."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from imgstore_tui.core.backend import Content, Reader, Writer
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.core.options import Option
from tests.outside.ledger import Ledger, LedgerReader, LedgerWriter

FAULTS = (
    "none",
    "slow",
    "segv",
    "kill",
    "exit",
    "hang",
    "raise",
    "memory",
    "store",
    "oserror",
    "wrong",
    "label",
    "lost",
    "shout",
    "warm-up",
    "slow start",
)
SLOW_START_S = 0.5
_started: set[int] = set()
"""Processes that have opened a store."""


class FaultyWriter(LedgerWriter):
    fault = "none"

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Any) -> None:
        if self.fault == "warm-up":
            os.kill(os.getpid(), signal.SIGSEGV)
        # The warm-up writes one image; the other faults wait for the real store.
        if self._content.count > 1:
            self._go_wrong()
            if self.fault == "wrong":
                payloads = [payloads[0], *payloads[:-1]]
            if self.fault == "label":
                labels = labels + 1
        super().put_bytes(ids, payloads, labels)

    def _go_wrong(self) -> None:
        match self.fault:
            case "segv":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "exit":
                os.write(2, b"driver says goodbye\n")
                os._exit(7)
            case "slow":
                time.sleep(0.25)
            case "hang":
                time.sleep(3600)
            case "raise":
                raise RuntimeError("[/red] a driver's own words \x1b[31m")
            case "memory":
                raise MemoryError
            case "store":
                raise StoreError("The store is full.")
            case "oserror":
                raise OSError(28, "No space left on device", "/some/file")
            case "shout":
                sys.stderr.write("x" * 1_000_000)
                print("y" * 1_000_000)
                threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()


class FaultyReader(LedgerReader):
    fault = "none"

    def read_bytes(self, ids: Sequence[int], labels: Any) -> list[bytes]:
        payloads = super().read_bytes(ids, labels)
        if self.fault == "lost" and self.content.count > 1:
            raise StoreError("Image 1 is lost.")
        return payloads


class Faulty(Ledger):
    name = "faulty"
    title = "A ledger that goes wrong"
    options = (Option("fault", "none", "What goes wrong.", choices=FAULTS),)

    def create(self, location: Path, content: Content, sync: SyncLevel) -> Writer:
        location.mkdir()
        writer = FaultyWriter(location, content)
        writer.fault = str(self.values["fault"])
        return writer

    def open(self, location: Path) -> Reader:
        if self.values["fault"] == "slow start" and os.getpid() not in _started:
            time.sleep(SLOW_START_S)
            _started.add(os.getpid())
        reader = FaultyReader(location)
        reader.fault = str(self.values["fault"])
        return reader
