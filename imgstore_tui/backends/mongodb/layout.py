"""Defines the collection of a store: its mark, its manifest, a document an image, and GridFS for large ones.

The mark is a comment in the collection's validator, which is switched off. It is there from the moment at which the
collection is, and the server lists it with the name; so whatever a process leaves that dies is known as ours. The
manifest is a document with a text as its id; images have numbers.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from gridfs import GridFSBucket
from pymongo import errors

from imgstore_tui.backends.mongodb.connection import driver_errors
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.live_ids import LiveIds, next_id_in
from imgstore_tui.core.manifest import foreign, read_manifest
from imgstore_tui.storekit.store_errors import damaged_error

if TYPE_CHECKING:
    from pymongo.database import Database
    from pymongo.write_concern import WriteConcern

    from imgstore_tui.backends.mongodb.connection import Documents
    from imgstore_tui.core.backend import Content, Labels
    from imgstore_tui.core.location import ServerLocation

NAME = "mongodb"
FORMAT = f"imgstore-tui {NAME}"
MANIFEST = "manifest"
MOST_IN_DOCUMENT = 16 * 2**20 - 2**10
"""A document takes 16 MiB with its names and numbers; a larger payload goes to GridFS."""
GRIDFS_CHUNK = 4 * 2**20
"""Bytes of a chunk of GridFS: few requests a payload, and far from the limit of a document."""
SLICE_BYTES = 16 * 2**20
"""Payloads of one request; the driver would take 48 MB, and holds them twice."""
_BUCKET_PREFIX = "imgstore_tui_files_"
_NAMESPACE_EXISTS = 48


@dataclass(frozen=True, slots=True)
class Mark:
    """What the validator of a collection of ours says."""

    bucket: str
    """Bucket of GridFS for the large payloads of the store; it is made when the first one comes."""
    part: bool
    """Whether the collection is a part of that bucket, not a store."""


def new_bucket() -> str:
    """Return the name of a bucket that is nobody's. A store that gets another name keeps its bucket."""
    return f"{_BUCKET_PREFIX}{uuid.uuid4().hex}"


def create_collection(
    database: Database[dict[str, Any]], name: str, mark: Mark, compression: str, concern: WriteConcern
) -> None:
    """Create a collection with its mark, in one step.

    Raises:
        OperationFailure: If something of that name is there.
    """
    comment = f"{FORMAT}{' part of' if mark.part else ''} {mark.bucket}"
    database.create_collection(
        name,
        check_exists=False,
        write_concern=concern,
        validator={"$comment": comment},
        validationLevel="off",
        storageEngine={"wiredTiger": {"configString": f"block_compressor={compression}"}},
    )


def marks(database: Database[dict[str, Any]]) -> dict[str, Mark | None]:
    """Return all collections and views of a database by name, with the mark of those that are ours."""
    return {entry["name"]: _mark_in(entry.get("options", {})) for entry in database.list_collections()}


def _mark_in(options: Mapping[str, Any]) -> Mark | None:
    validator = options.get("validator")
    comment = validator.get("$comment") if isinstance(validator, Mapping) else None
    if not isinstance(comment, str) or not comment.startswith(f"{FORMAT} "):
        return None
    bucket = comment.rpartition(" ")[2]
    return Mark(bucket, comment.startswith(f"{FORMAT} part of ")) if bucket.startswith(_BUCKET_PREFIX) else None


@dataclass(frozen=True, slots=True)
class StoreState:
    """What a store says of itself."""

    content: Content
    manifest: Mapping[str, Any]
    live_ids: LiveIds
    revision: int
    """Counts the changes of the manifest, so that of two processes that change it at once one is refused."""
    pending: Sequence[int]
    """Ids that are deleted, though their documents may still be there: whoever deleted them has died."""
    bucket: str

    @property
    def ids(self) -> dict[str, Any]:
        """The condition on the ids of its images; documents beyond are of an append that was not finished."""
        condition: dict[str, Any] = {"$gte": 0, "$lt": self.live_ids.next_id}
        return condition | ({"$nin": list(self.pending)} if self.pending else {})


