"""A storage system as a third party would add it: one file, outside the package, offered by an entry point.

One file of payloads one after another, and beside it where each ends and what its label is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from imgstore_tui.core.backend import Backend, Content, Family, PayloadKind, Preset, Reader, Writer
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import check_ids, check_put, claim, read_manifest, write_manifest
from imgstore_tui.core.operations import SyncLevel


class LedgerWriter(Writer):
    def __init__(self, location: Path, content: Content) -> None:
        self._location, self._content = location, content
        self._file = (location / "payloads.bin").open("xb")
        self._ends: list[int] = []
        self._labels: list[int] = []

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Any) -> None:
        check_put(self._location, self._content, len(self._ends), ids, payloads, labels)
        for payload in payloads:
            self._file.write(payload)
            self._ends.append((self._ends[-1] if self._ends else 0) + len(payload))
        self._labels += [int(label) for label in labels]

    def close(self) -> None:
        if self._file.closed:
            return
        self._file.close()
        table = np.array([self._ends, self._labels], np.int64)
        np.save(self._location / "table.npy", table)
        (self._location / "ledger.json").write_text(write_manifest("ledger", self._content))

    def abort(self) -> None:
        self._file.close()


class LedgerReader(Reader):
    def __init__(self, location: Path) -> None:
        self._location = location
        try:
            manifest = (location / "ledger.json").read_bytes()
            self.content, _ = read_manifest(manifest, "ledger", location)
            ends, labels = np.load(location / "table.npy", allow_pickle=False)
            self._file = (location / "payloads.bin").open("rb")
        except (OSError, ValueError) as error:
            raise StoreError(f"{location} is no ledger, or is damaged: {error}.") from None
        self._starts = np.concatenate(([0], ends[:-1])) if len(ends) else ends
        self._ends, self._labels = ends, labels
        size = (location / "payloads.bin").stat().st_size
        if len(ends) != self.content.count or (len(ends) and size != ends[-1]):
            self._file.close()
            raise StoreError(f"{location} was cut short.")

    def read_bytes(self, ids: Sequence[int], labels: Any) -> list[bytes]:
        check_ids(self._location, self.content.count, ids)
        payloads = []
        for position, image_id in enumerate(ids):
            self._file.seek(int(self._starts[image_id]))
            payloads.append(self._file.read(int(self._ends[image_id] - self._starts[image_id])))
            labels[position] = self._labels[image_id]
        return payloads

    def read_labels(self) -> Any:
        return np.array(self._labels)

    def close(self) -> None:
        self._file.close()


class Ledger(Backend):
    name = "ledger"
    title = "A file and a table of ends"
    family = Family.RECORD
    requires = ("json",)
    payloads = frozenset({PayloadKind.BYTES})
    default_codec = "png"
    presets = (Preset("tuned", "There is one way to keep a ledger."),)
    caveats = "It is an example."
    when_to_choose = "When a test needs a backend that this package does not know."

    def create(self, location: Path, content: Content, sync: SyncLevel) -> Writer:
        claim(self, location, content)
        return LedgerWriter(location, content)

    def open(self, location: Path) -> Reader:
        return LedgerReader(location)
