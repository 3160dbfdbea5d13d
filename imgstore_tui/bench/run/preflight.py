"""Checks a plan before its first trial, and refuses in one sentence what cannot work."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from imgstore_tui.bench.plan.client_grid import client_seconds
from imgstore_tui.bench.plan.cost_model import CostModel
from imgstore_tui.bench.plan.grid import cutoffs_of, images_needed, plan_cells, reads_in_place, specs_by_label
from imgstore_tui.bench.plan.looks import rounds_for_first_verdicts
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
from imgstore_tui.core.spec import Spec
from imgstore_tui.core.units import about_seconds, format_bytes, format_count, format_duration, format_seconds
from imgstore_tui.plugins import registry
from imgstore_tui.plugins.server_process import server_facts
from imgstore_tui.stats.intervals import MIN_ROUNDS
from imgstore_tui.storekit.server import ServerBackend

SAMPLED_IMAGES = 16
HEADROOM = 1.5
"""Stores weigh more than their pixels: pages, blocks, indexes."""
BLOCK_BYTES = 4096
LISTED_BYTES = 200
"""Bytes of a file in the list of those that are read in place, mostly its path."""

PROCESS_BYTES = 128 << 20
"""Memory of the fork server and a child before they hold an image: interpreter and drivers."""
BATCH_COPIES = 4
"""Copies of a batch in memory: the source, the result, and those of codec and driver."""
MOST_OVER = 4
"""Factor by which an estimate may be wrong; a plan beyond it is refused."""
SHORT = 1.5
"""Factor by which an estimate may exceed a time budget without a warning."""
SHORTEST_S = 15.0
"""Shorter time budgets are not taken literally: they only ask for a quick run."""


SERVERS_END_VARIABLE = "IMGSTORE_TUI_SERVERS_END"
"""Set where servers were started for one command, and end with it."""


def ask_servers(plan: Plan) -> tuple[ServerFacts, ...]:
    """Return the facts of a plan's servers, each asked in its own process.

    Raises:
        UnavailableError: If one is not named, does not answer, refuses, or lacks the database.
    """
    backends = dict.fromkeys(registry.backends.get(spec.backend) for spec in plan.specs)
    ends = bool(os.environ.get(SERVERS_END_VARIABLE))
    return tuple(
        replace(server_facts(backend.address()[0]), ends_with_command=ends)
        for backend in backends
        if issubclass(backend, ServerBackend)
    )


def distance_notes(servers: Sequence[ServerFacts]) -> tuple[str, ...]:
    """Return a sentence for each server whose requests are on their way for long, or that is on another machine."""
    return tuple(
        f"A request to {server.label} takes {format_seconds(server.round_trip_s)} there and back: the figures of "
        f"{server.backend} are those of this distance."
        for server in servers
        if server.round_trip_s is not None and server.is_far
    )


def check_content(plan: Plan, facts: dict[str, DatasetFacts]) -> None:
    """Check that every spec of a plan can store the images of its datasets.

    Args:
        plan: The plan.
        facts: Facts of each of its datasets, by its text.

    Raises:
        UnsupportedError: If one cannot.
    """
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
    """The size of a dataset, as far as the need for space depends on it."""

    image_bytes: float
    """Pixels of one image, in bytes; the mean of a sample if sizes vary."""
    images: int
    """Distinct images."""
    has_files: bool
    """Whether they are files of the user."""
    file_bytes: float | None = None
    """Bytes of one image's own file, the mean of a sample; None where images have none."""

    @classmethod
    def of(cls, dataset: Dataset) -> Self:
        """Measure a scanned dataset."""
        file_bytes = _file_bytes(dataset) if dataset.has_originals else None
        return cls(image_bytes(dataset), len(dataset), dataset.has_files, file_bytes)

    def stored_bytes(self, spec: Spec) -> float:
        """Return what one image takes at most in a store of a method, in bytes; encoded ones seldom exceed pixels."""
        if self.file_bytes is not None and registry.codecs.get(spec.codec).from_file:
            return max(BLOCK_BYTES, self.file_bytes)
        return max(BLOCK_BYTES, self.image_bytes)


