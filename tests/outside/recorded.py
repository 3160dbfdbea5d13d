"""Files on disk that note every call in a file, and go wrong where their option says; they come from outside."""

from __future__ import annotations

import gc
import json
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from imgstore_tui.backends.disk import DiskBackend
from imgstore_tui.backends.disk.editor import DiskEditor
from imgstore_tui.backends.disk.layout import LABELS
from imgstore_tui.backends.disk.reader import DiskReader
from imgstore_tui.backends.disk.writer import DiskWriter
from imgstore_tui.core.backend import Content, Editor, Reader, Writer
from imgstore_tui.core.manifest import begin_store
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.core.options import Option

NOTES = "IMGSTORE_TUI_TEST_NOTES"
"""Environment variable that names the file of the notes."""
FAULTS = ("none", "wrong-third", "no-overwrite", "no-delete", "late", "worker-dies")
REWRITES = 300


def note(store: Path, call: str, ids: Sequence[int] = ()) -> None:
    """Add a line about a call to the notes."""
    entry = {"call": call, "store": store.name, "ids": list(ids), "pid": os.getpid(), "collects": gc.isenabled()}
    with Path(os.environ[NOTES]).open("a") as notes:
        notes.write(json.dumps(entry) + "\n")


class RecordedReader(DiskReader):
    fault = "none"
    warmed_up: ClassVar[bool] = False
    """Whether this process has used a dummy store, as one does that times."""

    def __init__(self, location: Path) -> None:
        super().__init__(location)
        note(location, "open")
        RecordedReader.warmed_up |= location.name.startswith("dummy")

    def read_bytes(self, ids: Sequence[int], labels: Any) -> list[bytes]:
        note(self._location, "read", ids)
        if self.fault == "worker-dies" and len(ids) > 1 and self.warmed_up:
            os._exit(1)
        return super().read_bytes(ids, labels)


class WrongWriter(DiskWriter):
    """Writes other pixels than it is given."""

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Any) -> None:
        super().put_bytes(ids, [payload[:-1] + bytes([payload[-1] ^ 1]) for payload in payloads], labels)


class CarelessEditor(DiskEditor):
    """Leaves out what its fault names, or goes on after the close."""

    fault = "none"

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Any) -> None:
        if self.fault != "no-overwrite":
            super().put_bytes(ids, payloads, labels)

    def delete(self, ids: Sequence[int]) -> None:
        if self.fault != "no-delete":
            super().delete(ids)

    def close(self) -> None:
        super().close()
        if self.fault == "late":
            threading.Thread(target=self._write_again, daemon=True).start()

    def _write_again(self) -> None:
        table = self._location / LABELS
        first = table.read_bytes()[:1]
        for _ in range(REWRITES):
            with table.open("r+b") as file:
                file.write(first)
            time.sleep(0.001)


class Recorded(DiskBackend):
    name = "recorded"
    title = "Files on disk with notes"
    default_codec = "raw"
    options: ClassVar[tuple[Option, ...]] = (
        *DiskBackend.options,
        Option("fault", "none", "What goes wrong.", choices=FAULTS),
    )  # type: ignore[assignment]

    def create(self, location: Path, content: Content, sync: SyncLevel) -> Writer:
        note(location, "create")
        wrong = self.values["fault"] == "wrong-third" and location.name.startswith("002")
        begin_store(self, location, content)
        return (WrongWriter if wrong else DiskWriter)(location, content, int(self.values["fanout"]), sync)

    def open(self, location: Path) -> Reader:
        reader = RecordedReader(location)
        reader.fault = str(self.values["fault"])
        return reader

    def edit(self, location: Path, sync: SyncLevel) -> Editor:
        editor = CarelessEditor(location, sync)
        editor.fault = str(self.values["fault"])
        return editor
