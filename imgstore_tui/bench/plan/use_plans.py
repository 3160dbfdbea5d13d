"""Defines a plan for each thing that images are used for: it measures what advice on that needs, and no more."""

from __future__ import annotations

from dataclasses import dataclass

from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import CacheState, Operation, SyncLevel
from imgstore_tui.core.spec import Spec
from imgstore_tui.plugins import registry

USE_PLAN_NAMES = ("training", "archive", "sharing", "service")
CUTOFFS = (10, 100, 1000)
"""Three numbers of images, the fewest from which larger ones are predicted."""
ROUNDS = 12
BUDGET_S = 300.0


@dataclass(frozen=True, slots=True)
class _Needs:
    backends: tuple[str, ...]
    with_files: tuple[str, ...]
    """Methods for pictures that are files of the user, which the row of the source stands for as they are."""
    operations: tuple[Operation, ...]
    cache: tuple[CacheState, ...]


_NEEDS = {
    # Reading in order is what converting the user's own files takes.
    "training": _Needs(
        ("disk", "lmdb", "hdf5", "webdataset"),
        # Decoded pixels too: they take more disk, and no decoding in each epoch.
        ("lmdb", "lmdb+original", "hdf5+original", "webdataset+original"),
        (Operation.WRITE_MANY, Operation.READ_MANY, Operation.READ_RANDOM),
        (CacheState.HOT, CacheState.COLD),
    ),
    # What is seldom read is in no cache when it is.
    "archive": _Needs(
        ("disk", "webdataset", "sqlite", "hdf5"),
        ("webdataset+original", "sqlite+original", "hdf5+original"),
        (Operation.WRITE_MANY, Operation.READ_MANY),
        (CacheState.COLD,),
    ),
    "sharing": _Needs(
        ("disk", "webdataset", "parquet", "hdf5"),
        ("webdataset+original", "parquet+original", "hdf5+original"),
        (Operation.WRITE_MANY, Operation.READ_MANY),
        (CacheState.HOT,),
    ),
    "service": _Needs(
        ("disk", "lmdb", "sqlite", "rocksdb"),
        ("lmdb+original", "sqlite+original", "rocksdb+original"),
        (Operation.WRITE_MANY, Operation.GET_ONE),
        (CacheState.HOT,),
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
        specs=use_specs(name, with_files=False),
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


def use_specs(name: str, *, with_files: bool) -> tuple[Spec, ...]:
    """Return the methods of a use that are available here, in the order of lists, in which the screen keeps them.

    Args:
        name: One of ``USE_PLAN_NAMES``.
        with_files: Whether all images are files of the user: then methods keep these files as they are.
    """
    needs = _NEEDS[name]
    order = [backend.name for backend in registry.sorted_backends() if not registry.way_to_use(backend)]
    texts = needs.with_files if with_files else needs.backends
    specs = [registry.resolve_spec(text, require_available=False) for text in texts]
    available = [spec for spec in specs if spec.backend in order]
    return tuple(sorted(available, key=lambda spec: order.index(spec.backend)))
