"""Defines the operations of trials, and the conditions under which they are measured."""

from __future__ import annotations

from enum import StrEnum


class Operation(StrEnum):
    """One way of using a store; ``describe`` says what is inside its clock."""

    WRITE_ONE = "write-one"
    WRITE_MANY = "write-many"
    READ_ONE = "read-one"
    GET_ONE = "get-one"
    READ_MANY = "read-many"
    READ_RANDOM = "read-random"
    READ_LABELS = "read-labels"
    APPEND = "append"
    OVERWRITE = "overwrite"
    DELETE = "delete"

    @property
    def changes(self) -> bool:
        """Whether the operation changes a store that is there."""
        return self in (Operation.APPEND, Operation.OVERWRITE, Operation.DELETE)

    @property
    def writes(self) -> bool:
        """Whether the operation makes or changes a store (and so has a sync level instead of a cache state)."""
        return self.changes or self in (Operation.WRITE_ONE, Operation.WRITE_MANY)

    def images(self, cutoff: int) -> int:
        """Return how many images one sample handles: one, all of the cutoff, or a hundredth of it, at least one."""
        if self in (Operation.WRITE_ONE, Operation.READ_ONE, Operation.GET_ONE):
            return 1
        return max(1, cutoff // 100) if self.changes else cutoff

    @property
    def describe(self) -> str:
        """What is inside the clock, in a sentence."""
        return _DESCRIPTIONS[self]


_DESCRIPTIONS = {
    Operation.WRITE_ONE: "create a store, put one image and its label, fsync as the level says, close",
    Operation.WRITE_MANY: "create a store, put N images by batches, fsync as the level says, close",
    Operation.READ_ONE: "open a store of N, read one random image and its label, close",
    Operation.GET_ONE: "in an open store of N, read one random image and its label",
    Operation.READ_MANY: "open a store of N, read all in order by batches, close",
    Operation.READ_RANDOM: "open a store of N, read all once in shuffled order by mini-batches of 64, close",
    Operation.READ_LABELS: "open a store of N, read all labels and no pixels, close",
    Operation.APPEND: "open a store of N, add 1 % more images, fsync as the level says, close",
    Operation.OVERWRITE: "open a store of N, replace 1 % of the images, fsync as the level says, close",
    Operation.DELETE: "open a store of N, remove 1 % of the images, fsync as the level says, close",
}


SHUFFLE_BATCH = 64
"""Mini-batch of ``read-random``: most images of a call."""


class CacheState(StrEnum):
    """Where a store's pages are when a reading clock starts."""

    HOT = "hot"
    COLD = "cold"


class SyncLevel(StrEnum):
    """What a write promises when its clock stops; never ranked across levels."""

    BUFFERED = "buffered"
    END = "end"
    BATCH = "batch"
    FORCED = "forced"
    """What ``buffered`` is for a library that forces part of its files by itself, which no option of its switches off,
    and for a server whose settings force what it acknowledges. It cannot be asked for."""


SYNC_LEVELS = (SyncLevel.BUFFERED, SyncLevel.END, SyncLevel.BATCH)
"""Those that a plan can ask for."""


class Payload(StrEnum):
    """What backends are given and give back."""

    END_TO_END = "end-to-end"
    ENCODED = "encoded"
    RAW = "raw"


class Status(StrEnum):
    """How a trial ended."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"
