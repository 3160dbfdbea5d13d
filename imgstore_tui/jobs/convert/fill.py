"""Fills the store of a conversion so that a killed process loses little: the next one continues from the device.

A store that can grow is closed after each session, and the next session appends to it. A store of a fixed number of
images that can be resumed is filled in one session, with checkpoints. A store that is assembled when it is closed is
written again from the start.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np

from imgstore_tui.core.backend import Backend, Content, Continuation, Editor, PayloadKind, Writer
from imgstore_tui.core.codec import Codec
from imgstore_tui.core.dataset import BrokenImageError, Dataset, Excluded
from imgstore_tui.core.errors import DataError, StoreError, UnsupportedError
from imgstore_tui.core.fingerprint import Fingerprint
from imgstore_tui.core.location import ServerLocation
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.jobs.convert import prepare
from imgstore_tui.jobs.convert.checksums import ChecksumRecord, changed_since
from imgstore_tui.jobs.convert.names import ImageNames
from imgstore_tui.jobs.convert.prepare import ImagePreparer, PreparedBatch, UnreadableImageError
from imgstore_tui.jobs.convert.space import check_server_space, check_space
from imgstore_tui.jobs.convert.workspace import Workspace
from imgstore_tui.storekit.local import LocalBackend
from imgstore_tui.storekit.server import ServerBackend

ConversionProgress = Callable[[str, int, int], None]
"""Called with the step, the number of images done and the total."""

FIRST_SESSION = 4096
"""Most images before the store is made durable for the first time."""
FIRST_SESSION_BYTES = 2**28
"""Most bytes of payloads or pixels before that."""
SESSION_S = 20.0
"""Seconds between two times at which the store is made durable: the most work that a kill loses."""
_COMPARED = 1024
"""Images between two reports of progress while comparing."""


class StoreFiller:
    """Creates the store of a conversion and fills it, or resumes one."""

    def __init__(
        self,
        dataset: Dataset,
        backend: Backend,
        codec: Codec,
        kind: PayloadKind,
        workspace: Workspace,
        count: int,
        notify: Callable[[str], None],
        names: ImageNames | None = None,
    ) -> None:
        """Prepare to fill the store.

        Args:
            dataset: Where the images come from, scanned.
            backend: Backend of the store.
            codec: Codec of its payloads.
            kind: The form in which the backend takes images.
            workspace: Where the store is made.
            count: Number of images, from the first on.
            notify: Called with messages for the user, a sentence each.
            names: Names of the images in the store; None where it keeps none.
        """
        self._names = names
        self._dataset, self._backend, self._codec, self._kind = dataset, backend, codec, kind
        self._workspace, self._count, self._notify = workspace, count, notify
        # A server makes durable what it acknowledges; files are forced after they were closed.
        self._sync = SyncLevel.BUFFERED if isinstance(backend, LocalBackend) else SyncLevel.END
        self._preparer = ImagePreparer(dataset, codec, kind, count)
        self._excluded = self._preparer.excluded
        self._continuation = Continuation.RESTART if workspace.facts.get("whole") else backend.continuation(kind)
        self._whole = False
        """Whether an earlier process has filled and closed the store."""
        self._stored_count_known = False
        """Whether it is known what an earlier process has stored."""
        self.resumed = 0
        self.durable_images = 0
        """Number of images on the device, from which another process can continue."""

    @property
    def fingerprint(self) -> Fingerprint | None:
        """Fingerprint of the images as the dataset returns them; None if an earlier process stored some of them."""
        return self._preparer.fingerprint

    @property
    def has_nothing(self) -> bool:
        """Whether nothing is on the device from which another process could continue."""
        return self._stored_count_known and not self.durable_images

    def run(self, progress: ConversionProgress) -> tuple[Excluded, ...]:
        """Write all images that are not stored yet; return those that could not be read, by earlier processes too."""
        self.resumed = self.durable_images = self._count_valid(progress)
        self._stored_count_known = True
        if not self._whole:
            self._check_space()
        if self._continuation is Continuation.RESTART and not self.resumed:
            self._notify(f"Storage {self._backend.name} is put together at its end: if interrupted, this starts over.")
        while True:
            try:
                self._fill(progress)
            except UnreadableImageError as error:
                # The store was created for a fixed number of images, which has turned out to be wrong.
                self._notify(f"{error.excluded.name} cannot be used; looking for others like it, then starting over.")
                self._prepare_all(progress)
                self._start_over()
            except _NotResumableError as error:
                self._notify(f"What was written cannot be continued, so the conversion starts over: {error}")
                self._start_over()
            except UnsupportedError as error:
                if self._continuation is Continuation.RESTART or not self._workspace.checksums.count:
                    raise
                self._notify(f"This storage is written in one go and cannot be resumed ({str(error).rstrip('.')}).")
                self._workspace.facts["whole"] = True
                self._continuation = Continuation.RESTART
                self._start_over()
            else:
                return tuple(self._excluded[index] for index in sorted(self._excluded))

    def _check_space(self) -> None:
        missing = self._count - self.resumed - len(self._excluded)
        # One of its own: this one prepares images in order, and knows by that what the dataset holds.
        preparer = ImagePreparer(self._dataset, self._codec, self._kind, self._count)
        workspace = self._workspace
        if isinstance(self._backend, LocalBackend):
            content = self._content(missing, 0)
            check_space(preparer, self._backend, content, self._count, missing, workspace.folder)
        elif isinstance(self._backend, ServerBackend) and isinstance(workspace.store, ServerLocation):
            place = workspace.store.place
            check_server_space(preparer, self._count, missing, place, self._backend.facts(place).free_bytes)

    def _start_over(self) -> None:
        self._workspace.clear()
        self._whole = False
        self.resumed = self.durable_images = 0

    # Resuming

    def _count_valid(self, progress: ConversionProgress) -> int:
        """Return how many images an earlier process has stored, after checking that the dataset still holds them."""
        workspace = self._workspace
        if not self._backend.exists(workspace.store):
            workspace.checksums.truncate(0)
            return 0
        try:
            count = self._count_stored()
            if count > workspace.checksums.count:
                raise StoreError("it cannot be told what is in it.")
        except (StoreError, UnsupportedError) as error:
            self._notify(f"What was written cannot be continued, so the conversion starts over: {error}")
            count = 0
        if not count:
            workspace.clear()
            return 0
        workspace.checksums.truncate(count)
        for first in range(0, count, _COMPARED):
            progress("comparing", first, count)
            for record in self._records(first):
                if not self._preparer.is_unchanged(record):
                    raise changed_since(record)
        last = workspace.checksums.get(count - 1, 1)[0].index
        for index, (name, reason) in workspace.facts.get("excluded", {}).items():
            # Later images are tried again, unless the store was created for a fixed number of images.
            if int(index) < last or self._continuation is not Continuation.APPEND:
                self._excluded[int(index)] = Excluded(name, reason)
        return count

    def _records(self, first: int) -> list[ChecksumRecord]:
        """Return up to ``_COMPARED`` records from ``first`` on."""
        return self._workspace.checksums.get(first, min(_COMPARED, self._workspace.checksums.count - first))

    def _count_stored(self) -> int:
        """Return how many images of the store are valid."""
        store = self._workspace.store
        if self._continuation is Continuation.APPEND:  # an interrupted edit is rolled back
            self._backend.edit(store, self._sync).abort()
            return self._count_in_store()
        try:
            count = self._count_in_store()
        except StoreError:  # the process was killed before closing: there is no store to open yet
            if self._continuation is Continuation.RESTART:
                raise StoreError(f"storage {self._backend.name} is put together at its end.") from None
            return int(self._workspace.facts.get("safe", 0))
        self._whole = True
        return count

    def _count_in_store(self) -> int:
        with self._backend.open(self._workspace.store) as reader:
            return reader.content.count

    # Writing

    def _fill(self, progress: ConversionProgress) -> None:
        checksums = self._workspace.checksums
        grows = self._continuation is Continuation.APPEND
        after = checksums.get(checksums.count - 1, 1)[0].index + 1 if checksums.count else 0
        batches = self._preparer.batches(after, exact=not grows)
        if not grows:
            self._fill_fixed(batches, progress)
            return
        if not checksums.count:
            self._first_session(batches, progress)
        waiting = next(batches, None)
        while waiting is not None:
            editor = self._backend.edit(self._workspace.store, self._sync)
            try:
                ends = time.monotonic() + SESSION_S
                while waiting is not None:
                    self._write(editor, waiting, progress)
                    waiting = next(batches, None)
                    if time.monotonic() >= ends:
                        break
                self._end(editor)
            except BaseException:
                editor.abort()
                raise

    def _first_session(self, batches: Iterator[PreparedBatch], progress: ConversionProgress) -> None:
        """Create a store that can grow, with the images of the first session."""
        held: list[PreparedBatch] = []
        count = size = 0
        for batch in batches:
            held.append(batch)
            count += len(batch.records)
            size += batch.size
            if count >= FIRST_SESSION or size >= FIRST_SESSION_BYTES:
                break
        self._check_not_empty(count)
        writer = self._backend.create(self._workspace.store, self._content(count, size), self._sync)
        try:
            for batch in held:
                self._write(writer, batch, progress)
            self._end(writer)
        except BaseException:
            writer.abort()
            raise

    def _fill_fixed(self, batches: Iterator[PreparedBatch], progress: ConversionProgress) -> None:
        """Fill a store of a fixed number of images, or the rest of it."""
        workspace = self._workspace
        count = self._count - len(self._excluded)
        self._check_not_empty(count)
        if self._whole:
            self._make_durable(None)
            return
        again = workspace.checksums.count > 0
        writer = self._resume() if again else self._create(count)
        ends = time.monotonic() + SESSION_S if again else 0.0
        unsafe = unsafe_bytes = 0
        try:
            for batch in batches:
                self._write(writer, batch, progress)
                unsafe, unsafe_bytes = unsafe + len(batch.records), unsafe_bytes + batch.size
                due = unsafe >= FIRST_SESSION or unsafe_bytes >= FIRST_SESSION_BYTES
                if self._continuation is Continuation.RESUME and (time.monotonic() >= ends if ends else due):
                    self._checkpoint(writer)
                    ends = time.monotonic() + SESSION_S if self.durable_images else 0.0
            self._end(writer)
        except BaseException:
            writer.abort()
            raise

    def _create(self, count: int) -> Writer:
        workspace = self._workspace
        content = self._content(count, self._preparer.size_of_first() * count)
        workspace.facts["content"] = asdict(content)
        self._note_excluded()
        workspace.save()
        return self._backend.create(workspace.store, content, self._sync)

    def _resume(self) -> Writer:
        """Return a writer that continues the store of an earlier process after its last durable image.

        Raises:
            _NotResumableError: If the backend cannot continue it.
        """
        checksums = self._workspace.checksums
        records = [record for first in range(0, checksums.count, _COMPARED) for record in self._records(first)]
        labels = np.array([record.label for record in records], np.int64)
        sizes = np.array([record.size for record in records], np.int64)
        facts = self._workspace.facts["content"]
        shape = None if facts["shape"] is None else tuple(facts["shape"])
        label_names = tuple(facts.get("label_names", ()))
        kind = PayloadKind(facts["kind"])
        content = Content(**{**facts, "kind": kind, "shape": shape, "label_names": label_names})
        try:
            writer = self._backend.resume(self._workspace.store, content, labels, sizes)
        except StoreError as error:
            raise _NotResumableError(str(error)) from None
        if self._names is not None:
            for first in range(0, checksums.count, _COMPARED):
                names = [self._names.name(record.index) for record in records[first : first + _COMPARED]]
                writer.put_names(range(first, first + len(names)), names)
        return writer

    def _check_not_empty(self, count: int) -> None:
        """Refuse a conversion in which no image is left to store.

        Raises:
            DataError: If ``count`` is 0.
        """
        if not count:
            reasons = [f" The first: {entry.reason}" for _, entry in sorted(self._excluded.items())[:1]]
            raise DataError(f"{self._dataset.summary}: not one image can be used.{''.join(reasons)}")

    def _content(self, count: int, size: int) -> Content:
        shape, dtype = self._dataset.uniform or (None, None)
        has_labels, label_names = self._dataset.has_labels, self._dataset.label_names
        longest = 0 if self._names is None else self._names.longest
        return Content(count, self._kind, self._codec.name, shape, dtype, size, has_labels, label_names, longest)

    def _write(self, writer: Writer, batch: PreparedBatch, progress: ConversionProgress) -> None:
        checksums = self._workspace.checksums
        batch.names = self._names
        batch.put(writer, checksums.count, self._kind)
        checksums.append(batch.records)
        progress("writing", checksums.count, self._count - len(self._excluded))

    def _checkpoint(self, writer: Writer) -> None:
        """Make the written images durable: first their checksums, then the images, then that fact."""
        workspace = self._workspace
        workspace.checksums.force()
        safe = writer.checkpoint()
        if isinstance(self._backend, LocalBackend) and isinstance(workspace.store, Path):
            self._backend.make_durable(workspace.store)
        workspace.facts["safe"] = self.durable_images = safe
        workspace.save()

    def _end(self, writer: Writer) -> None:
        """Close the store after its checksums are durable."""
        self._workspace.checksums.force()
        if self._note_excluded():
            self._workspace.save()
        writer.close()
        self._make_durable(writer)

    def _make_durable(self, writer: Writer | None) -> None:
        changed = writer.changed_paths() if isinstance(writer, Editor) else None
        store = self._workspace.store
        if isinstance(self._backend, LocalBackend) and isinstance(store, Path):
            self._backend.make_durable(store, changed)
        self.durable_images = self._workspace.checksums.count

    def _note_excluded(self) -> bool:
        """Record the excluded images among the facts; return whether they have changed."""
        facts = {str(index): [image.name, image.reason] for index, image in self._excluded.items()}
        new: bool = facts != self._workspace.facts.get("excluded", {})
        self._workspace.facts["excluded"] = facts
        return new

    def _prepare_all(self, progress: ConversionProgress) -> None:
        """Prepare every image once, so that all that cannot be read are excluded before the store is created."""
        for index in range(self._count):
            if index not in self._excluded:
                try:
                    self._preparer.prepare(index)
                except BrokenImageError as error:
                    self._excluded[index] = error.excluded
            if not index % prepare.BATCH:
                progress("looking", index, self._count)


class _NotResumableError(Exception):
    """The store of an earlier process cannot be resumed."""
