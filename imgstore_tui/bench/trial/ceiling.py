"""Measures what the machine does without a storage method: a codec in memory, a plain file, a copy of memory."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from imgstore_tui.bench.protocol.messages import TrialRequest, TrialResult
from imgstore_tui.bench.system.page_cache import recycle_page_frames
from imgstore_tui.bench.trial.cache_state import prepare_cache, proof
from imgstore_tui.bench.trial.clock import Clock, Sample
from imgstore_tui.bench.trial.pixel_cache import PixelCache
from imgstore_tui.bench.trial.read_buffer import ReadBuffer
from imgstore_tui.bench.trial.setup import TimedSamples, sample_numbers
from imgstore_tui.core.backend import PayloadKind, Reader
from imgstore_tui.core.ceiling import CeilingKind
from imgstore_tui.core.content import Content
from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.core.operations import CacheState, SyncLevel
from imgstore_tui.plugins import registry

if TYPE_CHECKING:
    from imgstore_tui.core.codec import Codec
    from imgstore_tui.core.content import Labels, Pixels

PIECE_BYTES = 1 << 20
"""Bytes that a call reads or writes: larger ones gain nothing."""
LEAST_FILE_BYTES = 8 << 20
"""Smallest plain file: opening and closing it must not count."""
MOST_FILE_BYTES = 64 << 20
MOST_CODEC_BYTES = 64 << 20
"""Most pixels that a codec is measured with."""
CODEC_S = 0.3
"""Seconds after which a codec gets no further batch."""
FREE_SHARE = 0.25
"""Largest share of the free space that the plain file may take."""
MOST_SAMPLES = 5


def timed_ceiling(request: TrialRequest) -> Callable[[Clock], TimedSamples]:
    """Prepare the trial of a ceiling off the clock; return what runs it.

    Args:
        request: The request; its location is a path for the plain file, which does not exist yet.

    Raises:
        UnsupportedError: If there is no room for the file, or it cannot be made cold.
    """
    cache = PixelCache(Path(request.pixel_cache))
    match request.ceiling:
        case CeilingKind.DECODE:
            return _CodecTrial.of(request, cache).decode
        case CeilingKind.ENCODE:
            return _CodecTrial.of(request, cache).encode
        case CeilingKind.COPY:
            return _copy(request, cache)
        case CeilingKind.FILE_READ:
            return _FileTrial.of(request, cache).read
        case CeilingKind.FILE_WRITE:
            return _FileTrial.of(request, cache).write
    raise ValueError("a request of a ceiling names its kind")


def file_bytes(cache: PixelCache, cutoff: int) -> int:
    """Return the size of the plain file: that of the pixels, within bounds."""
    return min(MOST_FILE_BYTES, max(LEAST_FILE_BYTES, cache.pixel_bytes(cutoff), cache.original_bytes(cutoff)))


def _material(cache: PixelCache, size: int) -> NDArray[np.uint8]:
    """Return bytes of the run's own images in private memory: a file system may compress what others would be."""
    parts: list[NDArray[np.uint8]] = []
    left, image_id = size, 0
    while left > 0 and image_id < cache.distinct:
        if cache.has_pixels:
            part = np.ascontiguousarray(cache.image(image_id)).reshape(-1).view(np.uint8)
        else:
            part = np.frombuffer(cache.original(image_id), np.uint8)
        parts.append(part[:left])
        left -= len(parts[-1])
        image_id += 1
    return np.resize(np.concatenate(parts), size)


def _copy(request: TrialRequest, cache: PixelCache) -> Callable[[Clock], TimedSamples]:
    """Prepare copies as a read makes them: from memory that holds all images into a buffer of one batch."""
    source = _material(cache, file_bytes(cache, request.cutoff))
    batch = min(len(source), max(1, cache.batch_size(request.batch) * cache.largest_bytes))
    buffer = np.ones(batch, np.uint8)

    def run(clock: Clock) -> TimedSamples:
        samples: list[Sample] = []
        for _ in sample_numbers(samples, most=MOST_SAMPLES):
            clock.start()
            for start in range(0, len(source), batch):
                piece = source[start : start + batch]
                np.copyto(buffer[: len(piece)], piece)
            clock.lap("storage")
            clock.stop()
            samples.append(clock.take_sample(len(source)))
        return TimedSamples(samples, lambda result: result)

    return run


