"""Changing a folder of files: what is the same whatever the files are."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from imgstore_tui.core.backend import Content, Editor, force
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.live_ids import LiveIds
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.storekit.manifest_file import MANIFEST, save_manifest
from imgstore_tui.storekit.npy_file import NpyOutput


class FolderEditor(Editor):
    """Lets the manifest say what is there after every batch, or at the end; until then the old one counts.

    A subclass opens its files, puts batches into them, and calls ``_note`` after each.
    """

    def __init__(self, backend: str, location: Path, sync: SyncLevel, content: Content, layout: dict[str, Any]) -> None:
        self._backend, self._location, self.content, self._layout = backend, location, content, layout
        self._each = sync is SyncLevel.BATCH
        self._live_ids = LiveIds(content.count)
        self._changed, self._open = False, True
        self._files: list[NpyOutput] = []

    def _file(self, name: str, dtype: str, item: tuple[int, ...], keep: int) -> NpyOutput:
        file = NpyOutput(self._location / name, dtype, item, keep)
        self._files.append(file)
        return file

    def _note(self) -> None:
        """Take note that a batch has been put."""
        self._changed = True
        if self._each:
            self._commit()

    @abstractmethod
    def _before_commit(self) -> None:
        """Finish what must be whole before the files of numbers say that it is there."""

    def _commit(self) -> None:
        """Let headers, then the manifest say what is there; a process that dies before has changed no count."""
        self._before_commit()
        for file in self._files:
            file.commit()
            if self._each:
                file.force()
                self.syncs += 1
        self.content = replace(self.content, count=self._live_ids.count)
        save_manifest(self._backend, self._location, self.content, durable=self._each, **self._layout)
        self.syncs += 2 * self._each
        self._changed = False

    def changed_paths(self) -> Iterable[Path]:
        """Every file may have been written to, and the manifest is a new one."""
        return [*(file.path for file in self._files), self._location / MANIFEST, self._location]

    def close(self) -> None:
        """Say what is there, and close the files."""
        if not self._open:
            return
        try:
            if self._changed:
                self._commit()
            if self._each:
                force(self._location)
                self.syncs += 1
        finally:
            self._release()

    def abort(self) -> None:
        """Take back what was added since the last commit, and close the files; what was overwritten stays so."""
        if not self._open:
            return
        with contextlib.suppress(StoreError):  # the manifest counts, and it has not changed
            self._take_back()
        self._release()

    def _take_back(self) -> None:
        for file in self._files:
            file.take_back()

    def _release(self) -> None:
        self._open = False
        for file in self._files:
            file.close()
