"""What a request works with: the spec's backend and codec, the source, and how images travel between them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from imgstore_tui.bench.protocol.messages import TrialRequest
from imgstore_tui.bench.trial.clock import Sample
from imgstore_tui.bench.trial.pixel_cache import PixelCache
from imgstore_tui.bench.trial.source_row import SourceRow
from imgstore_tui.core.backend import Content, PayloadKind
from imgstore_tui.core.codec import Codec, payload_kind
from imgstore_tui.core.content import RAW_CODEC
from imgstore_tui.core.operations import CacheState, Operation, Payload
from imgstore_tui.core.spec import IN_PLACE
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.local import LocalBackend

MOST_SAMPLES = 50
FEWEST_SAMPLES = 3
SHUFFLE_BATCH = 64
"""Mini-batch of ``read-random``."""
SAMPLING_S = 0.25
"""A trial of many samples stops taking more after so many seconds on the clock."""

ReportProgress = Callable[[int], None]
TimedSamples = tuple[list[Sample], Callable[[], dict[str, Any]]]
"""The samples of a trial, and what is still to be found out about it once the clock has stopped for good."""


@dataclass
class TrialSetup:
    """A request, set up."""

    request: TrialRequest
    backend: LocalBackend
    codec: Codec
    pixel_cache: PixelCache
    report: ReportProgress
    dummy: Path | None = None
    """A store of one image, to use the library on before a clock starts."""

    @classmethod
    def of(cls, request: TrialRequest, report: ReportProgress) -> TrialSetup:
        """Set up for a request."""
        codec = (
            registry.codecs.get(RAW_CODEC)({}) if request.payload is Payload.RAW else registry.make_codec(request.spec)
        )
        backend = SourceRow(request.cutoff) if request.spec == IN_PLACE else registry.make_local(request.spec)
        return cls(request, backend, codec, PixelCache(Path(request.pixel_cache)), report)

    def unreported(self) -> TrialSetup:
        """Return the same, but nobody hears how many images are done."""
        return replace(self, report=lambda _: None)

    @property
    def in_place(self) -> bool:
        """Whether it is the user's own files that are read, and there is no store."""
        return self.request.spec == IN_PLACE

    @property
    def kind(self) -> PayloadKind:
        """Whether images travel as one array a batch or as bytes."""
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
        """Images a call hands over."""
        return self.pixel_cache.batch_size(self.request.batch)

    @property
    def most_a_call(self) -> int:
        """Most images that a call of this request's operation hands over."""
        if self.request.operation is Operation.READ_RANDOM:
            return min(SHUFFLE_BATCH, self.batch)
        return min(self.batch, self.request.operation.images(self.request.cutoff))

    def content(self, count: int) -> Content:
        """Return what a store of ``count`` images holds."""
        shape, dtype = self.pixel_cache.uniform or (None, None)
        size = self.pixel_cache.original_bytes(count) if self.codec.from_file else self.pixel_cache.pixel_bytes(count)
        return Content(count, self.kind, self.codec.name, shape, dtype, size)


def sample_numbers(samples: list[Sample], *, most: int = MOST_SAMPLES, wall_s: float | None = None) -> Iterator[int]:
    """Count samples until there are enough, or the time for them is spent.

    Args:
        samples: What has been taken so far; the caller appends.
        most: Samples that are enough.
        wall_s: Seconds after which no further one is taken, whatever the clock says; None for no such limit.
    """
    began = time.monotonic()
    while len(samples) < min(FEWEST_SAMPLES, most) or (
        len(samples) < most
        and sum(sample.seconds for sample in samples) < SAMPLING_S
        and (wall_s is None or time.monotonic() - began < wall_s)
    ):
        yield len(samples)
