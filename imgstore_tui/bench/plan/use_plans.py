"""Defines a plan for each thing that images are used for: it measures what advice on that needs, and no more."""

from __future__ import annotations

from dataclasses import dataclass

from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import CacheState, Operation, SyncLevel
from imgstore_tui.plugins import registry

USE_PLAN_NAMES = ("training", "archive", "sharing", "service")
CUTOFFS = (10, 100, 1000)
"""Three numbers of images, the fewest from which larger ones are predicted."""
ROUNDS = 12
BUDGET_S = 300.0


@dataclass(frozen=True, slots=True)
class _Needs:
    backends: tuple[str, ...]
    operations: tuple[Operation, ...]
    cache: tuple[CacheState, ...]


_NEEDS = {
    # Reading in order is what converting the user's own files takes.
    "training": _Needs(
        ("disk", "lmdb", "hdf5", "webdataset"),
        (Operation.WRITE_MANY, Operation.READ_MANY, Operation.READ_RANDOM),
        (CacheState.HOT, CacheState.COLD),
    ),
    # What is seldom read is in no cache when it is.
    "archive": _Needs(
        ("disk", "webdataset", "sqlite", "hdf5"), (Operation.WRITE_MANY, Operation.READ_MANY), (CacheState.COLD,)
    ),
    "sharing": _Needs(
        ("disk", "webdataset", "parquet", "hdf5"), (Operation.WRITE_MANY, Operation.READ_MANY), (CacheState.HOT,)
    ),
    "service": _Needs(
        ("disk", "lmdb", "sqlite", "rocksdb"), (Operation.WRITE_MANY, Operation.GET_ONE), (CacheState.HOT,)
    ),
}


def use_plan(name: str, version: int) -> Plan:
    """Return the plan of a use, with those of its methods that are available here.

    Args:
        name: One of ``USE_PLAN_NAMES``.
        version: The version of plans.
    """
    needs = _NEEDS[name]
    return Plan(
        # In the order of lists, in which the screen keeps them.
        specs=tuple(
            registry.resolve_spec(backend.name)
            for backend in registry.sorted_backends()
            if backend.name in needs.backends and not registry.way_to_use(backend)
        ),
        cutoffs=CUTOFFS,
        operations=needs.operations,
        cache=needs.cache,
        sync=(SyncLevel.END,),
        rounds=ROUNDS,
        budget_s=BUDGET_S,
        name=name,
        looks=True,
        ceilings=True,
        version=version,
    )
