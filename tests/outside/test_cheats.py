"""A backend that cheats is caught, or its row loses the claim: in each operation where the cheat would matter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from imgstore_tui.bench.run.runner import run_plan
from imgstore_tui.core.model import Measurement, Plan
from imgstore_tui.core.operations import CacheState, Operation, Status, SyncLevel
from imgstore_tui.plugins.registry import resolve_spec
from tests.outside.cheats import DEFERRED, FORCED_CALLS
from tests.support.entry_points import offer

IMAGES = 300
IMAGE_BYTES = 64 * 64 * 3
PAYLOADS = IMAGES * IMAGE_BYTES

SEVERAL = (Operation.READ_MANY, Operation.READ_RANDOM)
SINGLE = (Operation.READ_ONE, Operation.GET_ONE)
GROUPS: dict[str, tuple[tuple[str, ...], dict[str, object]]] = {
    "hot": (
        ("raw:kind=none", "raw:kind=second-pass", "png:kind=second-pass", "raw:kind=after-50", "png:kind=after-50"),
        {"operations": (*SINGLE, *SEVERAL)},
    ),
    "two workers": (("raw:kind=none", "raw:kind=second-workers"), {"operations": SEVERAL, "workers": 2}),
    "cold": (
        ("raw:kind=none", "png:kind=none", "raw:kind=when-cold", "raw:kind=process-cache", "raw:kind=hidden-file"),
        {"operations": (Operation.READ_ONE, *SEVERAL, Operation.READ_LABELS), "cache": (CacheState.COLD,)},
    ),
    "written": (
        ("raw:kind=none", "raw:kind=light", *(f"raw:kind={kind}" for kind in DEFERRED)),
        {"operations": (Operation.WRITE_MANY,)},
    ),
    "forced": (("raw:kind=no-force",), {"operations": (Operation.WRITE_MANY,), "sync": (SyncLevel.END,)}),
}
"""Runs: the cheats that take part, and what is measured."""

Measured = Callable[[str, str, Operation], Measurement]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Measured]:
    """Returns the measurement of a cheat and an operation in a group, which is run when it is first asked for."""
    runs: dict[str, dict[tuple[str, Operation], Measurement]] = {}

    def run(group: str) -> dict[tuple[str, Operation], Measurement]:
        specs, changes = GROUPS[group]
        plan = Plan(
            specs=tuple(resolve_spec(f"cheat+{spec}") for spec in specs), datasets=("synthetic,size=64",),
            cutoffs=(IMAGES,), rounds=1, batch=64, budget_s=None, **changes,  # type: ignore[arg-type]
        )  # fmt: skip
        return {(f"{m.codec}:kind={m.options['kind']}", m.operation): m for m in run_plan(plan).measurements}

    def find(group: str, cheat: str, operation: Operation) -> Measurement:
        if group not in runs:
            runs[group] = run(group)
        return runs[group][f"raw:kind={cheat}" if ":" not in cheat else cheat.replace(":", ":kind="), operation]

    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("outside")
        offer(folder, {"imgstore_tui.backends": {"cheat": "tests.outside.cheats:Cheat"}}, patch)
        yield find


HONEST = [
    ("hot", "none", *SINGLE, *SEVERAL),
    ("two workers", "none", *SEVERAL),
    ("cold", "none", Operation.READ_ONE, *SEVERAL, Operation.READ_LABELS),
    ("cold", "png:none", Operation.READ_ONE, *SEVERAL, Operation.READ_LABELS),
    ("written", "none", Operation.WRITE_MANY),
]


def cases(some: list[Any]) -> pytest.MarkDecorator:
    """Return a parametrization by cases, of which those in memory with one process run without --full."""
    marks = [() if case[0] in {"hot", "written"} else (pytest.mark.full,) for case in some]
    return pytest.mark.parametrize(
        "case", [pytest.param(case, marks=mark, id=" ".join(case)) for case, mark in zip(some, marks, strict=True)]
    )


@cases(HONEST)
@pytest.mark.full
def test_what_does_not_cheat_is_measured(measured: Measured, case: tuple[Any, ...]) -> None:
    group, cheat, *operations = case
    for operation in operations:
        trial = measured(group, cheat, operation)
        assert trial.status is Status.OK, trial.reason


CAUGHT = [
    # On the pass that is timed, hot or cold, with one process or two.
    *(("hot", cheat, operation) for cheat in ("second-pass", "png:second-pass") for operation in SEVERAL),
    *(("two workers", "second-workers", operation) for operation in SEVERAL),
    *(("hot", cheat, operation) for cheat in ("after-50", "png:after-50") for operation in SINGLE),
    *(("cold", "when-cold", operation) for operation in (Operation.READ_ONE, *SEVERAL)),
    # After the close.
    *(("written", kind, Operation.WRITE_MANY) for kind in DEFERRED),
]


@pytest.mark.sample_first(6)
@cases(CAUGHT)
def test_a_cheat_is_caught(measured: Measured, case: tuple[str, str, Operation]) -> None:
    trial = measured(*case)
    assert trial.status is Status.FAILED
    assert trial.seconds is None


@pytest.mark.full
def test_a_cache_of_the_process_is_not_called_cold(measured: Measured) -> None:
    trial = measured("cold", "process-cache", Operation.READ_ONE)
    assert trial.status is Status.SKIPPED
    assert "fetched" in str(trial.reason)


@pytest.mark.full
def test_a_file_that_the_backend_hides_is_evicted(measured: Measured) -> None:
    for operation in SEVERAL:
        trial = measured("cold", "hidden-file", operation)
        assert trial.status is Status.OK
        assert trial.io_read_bytes is not None
        assert trial.io_read_bytes >= PAYLOADS / 2


def test_syncs_are_made_and_counted_by_the_instrument(measured: Measured) -> None:
    trial = measured("forced", "no-force", Operation.WRITE_MANY)
    assert trial.status is Status.OK
    assert trial.sync_count == 3 + 2, f"three files, their folder and its parent, not {FORCED_CALLS}"


def test_a_store_is_weighed_by_the_instrument(measured: Measured) -> None:
    trial = measured("written", "light", Operation.WRITE_MANY)
    assert trial.files == 3
    assert trial.apparent_bytes is not None
    assert trial.apparent_bytes >= PAYLOADS