@dataclass(frozen=True, slots=True)
class SpaceNeed:
    """Space that a plan takes in the scratch folder at its peak."""

    bytes: float
    files: int


def keeps_original_files(plan: Plan, dataset: Dataset | DataSize) -> bool:
    """Return whether the bytes of the original files are needed: to be stored, or to be compared with."""
    from_file = any(registry.codecs.get(spec.codec).from_file for spec in plan.specs)
    return from_file or (plan.payload is Payload.ENCODED and dataset.has_files and reads_in_place(plan))


def image_bytes(dataset: Dataset) -> float:
    """Return the pixels of one image of a scanned dataset, in bytes; the mean of a sample if sizes vary."""
    if dataset.uniform is not None:
        shape, dtype = dataset.uniform
        return pixel_bytes(shape, dtype)
    return _mean_of_sample(
        dataset, lambda index: dataset.image(index).nbytes if dataset.has_pixels else len(dataset.original(index))
    )


def _file_bytes(dataset: Dataset) -> float:
    return _mean_of_sample(dataset, lambda index: len(dataset.original(index)))


def _mean_of_sample(dataset: Dataset, bytes_of: Callable[[int], int]) -> float:
    sizes: list[int] = []
    step = max(1, len(dataset) // SAMPLED_IMAGES)
    for index in range(0, len(dataset), step):
        with contextlib.suppress(BrokenImageError):
            sizes.append(bytes_of(index))
    return sum(sizes) / len(sizes) if sizes else 0.0


def space_needed(plan: Plan, sizes: Mapping[str, DataSize]) -> SpaceNeed:
    """Estimate the peak of what the pixel caches and stores of a plan take.

    Args:
        plan: The plan.
        sizes: Size of each of its datasets, by its text.
    """
    # Stores on servers take no space here.
    local = [spec for spec in plan.specs if not issubclass(registry.backends.get(spec.backend), ServerBackend)]
    file_per_image = [spec for spec in local if registry.backends.get(spec.backend).capabilities.file_per_image]
    # A block has one store per sync level, and one for each change of it.
    stores = len(plan.sync) * (1 + sum(operation.changes for operation in plan.operations))
    need = at_a_time = 0.0
    files = 0
    for text, data in sizes.items():
        size, largest = data.image_bytes, images_needed(plan, text)
        used = min(largest, data.images)
        # The pixel cache, and the files' own bytes in it.
        need += (size + ((data.file_bytes or size) if keeps_original_files(plan, data) else 0)) * used
        need += LISTED_BYTES * used if data.has_files and reads_in_place(plan) else 0
        # Stores of many files stay until the end; of the others, those of one block exist at a time.
        staying = sum(cutoffs_of(plan, text)) * plan.rounds * stores
        need += HEADROOM * staying * sum(data.stored_bytes(spec) for spec in file_per_image)
        files += staying * len(file_per_image)
        largest_image = max((data.stored_bytes(spec) for spec in local), default=0.0)
        at_a_time = max(at_a_time, HEADROOM * largest_image * largest * stores)
    return SpaceNeed(need + at_a_time, files)


def check_space(need: SpaceNeed, scratch: Path) -> None:
    """Raise UnavailableError if a scratch folder lacks the space or inodes that are needed."""
    inodes = free_files(scratch)
    if inodes is not None and need.files > inodes:
        raise UnavailableError(
            f"The stores need about {format_count(need.files)} files and {scratch} can hold "
            f"{format_count(inodes)} more. Ask for fewer cutoffs or rounds, or name another place with --scratch."
        )
    free = free_bytes(scratch)
    if need.bytes > free:
        raise UnavailableError(
            f"The stores need about {format_bytes(need.bytes)} and {scratch} has {format_bytes(free)} free. "
            "Ask for fewer cutoffs or rounds, or name another place with --scratch."
        )


def check_server_space(plan: Plan, sizes: Mapping[str, DataSize], servers: Sequence[ServerFacts]) -> None:
    """Raise UnavailableError if a server that says how much room it has lacks it for its largest store."""
    largest = max((HEADROOM * size.image_bytes * images_needed(plan, text) for text, size in sizes.items()), default=0)
    need = largest * len(plan.sync) * (1 + sum(operation.changes for operation in plan.operations))
    for server in servers:
        if server.free_bytes is not None and need > server.free_bytes:
            raise UnavailableError(
                f"The stores need about {format_bytes(need)} and {server.product} at {server.address} has "
                f"{format_bytes(server.free_bytes)} free. Ask for fewer cutoffs, or name another server."
            )


def check_feasible(plan: Plan, sizes: Mapping[str, DataSize], scratch: Path) -> None:
    """Check that a plan fits into space, memory and its own time budget.

    Args:
        plan: The plan.
        sizes: Size of each of its datasets, by its text.
        scratch: Folder in which stores are made.

    Raises:
        UnavailableError: If it needs more space, files or memory than is available.
        UsageError: If not even one round can fit into its time budget.
    """
    check_space(space_needed(plan, sizes), scratch)
    image_bytes = {text: size.image_bytes for text, size in sizes.items()}
    check_memory(plan, image_bytes)
    check_time(plan, plan_cells(plan, [text for text, size in sizes.items() if size.has_files]), image_bytes)


def check_memory(plan: Plan, image_bytes: Mapping[str, float]) -> None:
    """Raise UnavailableError if the batches of a trial do not fit into the available memory.

    Args:
        plan: The plan.
        image_bytes: Pixels of one image of each dataset, in bytes.
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
    """Raise UsageError if not even one round can fit into the plan's time budget.

    Args:
        plan: The plan.
        cells: Its cells, those of the source row included.
        image_bytes: Pixels of one image of each dataset, in bytes.
    """
    if plan.budget_s is None:
        return
    costs = CostModel(image_bytes)
    clients_s = client_seconds(plan, costs.expect)
    if clients_s > MOST_OVER * max(plan.budget_s, SHORTEST_S):
        raise UsageError(
            f"Several clients take very roughly {format_duration(clients_s)} a round and the time budget is "
            f"{format_duration(plan.budget_s)}. Give more with --budget, or ask for fewer --clients, operations or "
            "methods, or for a shorter --client-window."
        )
    round_s = sum(costs.expect(cell) for cell in cells)
    if round_s > MOST_OVER * max(plan.budget_s, SHORTEST_S):
        raise UsageError(
            f"One round takes very roughly {format_duration(round_s)} and the time budget is "
            f"{format_duration(plan.budget_s)}. Ask for fewer cutoffs or storage methods, or for more time with "
            f"--budget.{_fitting_cutoff(plan, round_s)}"
        )


def _fitting_cutoff(plan: Plan, round_s: float) -> str:
    """Return a sentence with a cutoff whose rounds may fit into the time budget; empty if none may."""
    images = sum(plan.cutoffs) * (plan.budget_s or 0.0) / (MIN_ROUNDS * round_s)
    decade = 10 ** max(0, len(str(int(images))) - 1)
    return f" As it is, -n {int(images) // decade * decade} may fit." if images >= 1 else ""


def short_budget(plan: Plan, cells: Sequence[Cell], image_bytes: Mapping[str, float], past_costs: PastCosts) -> str:
    """Return a warning if the time budget will most likely end a run before it has a verdict.

    Args:
        plan: The plan.
        cells: Its cells, those of the source row included.
        image_bytes: Pixels of one image of each dataset, in bytes.
        past_costs: What trials took on this machine before.

    Returns:
        One or two sentences; empty if the time may suffice, or the plan asks for no verdict.
    """
    needed = rounds_for_first_verdicts(plan, cells)
    if plan.budget_s is None or plan.rounds < needed or len({cell.spec for cell in cells}) < 2:
        return ""
    costs = CostModel(image_bytes)
    specs = specs_by_label(plan)
    round_s = sum(costs.expect(cell) * past_costs.factor(cell, specs[cell.spec])[0] for cell in cells)
    if needed * round_s <= SHORT * plan.budget_s:
        return ""
    return (
        f"A verdict needs {needed} rounds, which are expected to take about {about_seconds(needed * round_s)}. The "
        f"time budget of {format_duration(plan.budget_s)} is enough for about {int(plan.budget_s / round_s)} of all "
        f"numbers of images. Give it more with --budget, take fewer images or methods, or complete the run with resume."
    )
