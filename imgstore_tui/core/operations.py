"""What a trial can do, and the states under which it is measured."""

from __future__ import annotations

from enum import StrEnum


class Operation(StrEnum):
    """One way of using a store; what each includes stands in the README and in ``describe``."""

    WRITE_ONE = "write-one"
    WRITE_MANY = "write-many"
    READ_ONE = "read-one"
    READ_MANY = "read-many"
    READ_RANDOM = "read-random"
    READ_LABELS = "read-labels"

    @property
    def writes(self) -> bool:
        """Whether the operation makes a store (and so has a sync level instead of a cache state)."""
        return self in (Operation.WRITE_ONE, Operation.WRITE_MANY)

    @property
    def images_per_sample(self) -> int | None:
        """How many images one sample handles: 1, or None for all of the cutoff."""
        return 1 if self in (Operation.WRITE_ONE, Operation.READ_ONE) else None

    @property
    def describe(self) -> str:
        """What is inside the clock, in a sentence."""
        return _DESCRIPTIONS[self]


_DESCRIPTIONS = {
    Operation.WRITE_ONE: "create a store, put one image and its label, sync as asked, close",
    Operation.WRITE_MANY: "create a store, put N images by batches, sync as asked, close",
    Operation.READ_ONE: "open a store of N, read one random image and its label, close",
    Operation.READ_MANY: "open a store of N, read all in order by batches, close",
    Operation.READ_RANDOM: "open a store of N, read all once in shuffled order by mini-batches of 64, close",
    Operation.READ_LABELS: "open a store of N, read all labels and no pixels, close",
}


class CacheState(StrEnum):
    """Where a store's pages are when a reading clock starts."""

    HOT = "hot"
    COLD = "cold"


class SyncLevel(StrEnum):
    """What a write promises when its clock stops; never ranked across levels."""

    BUFFERED = "buffered"
    END = "end"
    BATCH = "batch"


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
