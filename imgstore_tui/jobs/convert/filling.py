"""Putting the images in, in sessions: what a session has put is on the device when the next begins."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.core.backend import Backend, Content, Editor, PayloadKind, Writer
from imgstore_tui.core.codec import Codec
from imgstore_tui.core.dataset import BrokenImageError, Dataset, Excluded
from imgstore_tui.core.errors import DataError, StoreError, UnsupportedError
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.jobs.convert.sums import NO_STAMP, Entry, sum_of, sum_of_image
from imgstore_tui.jobs.convert.workspace import Workspace

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Pixels

FIRST_SESSION = 4096
"""Images in the first session, at most: a store must be created before it can grow."""
FIRST_SESSION_BYTES = 2**28
SESSION_S = 20.0
"""Seconds after which a session ends: a kill costs no more work than that."""
_BATCH, _BATCH_BYTES = 256, 2**25
_COMPARED = 1024
"""Images between two words of how far comparing is."""


@dataclass
class Batch:
    """Images on their way, in the form in which the backend takes them."""

    entries: list[Entry]
    images: list[Pixels]
    payloads: list[bytes]

    def put(self, writer: Writer, first: int, *, as_array: bool) -> None:
        """Put them under ids from ``first`` on."""
        ids = range(first, first + len(self.entries))
        labels = np.array([entry.label for entry in self.entries], np.int64)
        if as_array:
            images: Pixels = np.stack(self.images)  # type: ignore[assignment]
            writer.put_array(ids, images, labels)
        else:
            writer.put_bytes(ids, self.payloads, labels)


class Filler:
    """Makes the store of a conversion, or goes on with it."""

    def __init__(
        self,
        dataset: Dataset,
        backend: Backend,
        codec: Codec,
        kind: PayloadKind,
        workspace: Workspace,
        count: int,
        say: Callable[[str], None],
    ) -> None:
        self._dataset, self._backend, self._codec, self._kind = dataset, backend, codec, kind
        self._workspace, self._count, self._say = workspace, count, say
        self._excluded: dict[int, Excluded] = {}
        self.resumed = 0
        self.kept = 0
        """Images that are on the device, and with which another process can go on."""

    def run(self, progress: Callable[[str, int, int], None]) -> tuple[Excluded, ...]:
        """Put all images that are not in yet; return those that could not be had, by earlier processes too."""
        self.resumed = self.kept = self._found(progress)
        while True:
            try:
                self._fill(progress)
            except _Missing as missing:
                # This storage must know its number of images beforehand, and it is another than it was told.
                self._say(f"{missing.excluded.name} cannot be used; looking for others like it, then beginning anew.")
                self._look_at_all(progress)
                self._begin_anew()
            except UnsupportedError as error:
                if self._workspace.facts.get("whole") or not self._workspace.sums.count:
                    raise
                self._say(f"This storage is written in one go and cannot be resumed ({str(error).rstrip('.')}).")
                self._workspace.facts["whole"] = True
                self._begin_anew()
            else:
                return tuple(self._excluded[index] for index in sorted(self._excluded))

    def _begin_anew(self) -> None:
        self._workspace.clear()
        self.resumed = self.kept = 0

    def _found(self, progress: Callable[[str, int, int], None]) -> int:
        """Return how many images an earlier process has left, all of them made of what the data set holds now."""
        workspace = self._workspace
        if not workspace.store.exists():
            workspace.sums.keep(0)
            return 0
        try:
            if self._backend.capabilities.append:  # what a change was in the middle of is taken back
                self._backend.edit(workspace.store, SyncLevel.BUFFERED).abort()
            with self._backend.open(workspace.store) as reader:
                count = reader.content.count
            if count > workspace.sums.count or not self._backend.capabilities.append:
                raise StoreError("it cannot be told what is in it.")
        except (StoreError, UnsupportedError) as error:
            self._say(f"What was written cannot be gone on with, so it begins anew: {error}")
            workspace.clear()
            return 0
        workspace.sums.keep(count)
        for first in range(0, count, _COMPARED):
            progress("comparing", first, count)
            for entry in workspace.sums.get(first, min(_COMPARED, count - first)):
                if not self._is_as_it_was(entry):
                    raise DataError(
                        f"Image {entry.index} is another than when this conversion began. Add --restart to begin anew."
                    )
        last = workspace.sums.get(count - 1, 1)[0].index if count else -1
        for index, (name, reason) in workspace.facts.get("excluded", {}).items():
            if int(index) < last:  # what comes later is tried again
                self._excluded[int(index)] = Excluded(name, reason)
        return count

    def _is_as_it_was(self, entry: Entry) -> bool:
        """Whether an image that was put is still what the data set holds; its file alone tells if it is untouched."""
        try:
            if int(self._dataset.label(entry.index)) != entry.label:
                return False
            if entry.stamp != NO_STAMP and self._stamp(entry.index) == entry.stamp:
                return True
            if self._codec.from_file and sum_of(self._dataset.original(entry.index)) != entry.stored:
                return False
            if not self._dataset.has_pixels:
                return True
            return sum_of_image(self._dataset.image(entry.index)) == entry.source
        except BrokenImageError:
            return False

    def _stamp(self, index: int) -> bytes:
        try:
            path = self._dataset.file(index)
            facts = path.stat()
        except (DataError, OSError):
            return NO_STAMP
        return sum_of(b"%d %d " % (facts.st_size, facts.st_mtime_ns) + os.fsencode(path))

    def _fill(self, progress: Callable[[str, int, int], None]) -> None:
        sums = self._workspace.sums
        whole = bool(self._workspace.facts.get("whole")) or not self._backend.capabilities.append
        batches = self._batches(sums.get(sums.count - 1, 1)[0].index + 1 if sums.count else 0, exact=whole)
        if not sums.count:
            self._first_session(batches, progress, whole=whole)
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

    def _first_session(
        self, batches: Iterator[Batch], progress: Callable[[str, int, int], None], *, whole: bool
    ) -> None:
        """Create the store: with all images where it cannot grow, else with so many as can be had at once."""
        held: list[Batch] = []
        if whole:
            count = self._count - len(self._excluded)
        else:
            count = size = 0
            for batch in batches:
                held.append(batch)
                count += len(batch.entries)
                size += sum(entry.size for entry in batch.entries)
                if count >= FIRST_SESSION or size >= FIRST_SESSION_BYTES:
                    break
        if not count:
            raise DataError(f"{self._dataset.summary}: not one image can be used.")
        writer = self._backend.create(self._workspace.store, self._content(count, held), SyncLevel.BUFFERED)
        try:
            for batch in held or batches:
                self._put(writer, batch, progress)
            self._end(writer)
        except BaseException:
            writer.abort()
            raise

    def _content(self, count: int, held: list[Batch]) -> Content:
        shape, dtype = self._dataset.uniform or (None, None)
        sizes = [entry.size for batch in held for entry in batch.entries]
        if not sizes:  # what all will weigh is not known yet; the first tells
            first = next(index for index in range(self._count) if index not in self._excluded)
            try:
                sizes = [self._prepare(first).size]
            except BrokenImageError as error:
                self._excluded[first] = error.excluded
                raise _Missing(error.excluded) from None
        return Content(count, self._kind, self._codec.name, shape, dtype, sum(sizes) * count // len(sizes))

    def _put(self, writer: Writer, batch: Batch, progress: Callable[[str, int, int], None]) -> None:
        sums = self._workspace.sums
        batch.put(writer, sums.count, as_array=self._kind is PayloadKind.ARRAY)
        sums.add(batch.entries)
        progress("writing", sums.count, self._count - len(self._excluded))

    def _end(self, writer: Writer) -> None:
        """End a session: first the sums are safe, then what they are of."""
        workspace = self._workspace
        workspace.sums.force()
        facts = {str(index): [entry.name, entry.reason] for index, entry in self._excluded.items()}
        if facts != workspace.facts.get("excluded", {}):
            workspace.facts["excluded"] = facts
            workspace.save()
        writer.close()
        touched = writer.touched() if isinstance(writer, Editor) else None
        self._backend.make_durable(workspace.store, touched)
        if self._backend.capabilities.append and not workspace.facts.get("whole"):
            self.kept = workspace.sums.count

    def _look_at_all(self, progress: Callable[[str, int, int], None]) -> None:
        for index in range(self._count):
            if index not in self._excluded:
                try:
                    self._prepare(index)
                except BrokenImageError as error:
                    self._excluded[index] = error.excluded
            if not index % _BATCH:
                progress("looking", index, self._count)

    def _batches(self, first: int, *, exact: bool) -> Iterator[Batch]:
        """Yield images of the data set, a few MiB at a time, without those that cannot be had."""
        batch, size = Batch([], [], []), 0
        for index in range(first, self._count):
            if index in self._excluded:
                continue
            try:
                found = self._prepare(index)
            except BrokenImageError as error:
                self._excluded[index] = error.excluded
                if exact:
                    raise _Missing(error.excluded) from None
                continue
            batch.entries.append(found.entry)
            if self._kind is PayloadKind.ARRAY:
                batch.images.append(found.image)
            else:
                batch.payloads.append(found.payload)
            size += found.size
            if len(batch.entries) >= _BATCH or size >= _BATCH_BYTES:
                yield batch
                batch, size = Batch([], [], []), 0
        if batch.entries:
            yield batch

    def _prepare(self, index: int) -> _Prepared:
        """Get an image in the form in which it is stored; what a lossless codec makes of it is decoded and compared."""
        label, codec = int(self._dataset.label(index)), self._codec
        stamp = self._stamp(index)  # before it is read: a change meanwhile is noticed later
        if codec.from_file:
            payload = self._dataset.original(index)
            source = sum_of_image(self._dataset.image(index)) if self._dataset.has_pixels else sum_of(payload)
            return _Prepared(Entry(index, label, len(payload), sum_of(payload), source, stamp), None, payload)
        image = self._dataset.image(index)
        source = sum_of_image(image)
        if self._kind is PayloadKind.ARRAY:
            return _Prepared(Entry(index, label, image.nbytes, sum_of(image.data), source, stamp), image, b"")
        payload = codec.encode(image)
        if codec.lossless and sum_of_image(codec.decode(payload)) != source:
            raise StoreError(f"Codec {codec.name} does not give image {index} back as it was; choose another.")
        return _Prepared(Entry(index, label, len(payload), sum_of(payload), source, stamp), image, payload)


@dataclass(frozen=True, slots=True)
class _Prepared:
    entry: Entry
    image: Any
    payload: bytes

    @property
    def size(self) -> int:
        return self.entry.size


class _Missing(Exception):
    """An image cannot be had, and the storage has been told how many there are."""

    def __init__(self, excluded: Excluded) -> None:
        super().__init__(excluded.reason)
        self.excluded = excluded
