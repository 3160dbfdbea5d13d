"""Putting the images in, so that a process that dies costs little: another goes on with what is on the device.

Where a storage can grow, a session ends with a store that is closed, and the next adds to it. Where it must know its
images beforehand but has a place for each, it is filled in one go, with checkpoints. What is put together at its end
only is written once more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict

import numpy as np

from imgstore_tui.core.backend import Content, Continuation, Editor, PayloadKind, Writer
from imgstore_tui.core.codec import Codec
from imgstore_tui.core.dataset import BrokenImageError, Dataset, Excluded
from imgstore_tui.core.errors import DataError, StoreError, UnsupportedError
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.jobs.convert import prepare
from imgstore_tui.jobs.convert.checksums import ChecksumRecord
from imgstore_tui.jobs.convert.prepare import ImagePreparer, PreparedBatch, UnreadableImageError
from imgstore_tui.jobs.convert.workspace import Workspace
from imgstore_tui.storekit.local import LocalBackend

ConversionProgress = Callable[[str, int, int], None]
"""Called with what is being done, how many images are done, and how many in all."""

FIRST_SESSION = 4096
"""Images until what was put is made safe for the first time, at most."""
FIRST_SESSION_BYTES = 2**28
SESSION_S = 20.0
"""Seconds until it is made safe again: a kill costs no more work than that."""
_COMPARED = 1024
"""Images between two words of how far comparing is."""


class StoreFiller:
    """Makes the store of a conversion, or goes on with it."""

    def __init__(
        self,
        dataset: Dataset,
        backend: LocalBackend,
        codec: Codec,
        kind: PayloadKind,
        workspace: Workspace,
        count: int,
        say: Callable[[str], None],
    ) -> None:
        self._dataset, self._backend, self._codec, self._kind = dataset, backend, codec, kind
        self._workspace, self._count, self._say = workspace, count, say
        self._preparer = ImagePreparer(dataset, codec, kind, count)
        self._excluded = self._preparer.excluded
        self._way = Continuation.RESTART if workspace.facts.get("whole") else backend.continuation(kind)
        self._whole = False
        """Whether an earlier process has closed the store, with all that it was told."""
        self.resumed = 0
        self.durable_images = 0
        """Images that are on the device, and with which another process can go on."""

    def run(self, progress: ConversionProgress) -> tuple[Excluded, ...]:
        """Put all images that are not in yet; return those that could not be had, by earlier processes too."""
        self.resumed = self.durable_images = self._found(progress)
        if self._way is Continuation.RESTART and not self.resumed:
            self._say(f"Storage {self._backend.name} is put together at its end: if interrupted, this starts over.")
        while True:
            try:
                self._fill(progress)
            except UnreadableImageError as missing:
                # This storage must know its number of images beforehand, and it is another than it was told.
                self._say(f"{missing.excluded.name} cannot be used; looking for others like it, then starting over.")
                self._look_at_all(progress)
                self._begin_anew()
            except _LostError as error:
                self._say(f"What was written cannot be continued, so the conversion starts over: {error}")
                self._begin_anew()
            except UnsupportedError as error:
                if self._way is Continuation.RESTART or not self._workspace.sums.count:
                    raise
                self._say(f"This storage is written in one go and cannot be resumed ({str(error).rstrip('.')}).")
                self._workspace.facts["whole"] = True
                self._way = Continuation.RESTART
                self._begin_anew()
            else:
                return tuple(self._excluded[index] for index in sorted(self._excluded))

    def _begin_anew(self) -> None:
        self._workspace.clear()
        self._whole = False
        self.resumed = self.durable_images = 0

    # What an earlier process has left

    def _found(self, progress: ConversionProgress) -> int:
        """Return how many images an earlier process has left, all of them made of what the data set holds now."""
        workspace = self._workspace
        if not workspace.store.exists():
            workspace.sums.truncate(0)
            return 0
        try:
            count = self._there()
            if count > workspace.sums.count:
                raise StoreError("it cannot be told what is in it.")
        except (StoreError, UnsupportedError) as error:
            self._say(f"What was written cannot be continued, so the conversion starts over: {error}")
            count = 0
        if not count:
            workspace.clear()
            return 0
        workspace.sums.truncate(count)
        for first in range(0, count, _COMPARED):
            progress("comparing", first, count)
            for entry in self._entries(first):
                if not self._preparer.is_unchanged(entry):
                    raise DataError(
                        f"Image {entry.index} has changed since this conversion began. Add --restart to start over."
                    )
        last = workspace.sums.get(count - 1, 1)[0].index
        for index, (name, reason) in workspace.facts.get("excluded", {}).items():
            # What comes later is tried again, but where it was told beforehand how many there are.
            if int(index) < last or self._way is not Continuation.APPEND:
                self._excluded[int(index)] = Excluded(name, reason)
        return count

    def _entries(self, first: int) -> list[ChecksumRecord]:
        """Return some entries from one on."""
        return self._workspace.sums.get(first, min(_COMPARED, self._workspace.sums.count - first))

    def _there(self) -> int:
        """Return how many images of the store count."""
        store = self._workspace.store
        if self._way is Continuation.APPEND:  # what a change was in the middle of is taken back
            self._backend.edit(store, SyncLevel.BUFFERED).abort()
            return self._count_in_store()
        try:
            count = self._count_in_store()
        except StoreError:  # the process died before the end: there is no store to open yet
            if self._way is Continuation.RESTART:
                raise StoreError(f"storage {self._backend.name} is put together at its end.") from None
            return int(self._workspace.facts.get("safe", 0))
        self._whole = True
        return count

    def _count_in_store(self) -> int:
        with self._backend.open(self._workspace.store) as reader:
            return reader.content.count

    # Putting

    def _fill(self, progress: ConversionProgress) -> None:
        sums = self._workspace.sums
        grows = self._way is Continuation.APPEND
        after = sums.get(sums.count - 1, 1)[0].index + 1 if sums.count else 0
        batches = self._preparer.batches(after, exact=not grows)
        if not grows:
            self._in_one_go(batches, progress)
            return
        if not sums.count:
            self._first_session(batches, progress)
        waiting = next(batches, None)
        while waiting is not None:
            editor = self._backend.edit(self._workspace.store, SyncLevel.BUFFERED)
            try:
                ends = time.monotonic() + SESSION_S
                while waiting is not None:
                    self._put(editor, waiting, progress)
                    waiting = next(batches, None)
                    if time.monotonic() >= ends:
                        break
                self._end(editor)
            except BaseException:
                editor.abort()
                raise

    def _first_session(self, batches: Iterator[PreparedBatch], progress: ConversionProgress) -> None:
        """Create a store that can grow, with so many images as can be had at once."""
        held: list[PreparedBatch] = []
        count = size = 0
        for batch in batches:
            held.append(batch)
            count += len(batch.records)
            size += batch.size
            if count >= FIRST_SESSION or size >= FIRST_SESSION_BYTES:
                break
        self._check_any(count)
        writer = self._backend.create(self._workspace.store, self._content(count, size), SyncLevel.BUFFERED)
        try:
            for batch in held:
                self._put(writer, batch, progress)
            self._end(writer)
        except BaseException:
            writer.abort()
            raise

    def _in_one_go(self, batches: Iterator[PreparedBatch], progress: ConversionProgress) -> None:
        """Fill a store that knows its images beforehand, or the rest of one."""
        workspace = self._workspace
        count = self._count - len(self._excluded)
        self._check_any(count)
        if self._whole:
            self._make_durable(None)
            return
        again = workspace.sums.count > 0
        writer = self._resumed() if again else self._created(count)
        ends = time.monotonic() + SESSION_S if again else 0.0
        unsafe = unsafe_bytes = 0
        try:
            for batch in batches:
                self._put(writer, batch, progress)
                unsafe, unsafe_bytes = unsafe + len(batch.records), unsafe_bytes + batch.size
                due = unsafe >= FIRST_SESSION or unsafe_bytes >= FIRST_SESSION_BYTES
                if self._way is Continuation.RESUME and (time.monotonic() >= ends if ends else due):
                    self._checkpoint(writer)
                    ends = time.monotonic() + SESSION_S if self.durable_images else 0.0
            self._end(writer)
        except BaseException:
            writer.abort()
            raise

    def _created(self, count: int) -> Writer:
        workspace = self._workspace
        content = self._content(count, self._preparer.size_of_first() * count)
        workspace.facts["content"] = asdict(content)
        self._note_excluded()
        workspace.save()
        return self._backend.create(workspace.store, content, SyncLevel.BUFFERED)

    def _resumed(self) -> Writer:
        sums = self._workspace.sums
        entries = [entry for first in range(0, sums.count, _COMPARED) for entry in self._entries(first)]
        labels = np.array([entry.label for entry in entries], np.int64)
        sizes = np.array([entry.size for entry in entries], np.int64)
        facts = self._workspace.facts["content"]
        shape = None if facts["shape"] is None else tuple(facts["shape"])
        content = Content(**{**facts, "kind": PayloadKind(facts["kind"]), "shape": shape})
        try:
            return self._backend.resume(self._workspace.store, content, labels, sizes)
        except StoreError as error:
            raise _LostError(str(error)) from None

    def _check_any(self, count: int) -> None:
        if not count:
            raise DataError(f"{self._dataset.summary}: not one image can be used.")

    def _content(self, count: int, size: int) -> Content:
        shape, dtype = self._dataset.uniform or (None, None)
        return Content(count, self._kind, self._codec.name, shape, dtype, size)

    def _put(self, writer: Writer, batch: PreparedBatch, progress: ConversionProgress) -> None:
        sums = self._workspace.sums
        batch.put(writer, sums.count, self._kind)
        sums.add(batch.records)
        progress("writing", sums.count, self._count - len(self._excluded))

    def _checkpoint(self, writer: Writer) -> None:
        """Make safe what has been put: first the sums, then what they are of, then the word that it is there."""
        workspace = self._workspace
        workspace.sums.force()
        safe = writer.checkpoint()
        self._backend.make_durable(workspace.store)
        workspace.facts["safe"] = self.durable_images = safe
        workspace.save()

    def _end(self, writer: Writer) -> None:
        """Close the store, after the sums are safe."""
        self._workspace.sums.force()
        if self._note_excluded():
            self._workspace.save()
        writer.close()
        self._make_durable(writer)

    def _make_durable(self, writer: Writer | None) -> None:
        changed = writer.changed_paths() if isinstance(writer, Editor) else None
        self._backend.make_durable(self._workspace.store, changed)
        self.durable_images = self._workspace.sums.count

    def _note_excluded(self) -> bool:
        """Put down what is left out; return whether that is new."""
        facts = {str(index): [entry.name, entry.reason] for index, entry in self._excluded.items()}
        new: bool = facts != self._workspace.facts.get("excluded", {})
        self._workspace.facts["excluded"] = facts
        return new

    def _look_at_all(self, progress: ConversionProgress) -> None:
        for index in range(self._count):
            if index not in self._excluded:
                try:
                    self._preparer.prepare(index)
                except BrokenImageError as error:
                    self._excluded[index] = error.excluded
            if not index % prepare.BATCH:
                progress("looking", index, self._count)


class _LostError(Exception):
    """What an earlier process has written is not what it should be."""
