"""Before the first trial: what cannot work is refused in a sentence, while nothing is lost."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from imgstore_tui.bench.plan.grid import cutoffs_of, images_needed, reads_in_place
from imgstore_tui.bench.system.disk_space import free_bytes, free_files
from imgstore_tui.core.backend import PayloadKind
from imgstore_tui.core.codec import payload_kind
from imgstore_tui.core.content import pixel_bytes
from imgstore_tui.core.dataset import BrokenImageError, Dataset
from imgstore_tui.core.errors import UnavailableError, UnsupportedError
from imgstore_tui.core.model import DatasetFacts, Plan
from imgstore_tui.core.operations import Payload
from imgstore_tui.core.units import format_bytes, format_count
from imgstore_tui.plugins import registry

SAMPLED_IMAGES = 16
HEADROOM = 1.5
"""Stores weigh more than their pixels: pages, blocks, indexes."""
BLOCK_BYTES = 4096
LISTED_BYTES = 200
"""A file's place in the list of those that are read in place: its path, above all."""


def check_content(plan: Plan, facts: dict[str, DatasetFacts]) -> None:
    """Raise UnsupportedError if a spec cannot hold the images of a dataset."""
    for spec in plan.specs:
        backend, codec = registry.backends.get(spec.backend), registry.make_codec(spec)
        preset = registry.preset_of(backend, spec.preset)
        for fact in facts.values():
            if not fact.pixel_bytes and not (codec.from_file and plan.payload is Payload.ENCODED):
                raise UnsupportedError(
                    f"{fact.summary}: its files are not decoded, so only their bytes can be stored. Use the codec "
                    f"original and --payload encoded, e.g. {spec.backend}+original."
                )
            if fact.shape is None and (backend.capabilities.uniform_only or preset.uniform_only):
                raise UnsupportedError(
                    f"'{spec}' stores images of one shape only; those of {fact.summary} vary. "
                    "Leave it out, or give the dataset the option resize=WxH."
                )
            as_bytes = payload_kind(backend, codec, uniform=fact.shape is not None) is PayloadKind.BYTES
            encodes = plan.payload is not Payload.RAW and not codec.from_file and as_bytes
            if encodes and fact.shape is not None and fact.dtype is not None:
                codec.check(fact.shape, fact.dtype)


@dataclass(frozen=True, slots=True)
class DataSize:
    """How much of it there is in a dataset: all that the need for space depends on."""

    image_bytes: float
    """Pixels of one image, in bytes; the mean of a few where sizes vary."""
    images: int
    """Distinct images."""
    has_originals: bool
    """Whether they are files of the user's own."""

    @classmethod
    def of(cls, dataset: Dataset) -> Self:
        """Measure a scanned dataset."""
        return cls(image_bytes(dataset), len(dataset), dataset.has_originals)


@dataclass(frozen=True, slots=True)
class SpaceNeed:
    """What a plan takes at most of the place where stores are made."""

    bytes: float
    files: int


def keeps_original_files(plan: Plan, dataset: Dataset | DataSize) -> bool:
    """Tell whether the files' own bytes are needed: to be stored as they are, or to be compared with as bytes."""
    from_file = any(registry.codecs.get(spec.codec).from_file for spec in plan.specs)
    return from_file or (plan.payload is Payload.ENCODED and dataset.has_originals and reads_in_place(plan))


def image_bytes(dataset: Dataset) -> float:
    """Return the pixels of one image of a scanned dataset, in bytes; where sizes vary, the mean of a few."""
    if dataset.uniform is not None:
        shape, dtype = dataset.uniform
        return pixel_bytes(shape, dtype)
    sizes: list[int] = []
    step = max(1, len(dataset) // SAMPLED_IMAGES)
    for index in range(0, len(dataset), step):
        with contextlib.suppress(BrokenImageError):
            sizes.append(dataset.image(index).nbytes if dataset.has_pixels else len(dataset.original(index)))
    return sum(sizes) / len(sizes) if sizes else 0.0


def space_needed(plan: Plan, sizes: Mapping[str, DataSize]) -> SpaceNeed:
    """Return about what the pixel caches and stores of a plan will take at their most.

    Args:
        plan: The plan.
        sizes: How much there is of each of its datasets, by its text.
    """
    many = sum(registry.backends.get(spec.backend).capabilities.file_per_image for spec in plan.specs)
    # A block has a store of its own at each sync level, and one for each change of it.
    stores = len(plan.sync) * (1 + sum(operation.changes for operation in plan.operations))
    need = at_a_time = 0.0
    files = 0
    for text, data in sizes.items():
        size, largest = data.image_bytes, images_needed(plan, text)
        used = min(largest, data.images)
        image = HEADROOM * max(BLOCK_BYTES, size)
        # The pixel cache, and the files' own bytes in it, which are seldom more than the pixels.
        need += size * used * (2 if keeps_original_files(plan, data) else 1)
        need += LISTED_BYTES * used if data.has_originals and reads_in_place(plan) else 0
        # Stores of many files stay until the end; of the others at most one block's stand at a time.
        staying = sum(cutoffs_of(plan, text)) * many * plan.rounds * stores
        need += image * staying
        files += staying
        at_a_time = max(at_a_time, image * largest * stores)
    return SpaceNeed(need + at_a_time, files)


def check_space(need: SpaceNeed, scratch: Path) -> None:
    """Raise UnavailableError if a place has not what is needed."""
    room = free_files(scratch)
    if room is not None and need.files > room:
        raise UnavailableError(
            f"The stores need about {format_count(need.files)} files and {scratch} can hold {format_count(room)} more. "
            "Ask for fewer cutoffs or rounds, or name another place with --scratch."
        )
    free = free_bytes(scratch)
    if need.bytes > free:
        raise UnavailableError(
            f"The stores need about {format_bytes(need.bytes)} and {scratch} has {format_bytes(free)} free. "
            "Ask for fewer cutoffs or rounds, or name another place with --scratch."
        )
