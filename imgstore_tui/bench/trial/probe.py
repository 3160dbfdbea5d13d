"""Runs a backend's own probe on the first images of a dataset, inside the child."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgstore_tui.core.errors import UnsupportedError

if TYPE_CHECKING:
    from imgstore_tui.bench.trial.setup import Rig

MOST_IMAGES = 1000
MOST_BYTES = 32 * 2**20
"""A probe shows a habit, which a few images show as well as many."""


def probe(rig: Rig, location: Path) -> dict[str, Any]:
    """Let the backend of a job try itself out on the first images; in the child.

    Raises:
        UnsupportedError: If images vary in shape.
    """
    if rig.source.uniform is None:
        raise UnsupportedError("A probe needs images of one shape.")
    count = max(1, min(MOST_IMAGES, rig.job.cutoff, MOST_BYTES // rig.source.largest_bytes))
    images = rig.source.new_array(count)
    rig.source.copy_into(range(count), images)
    location.mkdir()
    return {"images": count, "values": rig.backend.probe(location, images, rig.source.labels_of(range(count)))}
