"""Before the first trial: what cannot work is refused in a sentence, while nothing is lost."""

from __future__ import annotations

from pathlib import Path

from imgstore_tui import registry
from imgstore_tui.bench.scratch import free_bytes
from imgstore_tui.core.backend import PayloadKind
from imgstore_tui.core.errors import UnavailableError, UnsupportedError
from imgstore_tui.core.model import DatasetFacts, Plan
from imgstore_tui.core.operations import Payload
from imgstore_tui.core.units import format_bytes

HEADROOM = 1.5
"""Stores weigh more than their pixels: pages, blocks, indexes."""
BLOCK_BYTES = 4096


def check_content(plan: Plan, facts: dict[str, DatasetFacts]) -> None:
    """Raise UnsupportedError if a spec cannot hold the images of a dataset."""
    for spec in plan.specs:
        backend, codec = registry.backends.get(spec.backend), registry.make_codec(spec)
        preset = registry.preset_of(backend, spec.preset)
        for fact in facts.values():
            if fact.shape is None and (backend.capabilities.uniform_only or preset.uniform_only):
                raise UnsupportedError(
                    f"'{spec}' stores images of one shape only; those of {fact.summary} vary. "
                    "Leave it out, or give the dataset the option resize=WxH."
                )
            arrays = codec.name == "raw" and PayloadKind.ARRAY in backend.payloads
            encodes = plan.payload is not Payload.RAW and not codec.from_file and not arrays
            if encodes and fact.shape is not None and fact.dtype is not None:
                codec.check(fact.shape, fact.dtype)


def check_space(plan: Plan, facts: dict[str, DatasetFacts], scratch: Path) -> None:
    """Raise UnavailableError if the stores of the plan will not fit where they are to be made."""
    need = 0.0
    for fact in facts.values():
        image = max(BLOCK_BYTES, fact.pixel_bytes / fact.used)
        many = sum(registry.backends.get(spec.backend).family == "files" for spec in plan.specs)
        # Stores of many files stay until the end; of the others at most one block's stand at a time.
        kept = sum(plan.cutoffs) * many * plan.rounds * len(plan.sync)
        need += HEADROOM * image * (kept + max(plan.cutoffs) * len(plan.sync))
    free = free_bytes(scratch)
    if need > free:
        raise UnavailableError(
            f"The stores need about {format_bytes(need)} and {scratch} has {format_bytes(free)} free. "
            "Ask for fewer cutoffs or rounds, or name another place with --scratch."
        )
