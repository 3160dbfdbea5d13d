"""Before the first trial: a plan that memory or its own time budget has no room for is refused in a sentence."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from imgstore_tui.bench.plan.cost_model import CostModel
from imgstore_tui.bench.plan.grid import plan_cells
from imgstore_tui.bench.results.past_costs import PastCosts
from imgstore_tui.bench.run.preflight import DataSize, check_space, space_needed
from imgstore_tui.bench.system.cgroups import memory_groups
from imgstore_tui.bench.trial.pixel_cache import MOST_BATCH_BYTES
from imgstore_tui.core.errors import UnavailableError, UsageError
from imgstore_tui.core.model import Cell, Plan
from imgstore_tui.core.units import about_seconds, format_bytes, format_duration
from imgstore_tui.stats.intervals import MIN_ROUNDS

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


def available_bytes() -> int | None:
    """Return the memory that new processes can have, bytes; None if the system does not tell.

    Source: ``/proc/meminfo``, MemAvailable (proc(5)); and what the control groups leave.
    """
    try:
        words = Path("/proc/meminfo").read_text(encoding="ascii").split()
        found = [int(words[words.index("MemAvailable:") + 1]) * 1024]
    except (OSError, ValueError):
        return None
    for group in memory_groups():
        for limit, used in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
            # A group without a limit says so in a word, or in a number larger than any memory.
            with contextlib.suppress(OSError, ValueError):
                left = _number(group / limit) - _number(group / used)
                found.append(left + _page_cache(group))
    return max(0, min(found))


def _number(path: Path) -> int:
    return int(path.read_text(encoding="ascii"))


def _page_cache(group: Path) -> int:
    """Return what a group gives back when it is needed."""
    words = (group / "memory.stat").read_text(encoding="ascii").split()
    return sum(int(words[words.index(name) + 1]) for name in ("inactive_file", "active_file"))