def look_at(collection: Documents, location: ServerLocation) -> StoreState:
    """Return what a store says of itself.

    Raises:
        StoreError: If it is missing, foreign, damaged or not finished.
    """
    with driver_errors(location, "read"):
        document = collection.find_one({"_id": MANIFEST})
        if document is None:
            there = marks(collection.database)
            if location.name not in there:
                raise StoreError(f"{location} does not exist.")
            mark = there[location.name]
            if mark is None or mark.part:
                raise foreign(NAME, location)
            raise StoreError(f"{location} was never finished: the process that wrote it has gone.")
        text, revision, pending = (document.get(name) for name in ("text", "revision", "deleting"))
        if not isinstance(text, str):
            raise foreign(NAME, location)
        content, manifest = read_manifest(text, NAME, location)
        next_id, bucket = next_id_in(manifest, content, location), manifest.get("bucket")
        whole = isinstance(pending, list) and all(isinstance(number, int) for number in pending)
        if not whole or not isinstance(revision, int) or not isinstance(bucket, str):
            raise damaged_error(location, "what it says of its content makes no sense")
        state = StoreState(content, manifest, LiveIds(next_id), revision, pending, bucket)
        if next_id == content.count:
            return state
        present = numbers(collection, location, state.ids, "_id", content.count)
        deleted = np.delete(np.arange(next_id), present)
        return StoreState(content, manifest, LiveIds.of(location, content, next_id, deleted), revision, pending, bucket)


def numbers(collection: Documents, location: ServerLocation, ids: Mapping[str, Any], field: str, count: int) -> Labels:
    """Return one whole number of each image, in the order of the ids, without the payloads.

    Args:
        collection: The store.
        location: For messages.
        ids: Condition on the ids.
        field: ``_id`` or ``label``.
        count: How many there must be.

    Raises:
        StoreError: If there are more or fewer, or one is no number.
    """
    projection = {"_id": field == "_id"} | ({} if field == "_id" else {field: True})
    cursor = collection.find({"_id": dict(ids)}, projection).sort("_id", 1).batch_size(1_000_000)
    try:
        values = np.fromiter((document[field] for document in cursor), np.int64)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise damaged_error(location, f"an image in it has no {field.strip('_')}") from None
    if len(values) != count:
        raise incomplete(location)
    return values


def incomplete(location: ServerLocation) -> StoreError:
    """Return the error for a store in which documents are missing."""
    return damaged_error(location, "images are missing in it")


class LargePayloads:
    """Payloads that no document holds: files of a bucket of GridFS, which belongs to one store."""

    def __init__(self, database: Database[dict[str, Any]], bucket: str, compression: str = "none") -> None:
        self._database, self._name, self._compression = database, bucket, compression
        self._files: GridFSBucket | None = None
        self.requests = 0

    def put(self, payload: bytes, concern: WriteConcern) -> Any:
        """Store a payload; return the id of its file."""
        if self._files is None:
            for part in ("files", "chunks"):
                try:
                    mark = Mark(self._name, part=True)
                    create_collection(self._database, f"{self._name}.{part}", mark, self._compression, concern)
                except errors.OperationFailure as error:
                    if error.code != _NAMESPACE_EXISTS:
                        raise
            self._files = GridFSBucket(self._database, self._name, GRIDFS_CHUNK, concern)
            self.requests += 2
        self.requests += 1 - -len(payload) // GRIDFS_CHUNK
        return self._files.upload_from_stream("image", payload)

    def get(self, file_id: Any) -> bytes:
        """Return a payload."""
        payload: bytes = self._bucket().open_download_stream(file_id).read()
        self.requests += 1 - -len(payload) // GRIDFS_CHUNK
        return payload

    def delete(self, file_ids: Sequence[Any]) -> None:
        """Delete payloads."""
        for file_id in file_ids:
            self._bucket().delete(file_id)
            self.requests += 2

    def _bucket(self) -> GridFSBucket:
        return self._files or GridFSBucket(self._database, self._name, GRIDFS_CHUNK)


def slices(sizes: Sequence[int]) -> list[slice]:
    """Cut a batch so that the payloads of each slice fit into one request; a large one is alone."""
    cuts, start, total = [], 0, 0
    for position, size in enumerate(sizes):
        if position > start and total + size > SLICE_BYTES:
            cuts.append(slice(start, position))
            start, total = position, 0
        total += size
    return [*cuts, slice(start, len(sizes))] if len(sizes) else []
