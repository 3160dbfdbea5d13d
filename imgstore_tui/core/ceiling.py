"""Defines a ceiling: what the machine does without a storage method, measured in the same run, never ranked."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from imgstore_tui.core.operations import CacheState, Status, SyncLevel
from imgstore_tui.core.options import OptionValue


class CeilingKind(StrEnum):
    """What is done without a storage method."""

    COPY = "copy"
    FILE_READ = "file-read"
    FILE_WRITE = "file-write"
    DECODE = "decode"
    ENCODE = "encode"

    @property
    def describe(self) -> str:
        """What is inside the clock, in a few words."""
        return _DESCRIPTIONS[self]

    @property
    def is_codec(self) -> bool:
        """Whether it is a codec alone, in memory."""
        return self in (CeilingKind.DECODE, CeilingKind.ENCODE)


_DESCRIPTIONS = {
    CeilingKind.COPY: "copy pixels from memory to memory",
    CeilingKind.FILE_READ: "read one plain file from its beginning to its end",
    CeilingKind.FILE_WRITE: "write one plain file from its beginning to its end",
    CeilingKind.DECODE: "decode images in memory",
    CeilingKind.ENCODE: "encode images in memory",
}


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What one trial of a ceiling yielded. Bytes are those of pixels; what does not apply is None."""

    dataset: str
    kind: CeilingKind
    round: int
    codec: str | None = None
    codec_options: dict[str, OptionValue] = field(default_factory=dict)
    cache: CacheState | None = None
    """Cache state of a file that is read."""
    sync: SyncLevel | None = None
    """Sync level of a file that is written."""
    status: Status = Status.OK
    reason: str | None = None
    """Why it has no time, one sentence."""
    seconds: float | None = None
    """The (lower) median sample."""
    samples: tuple[float, ...] = ()
    bytes: int | None = None
    """Bytes that a sample handled: pixels of a codec or a copy, the whole of a file."""
    images: int | None = None
    """Images that a sample of a codec handled."""
    cache_proof: str | None = None
    foreign_cpu: float | None = None
    """Cores kept busy by others meanwhile."""
    started_at: str | None = None
    """UTC, ISO 8601."""

    @property
    def key(self) -> tuple[object, ...]:
        """What this trial is a repetition of."""
        options = tuple(sorted(self.codec_options.items()))
        return self.dataset, self.kind, self.codec, options, self.cache, self.sync

    @property
    def bytes_per_s(self) -> float | None:
        """Bytes per second; None where there is no time."""
        return self.bytes / self.seconds if self.bytes and self.seconds else None
