"""Before the first trial: what cannot work is refused in a sentence, while nothing is lost."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from imgstore_tui.bench.plan.cost_model import CostModel
from imgstore_tui.bench.plan.grid import cutoffs_of, images_needed, plan_cells, reads_in_place
from imgstore_tui.bench.results.past_costs import PastCosts
from imgstore_tui.bench.system.disk_space import free_bytes, free_files
from imgstore_tui.bench.system.memory import available_bytes
from imgstore_tui.bench.trial.pixel_cache import MOST_BATCH_BYTES
from imgstore_tui.core.backend import PayloadKind
from imgstore_tui.core.codec import payload_kind
from imgstore_tui.core.content import pixel_bytes
from imgstore_tui.core.dataset import BrokenImageError, Dataset
from imgstore_tui.core.errors import UnavailableError, UnsupportedError, UsageError
from imgstore_tui.core.model import Cell, DatasetFacts, Plan, ServerFacts
from imgstore_tui.core.operations import Payload
from imgstore_tui.core.units import about_seconds, format_bytes, format_count, format_duration
from imgstore_tui.plugins import registry
from imgstore_tui.plugins.server_process import server_facts
from imgstore_tui.stats.intervals import MIN_ROUNDS
from imgstore_tui.storekit.server import ServerBackend

SAMPLED_IMAGES = 16
HEADROOM = 1.5
"""Stores weigh more than their pixels: pages, blocks, indexes."""
BLOCK_BYTES = 4096
LISTED_BYTES = 200
"""A file's place in the list of those that are read in place: its path, above all."""


PROCESS_BYTES = 128 << 20
"""What the fork server and a child take before they hold an image: interpreter and drivers."""
BATCH_COPIES = 4
"""What is given, what comes back, and what codec and driver make of it on the way."""
MOST_OVER = 4
"""An estimate may be off by so much; a plan beyond it is refused."""
SHORT = 1.5
"""An estimate beyond a time budget by so much is worth a word."""
SHORTEST_S = 15.0
"""Below this a time budget says no more than to be quick."""


def ask_servers(plan: Plan) -> tuple[ServerFacts, ...]:
    """Return what the servers of a plan say of themselves, each asked in a process of its own.

    Raises:
        UnavailableError: If one is not named, does not answer, refuses, or lacks the database.
    """
    kinds = dict.fromkeys(registry.backends.get(spec.backend) for spec in plan.specs)
    return tuple(server_facts(kind.address()[0]) for kind in kinds if issubclass(kind, ServerBackend))


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
    # What a server stores takes no space here.
    kinds = [registry.backends.get(spec.backend) for spec in plan.specs]
    here = [kind for kind in kinds if not issubclass(kind, ServerBackend)]
    many = sum(kind.capabilities.file_per_image for kind in here)
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
        at_a_time = max(at_a_time, image * largest * stores if here else 0.0)
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


def check_feasible(plan: Plan, sizes: Mapping[str, DataSize], scratch: Path) -> None:
    """Refuse a plan that space, memory or its own time budget has no room for.

    Args:
        plan: The plan.
        sizes: How much there is of each of its datasets, by its text.
        scratch: Where stores are to be made.

    Raises:
        UnavailableError: If it needs more space, files or memory than there is.
        UsageError: If not even one round has a chance in its time budget.
    """
    check_space(space_needed(plan, sizes), scratch)
    image_bytes = {text: size.image_bytes for text, size in sizes.items()}
    check_memory(plan, image_bytes)
    check_time(plan, plan_cells(plan, [text for text, size in sizes.items() if size.has_originals]), image_bytes)


def check_memory(plan: Plan, image_bytes: Mapping[str, float]) -> None:
    """Raise UnavailableError if the batches of a trial will not fit into the memory that is available.

    Args:
        plan: The plan.
        image_bytes: Pixels of an image of each dataset, in bytes.
    """
    available = available_bytes()
    largest = max(image_bytes.values(), default=0.0)
    batch = max(largest, min(plan.batch * largest, MOST_BATCH_BYTES))
    need = PROCESS_BYTES + plan.workers * BATCH_COPIES * batch
    if available is not None and need > available:
        fewer = "fewer --workers, or for " if plan.workers > 1 else ""
        raise UnavailableError(
            f"A trial needs about {format_bytes(need)} of memory and {format_bytes(available)} is available. "
            f"Ask for {fewer}smaller batches (--batch) or smaller images."
        )


def check_time(plan: Plan, cells: Sequence[Cell], image_bytes: Mapping[str, float]) -> None:
    """Raise UsageError if not even one round has a chance in the plan's time budget.

    Args:
        plan: The plan.
        cells: Its cells, those of the source row included.
        image_bytes: Pixels of an image of each dataset, in bytes.
    """
    if plan.budget_s is None:
        return
    costs = CostModel(image_bytes)
    round_s = sum(costs.expect(cell) for cell in cells)
    if round_s > MOST_OVER * max(plan.budget_s, SHORTEST_S):
        raise UsageError(
            f"One round takes very roughly {format_duration(round_s)} and the time budget is "
            f"{format_duration(plan.budget_s)}. Ask for fewer cutoffs or storage methods, or for more time with "
            f"--budget.{_what_fits(plan, round_s)}"
        )


def _what_fits(plan: Plan, round_s: float) -> str:
    """Return a number of images of which the rounds of a verdict may fit into the time budget; empty if none may."""
    images = sum(plan.cutoffs) * (plan.budget_s or 0.0) / (MIN_ROUNDS * round_s)
    decade = 10 ** max(0, len(str(int(images))) - 1)
    return f" As it is, -n {int(images) // decade * decade} may fit." if images >= 1 else ""


def short_budget(plan: Plan, cells: Sequence[Cell], image_bytes: Mapping[str, float], rates: PastCosts) -> str:
    """Return what must be known where the time budget will most likely end a run before it has a verdict.

    Args:
        plan: The plan.
        cells: Its cells, those of the source row included.
        image_bytes: Pixels of an image of each dataset, in bytes.
        rates: What this machine took in the past.

    Returns:
        A sentence or two; empty where there may be time enough, or no verdict is asked for.
    """
    if plan.budget_s is None or plan.rounds < MIN_ROUNDS or len({cell.spec for cell in cells}) < 2:
        return ""
    costs = CostModel(image_bytes)
    round_s = sum(costs.expect(cell) * rates.factor(cell)[0] for cell in cells)
    if MIN_ROUNDS * round_s <= SHORT * plan.budget_s:
        return ""
    return (
        f"A verdict needs {MIN_ROUNDS} rounds, about {about_seconds(MIN_ROUNDS * round_s)} here; the time budget of "
        f"{format_duration(plan.budget_s)} ends the run before. Give it more with --budget, take fewer images or "
        "methods, or complete the run with resume."
    )
