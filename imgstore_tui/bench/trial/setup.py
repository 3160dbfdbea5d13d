"""Sets a request up: the spec's backend and codec, the pixel cache, and how images travel between them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from imgstore_tui.bench.protocol.messages import TrialRequest, TrialResult
from imgstore_tui.bench.trial.clock import Sample
from imgstore_tui.bench.trial.pixel_cache import PixelCache
from imgstore_tui.bench.trial.source_row import SourceRow
from imgstore_tui.bench.trial.store_access import StoreAccess, access_to
from imgstore_tui.core.backend import Backend, Content, PayloadKind
from imgstore_tui.core.codec import Codec, payload_kind
from imgstore_tui.core.content import RAW_CODEC
from imgstore_tui.core.location import Location
from imgstore_tui.core.operations import SHUFFLE_BATCH, CacheState, Operation, Payload
from imgstore_tui.core.spec import IN_PLACE
from imgstore_tui.plugins import registry

MOST_SAMPLES = 50
FEWEST_SAMPLES = 3
SAMPLING_S = 0.25
"""Seconds on the clock after which a trial takes no further sample."""

ReportProgress = Callable[[int], None]
"""Takes the number of images done."""


@dataclass(frozen=True, slots=True)
class TimedSamples:
    """What the clock measured, and what is still to be measured once it has stopped for good."""

    samples: Sequence[Sample]
    complete: Callable[[TrialResult], TrialResult]
    """Returns the result with what is measured off the clock: verification, disk usage, residency."""


@dataclass
class TrialSetup:
    """What a request works with."""

    request: TrialRequest
    backend: Backend
    codec: Codec
    pixel_cache: PixelCache
    report: ReportProgress
    access: StoreAccess
    dummy: Location | None = None
    """A store of one image, on which the library is used before a clock starts."""

    @classmethod
    def of(cls, request: TrialRequest, report: ReportProgress) -> TrialSetup:
        """Set a request up.

        Args:
            request: The request.
            report: Called with the number of images done.
        """
        spec = request.spec
        codec = registry.codecs.get(RAW_CODEC)({}) if request.payload is Payload.RAW else registry.make_codec(spec)
        backend: Backend = SourceRow(request.cutoff) if spec == IN_PLACE else registry.make_backend(spec)
        pixel_cache = PixelCache(Path(request.pixel_cache))
        return cls(request, backend, codec, pixel_cache, report, access_to(backend, request))

    def unreported(self) -> TrialSetup:
        """Return the same setup, which reports no progress."""
        return replace(self, report=lambda _: None)

    @property
    def in_place(self) -> bool:
        """Whether the user's own files are read, and there is no store."""
        return self.request.spec == IN_PLACE

    @property
    def payload_kind(self) -> PayloadKind:
        """Whether images travel as one array per batch or as bytes."""
        return payload_kind(self.backend, self.codec, uniform=self.pixel_cache.uniform is not None)

    @property
    def codec_timed(self) -> bool:
        """Whether encoding and decoding belong on the clock."""
        return self.request.payload is not Payload.ENCODED

    @property
    def cold(self) -> bool:
        """Whether the store must not be in memory when a reading clock starts."""
        return self.request.cache is CacheState.COLD

    @property
    def batch(self) -> int:
        """Most images per call."""
        return self.pixel_cache.batch_size(self.request.batch)

    @property
    def largest_call(self) -> int:
        """Images of the largest call of this request's operation."""
        if self.request.operation is Operation.READ_RANDOM:
            return min(SHUFFLE_BATCH, self.batch)
        return min(self.batch, self.request.operation.images(self.request.cutoff))

    def content(self, count: int) -> Content:
        """Return the content of a store of ``count`` images."""
        shape, dtype = self.pixel_cache.uniform or (None, None)
        cache = self.pixel_cache
        size = cache.original_bytes(count) if self.codec.from_file else cache.pixel_bytes(count)
        return Content(count, self.payload_kind, self.codec.name, shape, dtype, size)


def sample_numbers(samples: list[Sample], *, most: int = MOST_SAMPLES, wall_s: float | None = None) -> Iterator[int]:
    """Yield the number of the next sample until there are enough, or the time for them is spent.

    Args:
        samples: Samples taken so far; the caller appends.
        most: Samples that are enough.
        wall_s: Seconds of wall time after which no further sample is taken; None for no such limit.
    """
    began = time.monotonic()
    while len(samples) < min(FEWEST_SAMPLES, most) or (
        len(samples) < most
        and sum(sample.seconds for sample in samples) < SAMPLING_S
        and (wall_s is None or time.monotonic() - began < wall_s)
    ):
        yield len(samples)
