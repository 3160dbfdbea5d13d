"""Runs a backend's own probe on the first images of a dataset, inside the child."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgstore_tui.core.errors import UnsupportedError

if TYPE_CHECKING:
    from imgstore_tui.bench.trial.setup import TrialSetup

MOST_IMAGES = 1000
MOST_BYTES = 32 * 2**20
"""A probe shows a habit, which a few images show as well as many."""


def run_probe(setup: TrialSetup, location: Path) -> dict[str, Any]:
    """Let the backend of a request try itself out on the first images; in the child.

    Raises:
        UnsupportedError: If images vary in shape.
    """
    if setup.pixel_cache.uniform is None:
        raise UnsupportedError("A probe needs images of one shape.")
    count = max(1, min(MOST_IMAGES, setup.request.cutoff, MOST_BYTES // setup.pixel_cache.largest_bytes))
    images = setup.pixel_cache.new_array(count)
    setup.pixel_cache.copy_into(range(count), images)
    location.mkdir()
    return {"images": count, "values": setup.backend.probe(location, images, setup.pixel_cache.labels_of(range(count)))}
