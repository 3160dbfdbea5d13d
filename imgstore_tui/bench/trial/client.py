"""Reads a store as one of several clients: opened and checked before a common start, then timed over a window."""

from __future__ import annotations

import gc
import itertools
import random
import time
from array import array
from collections.abc import Iterator, Sequence

import numpy as np

from imgstore_tui.bench.protocol.client_messages import ClientFigures, ClientRequest
from imgstore_tui.bench.trial.clock import Clock
from imgstore_tui.bench.trial.read_pass import in_order, new_buffer, read_batch
from imgstore_tui.bench.trial.settle import wait_for_writeback
from imgstore_tui.bench.trial.setup import TrialSetup
from imgstore_tui.bench.trial.spot_check import SpotCheck
from imgstore_tui.bench.trial.verifier import Verifier
from imgstore_tui.core.backend import PayloadKind
from imgstore_tui.core.client_round import ClientWork
from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.core.operations import SHUFFLE_BATCH, Operation

SPIN_S = 0.002
"""Before the agreed instant a client spins for this long: a sleep may end later than asked for."""
CHECK_SHARE = 0.01
"""Most of a client's time that comparing what it reads may take."""
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_ORDERED_IDS = 1_000_000
"""Ids whose order is drawn before the clock starts; further passes repeat them."""
_SINGLE_IDS = 10_000
_NANO = 1e-9


class ClientTrial:
    """One client of a round: open, checked and warm once it is made."""

    def __init__(self, request: ClientRequest) -> None:
        """Open the store, and compare what this client will read with the source.

        Raises:
            StoreError: If the store cannot be read, or holds other images than the source.
            UnsupportedError: If there is nothing for this client to read.
        """
        self._request = request
        self._setup = TrialSetup.of(request.trial, lambda _: None)
        setup = self._setup
        ids = ids_of(request)
        if not ids:
            raise UnsupportedError(f"{request.clients} clients cannot share {request.trial.cutoff} images.")
        self._passes = _passes(request, ids, setup.batch)
        largest = max(len(batch) for batch in self._passes[0])
        self._buffer = new_buffer(setup, largest)
        self._payloads_alone = setup.payload_kind is PayloadKind.BYTES and not setup.codec_timed
        checked = in_order(len(ids), setup.batch)
        self._spots = SpotCheck(
            request.trial.cutoff, max(largest, len(checked[0])), payloads=self._payloads_alone, same_places=True
        )
        self._spots.prepare(self._buffer)
        self._reader = setup.backend.open(setup.access.location)
        verifier, buffer = Verifier(setup.pixel_cache, setup.codec), new_buffer(setup, len(checked[0]))
        for positions in checked:
            batch = ids[positions[0] : positions[-1] + 1]
            read_batch(setup, self._reader, batch, buffer, Clock(), verifier)
            self._spots.copy_checked(batch, buffer)
        # What is used for the first time costs more: the calls that are timed have been made once.
        read_batch(setup, self._reader, self._passes[0][0], self._buffer, Clock())
        wait_for_writeback()
        gc.collect()
        gc.disable()

    def run(self, instant: float) -> ClientFigures:
        """Wait for an instant of ``time.perf_counter``, then read until the window is over, or one pass is done.

        Raises:
            StoreError: If a call fails, or what it brings is not what was checked.
        """
        setup, reader, buffer, spots = self._setup, self._reader, self._buffer, self._spots
        window = int(self._request.window_s / _NANO)
        clock, latencies = Clock(), array("q")
        is_uniform = setup.pixel_cache.uniform is not None
        images = pixel_bytes = compared = 0
        poisoned = is_compared = False
        now = time.perf_counter_ns
        with clock.running():
            late_s = wait_until(instant)
            begin = end = now()
            for batch in self._batches(endless=window > 0):
                started = now()
                read_batch(setup, reader, batch, buffer, clock)
                end = now()
                latencies.append(end - started)
                images += len(batch)
                if not is_uniform:
                    pixel_bytes += setup.pixel_cache.pixel_bytes_of(batch)
                if window and end - begin >= window:
                    is_compared = False
                    break
                # By pairs: the first inverts what is compared, so that a call which brings nothing shows in the second.
                is_compared = poisoned or compared <= CHECK_SHARE * (end - begin)
                if is_compared:
                    spots.copy_timed(batch, buffer)
                    spots.compare(batch)
                    poisoned = not poisoned
                    compared += now() - end
        if not is_compared:
            # What is compared is inverted by that: a second look would see it.
            spots.copy_timed(batch, buffer)
            spots.compare(batch)
        return ClientFigures(
            images=images,
            pixel_bytes=images * setup.pixel_cache.largest_bytes if is_uniform else pixel_bytes,
            seconds=(end - begin) * _NANO,
            begin_s=begin * _NANO - instant,
            late_s=late_s,
            requests=len(latencies),
            latency_s=quantiles(latencies),
        )

    def _batches(self, *, endless: bool) -> Iterator[Sequence[int]]:
        passes = itertools.cycle(self._passes) if endless else self._passes[:1]
        return itertools.chain.from_iterable(passes)

    def close(self) -> None:
        """Close the store."""
        self._reader.close()


def ids_of(request: ClientRequest) -> Sequence[int]:
    """Return the images of a client: all, or its share of them."""
    count = request.trial.cutoff
    if request.work is ClientWork.ALL:
        return range(count)
    return range(request.number * count // request.clients, (request.number + 1) * count // request.clients)


def _passes(request: ClientRequest, ids: Sequence[int], most: int) -> list[list[Sequence[int]]]:
    """Return the calls of one or several passes, drawn before the clock starts.

    Args:
        request: The request.
        ids: The images of the client.
        most: Most images per call.
    """
    operation = request.trial.operation
    if operation is Operation.READ_MANY:
        return [[ids[batch[0] : batch[-1] + 1] for batch in in_order(len(ids), most)]]
    order = random.Random(f"{request.trial.seed}/{request.number}")  # noqa: S311 - an order, not a secret
    if operation is Operation.GET_ONE:
        return [[(order.choice(ids),) for _ in range(_SINGLE_IDS)]]
    if operation is not Operation.READ_RANDOM:
        raise UnsupportedError(f"Several clients do not run {operation}.")
    size, passes = min(SHUFFLE_BATCH, most), list[list[Sequence[int]]]()
    for _ in range(max(1, min(8, _ORDERED_IDS // len(ids)))):
        shuffled = list(ids)
        order.shuffle(shuffled)
        passes.append([shuffled[start : start + size] for start in range(0, len(shuffled), size)])
    return passes


def wait_until(instant: float) -> float:
    """Sleep and then spin until an instant of ``time.perf_counter``; return how late it became, seconds."""
    while (left := instant - time.perf_counter()) > 0:
        if left > 2 * SPIN_S:
            time.sleep(left - SPIN_S)
    return -left


def quantiles(nanoseconds: Sequence[int]) -> dict[str, float]:
    """Return the quantiles of what calls took, seconds; those left out for which there were too few calls."""
    told = {name: q for name, q in QUANTILES.items() if len(nanoseconds) * (1 - q) >= 1}
    if not told:
        return {}
    values = np.quantile(np.asarray(nanoseconds, np.int64), list(told.values()), method="inverted_cdf")
    return {name: float(value) * _NANO for name, value in zip(told, values, strict=True)}
