"""Changes stores that are a folder of files with a manifest, whatever the files are."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from imgstore_tui.core.backend import Content, Editor, force
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.live_ids import LiveIds
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.storekit.manifest_file import MANIFEST, save_manifest
from imgstore_tui.storekit.names_file import NAMES, NamesOutput
from imgstore_tui.storekit.npy_file import NpyOutput


class FolderEditor(Editor):
    """Writes the manifest after every batch, or once at the end; until then the old one counts.

    A subclass opens its files, puts batches into them, and calls ``_batch_done`` after each.
    """

    def __init__(self, backend: str, location: Path, sync: SyncLevel, content: Content, layout: dict[str, Any]) -> None:
        self._backend, self._location, self.content, self._layout = backend, location, content, layout
        self._sync_each_batch = sync is SyncLevel.BATCH
        self._live_ids = LiveIds(content.count)
        self._changed, self._open = False, True
        self._files: list[NpyOutput] = []
        file = None
        if content.name_bytes:
            file = self._file(NAMES, f"S{content.name_bytes}", (), content.count)
        self._names = NamesOutput(location, content, file)

    def _file(self, name: str, dtype: str, item: tuple[int, ...], keep: int) -> NpyOutput:
        file = NpyOutput(self._location / name, dtype, item, keep)
        self._files.append(file)
        return file

    def put_names(self, ids: Sequence[int], names: Sequence[str]) -> None:
        """Append names to their file, or overwrite those of existing images."""
        self._names.put(ids, names)

    def _batch_done(self) -> None:
        """Record that a batch was put."""
        self._changed = True
        if self._sync_each_batch:
            self._commit()

    @abstractmethod
    def _before_commit(self) -> None:
        """Finish what must be complete before headers and manifest count it."""

    def _commit(self) -> None:
        """Write the headers, then the manifest; a process that dies before that has changed no count."""
        self._before_commit()
        self._names.complete(self._live_ids.next_id)
        for file in self._files:
            file.commit()
            if self._sync_each_batch:
                file.force()
                self.syncs += 1
        self.content = replace(self.content, count=self._live_ids.count)
        save_manifest(self._backend, self._location, self.content, durable=self._sync_each_batch, **self._layout)
        self.syncs += 2 * self._sync_each_batch
        self._changed = False

    def changed_paths(self) -> Iterable[Path]:
        """Return all files, the manifest, which is a new file, and the folder."""
        return [*(file.path for file in self._files), self._location / MANIFEST, self._location]

    def close(self) -> None:
        """Commit what was put, and close the files."""
        if not self._open:
            return
        try:
            if self._changed:
                self._commit()
            if self._sync_each_batch:
                force(self._location)
                self.syncs += 1
        finally:
            self._release()

    def abort(self) -> None:
        """Drop what was added since the last commit, and close the files; overwritten images stay overwritten."""
        if not self._open:
            return
        with contextlib.suppress(StoreError):  # the unchanged manifest decides what counts
            self._roll_back()
        self._release()

    def _roll_back(self) -> None:
        for file in self._files:
            file.roll_back()

    def _release(self) -> None:
        self._open = False
        for file in self._files:
            file.close()