@dataclass
class _FileTrial:
    request: TrialRequest
    path: Path
    data: NDArray[np.uint8]
    step: int
    """Bytes after which the level ``batch`` forces."""

    @classmethod
    def of(cls, request: TrialRequest, cache: PixelCache) -> _FileTrial:
        size, path = file_bytes(cache, request.cutoff), Path(request.location)
        free = os.statvfs(path.parent)
        if size > FREE_SHARE * free.f_bavail * free.f_frsize:
            raise UnsupportedError("There is too little free space for a plain file to compare with.")
        step = max(PIECE_BYTES, cache.batch_size(request.batch) * max(1, cache.largest_bytes))
        trial = cls(request, path, _material(cache, size), step)
        if request.ceiling is CeilingKind.FILE_READ:
            trial._write(SyncLevel.END)
        else:
            recycle_page_frames(path.parent, 2 * size)  # as before every trial that writes
        return trial

    def read(self, clock: Clock) -> TimedSamples:
        """Read the file into a buffer that is used again, as often as its cache state allows."""
        cold = self.request.cache is CacheState.COLD
        buffer = bytearray(PIECE_BYTES)
        view = memoryview(buffer)
        if not cold:
            self._read(view)
        share = prepare_cache([self.path], self.path, cold=cold, drop_caches=self.request.drop_caches)
        samples: list[Sample] = []
        for _ in sample_numbers(samples, most=1 if cold else MOST_SAMPLES):
            clock.start()
            done = self._read(view)
            clock.lap("storage")
            clock.stop()
            samples.append(clock.take_sample(done))
        self.path.unlink()
        text = proof(share, cold=cold, drop_caches=self.request.drop_caches)
        return TimedSamples(samples, lambda result: replace(result, resident_before=share, cache_proof=text))

    def _read(self, view: memoryview) -> int:
        descriptor = os.open(self.path, os.O_RDONLY)
        done = 0
        try:
            while count := os.readv(descriptor, [view]):
                done += count
        finally:
            os.close(descriptor)
        return done

    def write(self, clock: Clock) -> TimedSamples:
        """Write the file once at the sync level of the request."""
        clock.start()
        self._write(self.request.sync)
        clock.lap("storage")
        clock.stop()
        sample = clock.take_sample(len(self.data))

        def complete(result: TrialResult) -> TrialResult:
            # Forced off the clock, so that the next trial does not pay for it.
            descriptor = os.open(self.path, os.O_RDONLY)
            try:
                began = time.perf_counter()
                os.fsync(descriptor)
                drained = time.perf_counter() - began
            finally:
                os.close(descriptor)
            self.path.unlink()
            return replace(result, drain_s=drained)

        return TimedSamples([sample], complete)

    def _write(self, level: SyncLevel) -> None:
        view, forced = self.data.data, 0
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            start = 0
            while start < len(view):
                start += os.write(descriptor, view[start : start + PIECE_BYTES])
                if level is SyncLevel.BATCH and start - forced >= self.step:
                    os.fsync(descriptor)
                    forced = start
            if level is SyncLevel.END or (level is SyncLevel.BATCH and forced < start):
                os.fsync(descriptor)
        finally:
            os.close(descriptor)


@dataclass
class _CodecTrial:
    cache: PixelCache
    codec: Codec
    batches: list[range]

    @classmethod
    def of(cls, request: TrialRequest, cache: PixelCache) -> _CodecTrial:
        codec = registry.make_codec(request.spec)
        count = max(1, min(request.cutoff, MOST_CODEC_BYTES // max(1, cache.largest_bytes)))
        size = min(count, cache.batch_size(request.batch))
        return cls(cache, codec, [range(at, min(at + size, count)) for at in range(0, count, size)])

    def encode(self, clock: Clock) -> TimedSamples:
        """Encode images in private memory, batch by batch."""
        first = self._copies(self.batches[0])
        self.codec.encode(first[0])  # what the library does once is done
        return self._passes(clock, self._encode_batch)

    def _encode_batch(self, ids: range, clock: Clock) -> None:
        images, encode = self._copies(ids), self.codec.encode
        clock.start()
        _ = [encode(image) for image in images]
        clock.lap("codec")
        clock.stop()

    def decode(self, clock: Clock) -> TimedSamples:
        """Decode payloads in memory into the buffer that reads use, batch by batch."""
        buffer = ReadBuffer(self.cache, self.codec, PayloadKind.BYTES, len(self.batches[0]))
        payloads, began = dict[range, list[bytes]](), time.monotonic()
        for ids in self.batches:
            payloads[ids] = self._payloads(ids)
            if time.monotonic() - began > CODEC_S:
                break  # encoding may take far longer than decoding
        self.batches = list(payloads)

        def decode_batch(ids: range, clock: Clock) -> None:
            buffer.fetch(_Payloads(payloads[ids]), range(len(ids)))
            clock.start()
            buffer.decode()
            clock.lap("codec")
            clock.stop()

        decode_batch(self.batches[0], Clock())  # what the library does once is done
        return self._passes(clock, decode_batch)

    def _passes(self, clock: Clock, handle: Callable[[range, Clock], None]) -> TimedSamples:
        """Handle the batches until the time for them is spent, at least one, and the same ones again."""
        handled = list[range]()
        for ids in self.batches:
            handle(ids, clock)
            handled.append(ids)
            if clock.phases.get("codec", 0) > CODEC_S * 1e9:
                break
        done = sum(map(len, handled))
        samples = [clock.take_sample(self.cache.pixel_bytes(done))]
        while len(samples) < MOST_SAMPLES and sum(sample.seconds for sample in samples) < CODEC_S:
            for ids in handled:
                handle(ids, clock)
            samples.append(clock.take_sample(self.cache.pixel_bytes(done)))
        return TimedSamples(samples, lambda result: replace(result, images=done))

    def _copies(self, ids: Sequence[int]) -> list[Pixels]:
        if self.cache.uniform is not None:
            array = self.cache.new_array(len(ids))
            self.cache.copy_into(ids, array)
            return list(array)
        return [self.cache.image(image_id).copy() for image_id in ids]

    def _payloads(self, ids: Sequence[int]) -> list[bytes]:
        if self.codec.from_file:
            return [self.cache.original(image_id) for image_id in ids]
        return [self.codec.encode(image) for image in self._copies(ids)]


class _Payloads(Reader):
    """Hands out payloads that are in memory."""

    def __init__(self, payloads: list[bytes]) -> None:
        self.content = Content(len(payloads), PayloadKind.BYTES, "")
        self._held = payloads

    def read_bytes(self, ids: Sequence[int], labels: Labels) -> list[bytes]:
        """Return all of them."""
        labels[:] = 0
        return self._held

    def read_labels(self) -> Labels:
        """Return a zero for each."""
        return np.zeros(len(self._held), np.int64)

    def close(self) -> None:
        """Do nothing."""
