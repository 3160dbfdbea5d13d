"""A storage system as a third party would add it: one file, outside the package, offered by an entry point.

One file of payloads one after another, and beside it where each ends and what its label is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from imgstore_tui.core.backend import Backend, Content, Family, PayloadKind, Preset, Reader, Writer
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.manifest import begin_store, check_ids, check_put, read_manifest, write_manifest
from imgstore_tui.core.operations import SyncLevel

PAYLOADS, TABLE, MANIFEST = "payloads.bin", "table.bin", "ledger.json"


class LedgerWriter(Writer):
    """The manifest is written last: what has none is no store."""

    def __init__(self, location: Path, content: Content) -> None:
        self._location, self._content = location, content
        self._file = (location / PAYLOADS).open("xb")
        self._ends = [0]
        self._labels: list[int] = []

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Any) -> None:
        check_put(self._location, self._content, len(self._labels), ids, payloads, labels)
        try:
            self._file.writelines(payloads)
        except OSError as error:
            raise StoreError(f"{self._location} cannot be written: {error.strerror}.") from None
        self._ends += (self._ends[-1] + np.cumsum([len(payload) for payload in payloads], dtype=np.int64)).tolist()
        self._labels += [int(label) for label in labels]

    def close(self) -> None:
        if self._file.closed:
            return
        try:
            self._file.close()
            if len(self._labels) != self._content.count:
                raise StoreError(f"{self._location} holds {len(self._labels)} of {self._content.count} images.")
            np.array([self._ends[1:], self._labels], "<i8").tofile(self._location / TABLE)
            (self._location / MANIFEST).write_text(write_manifest("ledger", self._content))
        except OSError as error:
            raise StoreError(f"{self._location} cannot be written: {error.strerror}.") from None

    def abort(self) -> None:
        try:
            self._file.close()
        except OSError:
            # A full disk again, at the flush; the file is closed all the same.
            return


class LedgerReader(Reader):
    def __init__(self, location: Path) -> None:
        self._location = location
        if not all((location / name).is_file() for name in (PAYLOADS, TABLE, MANIFEST)):  # a pipe would be waited for
            raise StoreError(f"{location} is no ledger, or is damaged: not all of its files are there.")
        try:
            self.content, _ = read_manifest((location / MANIFEST).read_bytes(), "ledger", location)
            table = np.frombuffer((location / TABLE).read_bytes(), "<i8")
            size = (location / PAYLOADS).stat().st_size
        except (OSError, ValueError) as error:
            raise StoreError(f"{location} is no ledger, or is damaged: {error}.") from None
        if table.shape != (2 * self.content.count,):
            raise StoreError(f"{location} is damaged: its table has another length.")
        table = table.reshape(2, -1)
        self._bounds = np.concatenate(([0], table[0]))
        self._labels = table[1]
        if self._bounds[-1] != size or (np.diff(self._bounds) < 0).any():
            raise StoreError(f"{location} is damaged: its payloads do not end where its table says.")
        self._file = (location / PAYLOADS).open("rb")

    def read_bytes(self, ids: Sequence[int], labels: Any) -> list[bytes]:
        check_ids(self._location, self.content.count, ids)
        payloads = []
        for position, image_id in enumerate(ids):
            start, end = self._bounds[image_id : image_id + 2].tolist()
            self._file.seek(start)
            payloads.append(self._file.read(end - start))
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
    payloads = frozenset({PayloadKind.BYTES})
    default_codec = "png"
    own_files = re.compile(r"payloads\.bin|table\.bin|ledger\.json")
    presets = (Preset("tuned", "There is one way to keep a ledger."),)
    caveats = "It is an example and checks no sums."
    when_to_choose = "When a test needs a backend that this package does not know."

    def create(self, location: Path, content: Content, sync: SyncLevel) -> Writer:
        if sync is SyncLevel.BATCH:
            raise UnsupportedError("Backend ledger writes its table at the end, so it cannot sync batch by batch.")
        begin_store(self, location, content)
        return LedgerWriter(location, content)

    def open(self, location: Path) -> Reader:
        return LedgerReader(location)
