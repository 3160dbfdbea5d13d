"""Puts images into a collection as documents, and payloads that no document holds into GridFS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pymongo import ReplaceOne

from imgstore_tui.backends.mongodb.connection import write_concern
from imgstore_tui.backends.mongodb.layout import MOST_IN_DOCUMENT, slices
from imgstore_tui.core.operations import SyncLevel

if TYPE_CHECKING:
    from pymongo.write_concern import WriteConcern

    from imgstore_tui.backends.mongodb.connection import Documents
    from imgstore_tui.backends.mongodb.layout import LargePayloads
    from imgstore_tui.core.backend import Labels


class DocumentWriter:
    """Inserts and replaces documents, cut into requests by bytes; the last one of a batch makes all durable."""

    def __init__(self, collection: Documents, large: LargePayloads, *, one_by_one: bool) -> None:
        self._collection, self._large, self._one_by_one = collection, large, one_by_one
        self._requests = 0

    @property
    def requests(self) -> int:
        """Requests sent so far."""
        return self._requests + self._large.requests

    def insert(
        self,
        ids: Sequence[int],
        payloads: Sequence[bytes | memoryview],
        labels: Labels,
        concern: WriteConcern,
    ) -> None:
        """Insert one document an image; ``concern`` is that of the last request."""
        cuts = self._cuts(payloads)
        for number, cut in enumerate(cuts):
            documents = self._documents(ids[cut], payloads[cut], labels[cut])
            target = self._collection.with_options(write_concern=_of(concern, last=number == len(cuts) - 1))
            if self._one_by_one:
                target.insert_one(documents[0])
            else:
                target.insert_many(documents, ordered=False)
            self._requests += 1

    def replace(
        self,
        ids: Sequence[int],
        payloads: Sequence[bytes | memoryview],
        labels: Labels,
        concern: WriteConcern,
    ) -> None:
        """Replace documents, each as a whole; ``concern`` is that of the last request."""
        files = self.files_of(ids)
        cuts = self._cuts(payloads)
        for number, cut in enumerate(cuts):
            documents = self._documents(ids[cut], payloads[cut], labels[cut])
            target = self._collection.with_options(write_concern=_of(concern, last=number == len(cuts) - 1))
            target.bulk_write([ReplaceOne({"_id": document["_id"]}, document) for document in documents], ordered=False)
            self._requests += 1
        self._large.delete(files)

    def delete(self, condition: dict[str, Any], concern: WriteConcern) -> None:
        """Delete the documents whose ids meet a condition, and their files."""
        files = self.files_of(condition)
        self._collection.with_options(write_concern=concern).delete_many({"_id": condition})
        self._requests += 1
        self._large.delete(files)

    def files_of(self, ids: Sequence[int] | dict[str, Any]) -> list[Any]:
        """Return the ids of the files of images."""
        condition = ids if isinstance(ids, dict) else {"$in": [int(number) for number in ids]}
        self._requests += 1
        found = self._collection.find({"_id": condition, "file": {"$exists": True}}, {"_id": False, "file": True})
        return [document["file"] for document in found]

    def _cuts(self, payloads: Sequence[bytes | memoryview]) -> list[slice]:
        if self._one_by_one:
            return [slice(number, number + 1) for number in range(len(payloads))]
        return slices([len(payload) for payload in payloads])

    def _documents(
        self, ids: Sequence[int], payloads: Sequence[bytes | memoryview], labels: Labels
    ) -> list[dict[str, Any]]:
        documents = []
        for number, label, payload in zip(ids, labels.tolist(), payloads, strict=True):
            document: dict[str, Any] = {"_id": int(number), "label": label}
            if len(payload) > MOST_IN_DOCUMENT:
                document["file"] = self._large.put(bytes(payload), write_concern(SyncLevel.BUFFERED, last=False))
            else:
                document["data"] = bytes(payload)
            documents.append(document)
        return documents


def _of(concern: WriteConcern, *, last: bool) -> WriteConcern:
    return concern if last else write_concern(SyncLevel.BUFFERED, last=False)
