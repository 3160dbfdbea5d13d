"""Times one read several times in a process, and tells the first pass and the best: the same for every reader."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")
PASSES = 5


def look() -> None:
    """Do as the instrument does before every sample: what this evicts from the processor is the same for all."""
    Path("/proc/self/io").read_bytes()


def timed_passes(read: Callable[[], Result], check: Callable[[Result], None], passes: int) -> list[float]:
    """Return the seconds of each pass; the first and the last are checked off the clock.

    What a pass returned is let go off the clock before the next begins.
    """
    seconds = []
    for number in range(passes):
        look()
        began = time.perf_counter()
        result = read()
        seconds.append(time.perf_counter() - began)
        if number in (0, passes - 1):
            check(result)
        del result
    return seconds


def timed_calls(get: Callable[[int], Result], check: Callable[[int, Result], None], numbers: list[int]) -> list[float]:
    """Return the seconds of reading each image; one pass over the same numbers goes before it, and is not counted."""
    seconds = []
    for number in [*numbers, *numbers]:
        look()
        began = time.perf_counter()
        result = get(number)
        seconds.append(time.perf_counter() - began)
        check(number, result)
    return seconds[len(numbers) :]
