"""Prints how much processor time each library takes for the same images in the same format.

    python -m tests.benchmarks.codec_libraries [--rounds 15] [--sizes 32,256,1024]

A ratio is the other library's time over that of the one that the codec uses: below 1 the other is faster. Rounds
alternate between the two; the ratio is the median of the rounds, with their range. What is not installed has no rows:
``pip install qoi simplejpeg backports.zstd fpng imagecodecs`` gets all of them.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from imgstore_tui import registry

_SECONDS = 0.05
"""What one library gets in a round, at least."""


@dataclass(frozen=True)
class Contest:
    """One job that two libraries can do: the first is the one that the codec uses."""

    job: str
    chosen: tuple[str, Callable[[Any], Any]]
    other: tuple[str, Callable[[Any], Any]]
    needs: tuple[str, ...]
    encoded: Callable[[Any], Any] | None = None
    """Makes what is to be decoded, where the job is not to encode."""


def contests() -> list[Contest]:
    """Return every job with its two libraries; those that are not installed are imported by nothing."""

    def library(name: str) -> Any:
        return importlib.import_module(name)

    def zstd(level: int) -> Any:
        module = library("backports.zstd")
        compressor = module.ZstdCompressor(level)
        return lambda image: compressor.compress(image.tobytes(), compressor.FLUSH_FRAME)

    codecs, qoi, fpng, turbo = "imagecodecs", "qoi", "fpng", "simplejpeg"
    pairs = [
        Contest(
            "qoi write", (codecs, lambda image: library(codecs).qoi_encode(image)),
            (qoi, lambda image: library(qoi).encode(image)), (codecs, qoi),
        ),
        Contest(
            "qoi read", (codecs, lambda data: library(codecs).qoi_decode(data)),
            (qoi, lambda data: library(qoi).decode(data)), (codecs, qoi), lambda image: library(qoi).encode(image),
        ),
        Contest(
            "jpeg-fast write", (turbo, lambda image: library(turbo).encode_jpeg(image, 90, "RGB", "420")),
            (codecs, lambda image: library(codecs).jpeg8_encode(image, 90, subsampling="420")), (codecs, turbo),
        ),
        Contest(
            "jpeg-fast read", (turbo, lambda data: library(turbo).decode_jpeg(data, "RGB")),
            (codecs, lambda data: library(codecs).jpeg8_decode(data)), (codecs, turbo),
            lambda image: library(turbo).encode_jpeg(image, 90, "RGB", "420"),
        ),
        Contest(
            "png-fast write", (fpng, lambda image: library(fpng).from_ndarray(image)),
            (f"{codecs} level 1", lambda image: library(codecs).png_encode(image, level=1)), (codecs, fpng),
        ),
        Contest(
            "png-fast write", (fpng, lambda image: library(fpng).from_ndarray(image)),
            (f"{codecs} level 1, Sub and RLE",
             lambda image: library(codecs).png_encode(image, level=1, strategy=3, filter=16)), (codecs, fpng),
        ),
    ]  # fmt: skip
    if importlib.util.find_spec("backports.zstd"):
        compress = zstd(1)
        pairs += [
            Contest(
                "zstd write", ("backports.zstd", compress),
                (codecs, lambda image: library(codecs).zstd_encode(image.tobytes(), level=1)), (codecs,),
            ),
            Contest(
                "zstd read", ("backports.zstd", lambda data: library("backports.zstd").decompress(data)),
                (codecs, lambda data: library(codecs).zstd_decode(data)), (codecs,), compress,
            ),
        ]  # fmt: skip
    return [contest for contest in pairs if all(map(importlib.util.find_spec, contest.needs))]


def seconds(work: Callable[[Any], Any], items: list[Any]) -> float:
    """Return the time of one item, over as many passes as a round is long."""
    passes, start = 0, time.process_time()
    while (spent := time.process_time() - start) < _SECONDS:
        for item in items:
            work(item)
        passes += 1
    return spent / (passes * len(items))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--sizes", default="32,256,1024")
    chosen = parser.parse_args()
    print(f"{'job':<16} {'size':>5}  {'library':<15} {'an image':>10}  {'other':<34} {'ratio':>7}  {'range':<13} bytes")
    for size in map(int, chosen.sizes.split(",")):
        dataset = registry.make_dataset(f"synthetic,size={size}")
        dataset.scan()
        images = [np.ascontiguousarray(image) for image in map(dataset.image, range(max(8, 4096 // size)))]
        for contest in contests():
            items = images if contest.encoded is None else [bytes(contest.encoded(image)) for image in images]
            (name, own), (rival, other) = contest.chosen, contest.other
            weights = [sum(len(work(item)) for item in items) for work in (own, other)]
            seconds(own, items), seconds(other, items)
            pairs = []
            for number in range(chosen.rounds):
                first, second = (own, other) if number % 2 else (other, own)
                took = {first: seconds(first, items), second: seconds(second, items)}
                pairs.append((took[own], took[other]))
            ratios = sorted(theirs / ours for ours, theirs in pairs)
            weight = f"{weights[0] / weights[1]:.2f}x" if contest.encoded is None else ""
            print(
                f"{contest.job:<16} {size:>5}  {name:<15} {statistics.median(ours for ours, _ in pairs) * 1e6:>7.1f} us"
                f"  {rival:<34} {statistics.median(ratios):>6.2f}x  {ratios[0]:.2f}-{ratios[-1]:.2f}".ljust(114)
                + weight
            )


if __name__ == "__main__":
    main()
