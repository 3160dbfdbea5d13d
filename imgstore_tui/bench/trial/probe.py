"""Runs a backend's own probe on the first images of a dataset, inside the child."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from imgstore_tui.bench.protocol.messages import TrialResult
from imgstore_tui.core.errors import UnsupportedError

if TYPE_CHECKING:
    from imgstore_tui.bench.trial.setup import TrialSetup

MOST_IMAGES = 1000
MOST_BYTES = 32 * 2**20
"""A probe shows a behaviour, which a few images show as well as many."""


def run_probe(setup: TrialSetup) -> TrialResult:
    """Run the probe of a request's backend on the first images.

    Args:
        setup: The request; its location is a folder that is created for the probe's stores.

    Raises:
        UnsupportedError: If images vary in shape.
    """
    cache = setup.pixel_cache
    if cache.uniform is None:
        raise UnsupportedError("A probe needs images of one shape.")
    count = max(1, min(MOST_IMAGES, setup.request.cutoff, MOST_BYTES // cache.largest_bytes))
    images = cache.new_array(count)
    cache.copy_into(range(count), images)
    location = Path(setup.request.location)
    location.mkdir()
    values = setup.backend.probe(location, images, cache.labels_of(range(count)))
    return TrialResult(probe_images=count, probe_values={name: tuple(numbers) for name, numbers in values.items()})
