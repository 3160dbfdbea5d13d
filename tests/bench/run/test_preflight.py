"""What memory or the time budget has no room for is refused before anything is done, with what to do."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from imgstore_tui.bench.plan.grid import plan_cells
from imgstore_tui.bench.results.past_costs import NO_PAST_COSTS, PastCosts
from imgstore_tui.bench.run import preflight
from imgstore_tui.bench.run.preflight import (
    DataSize,
    check_feasible,
    check_memory,
    check_time,
    short_budget,
)
from imgstore_tui.core.errors import UnavailableError, UsageError
from imgstore_tui.core.model import Plan
from imgstore_tui.plugins.registry import resolve_spec

PLAN = Plan(specs=(resolve_spec("lmdb"), resolve_spec("disk")), cutoffs=(10, 1000))
SIZES = {"synthetic": 3072.0}


def test_an_ordinary_plan_has_room(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = plan_cells(PLAN)
    check_memory(PLAN, SIZES)
    check_time(PLAN, cells, SIZES)
    assert not short_budget(PLAN, cells, SIZES, NO_PAST_COSTS)
    monkeypatch.setattr(preflight, "available_bytes", lambda: 1 << 20)
    with pytest.raises(UnavailableError, match=r"needs about 131 MiB of memory and 1\.00 MiB is available"):
        check_memory(PLAN, SIZES)


def test_batches_that_no_memory_holds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnavailableError, match=r"Ask for smaller batches \(--batch\)"):
        check_memory(PLAN, {"synthetic": 1e12})
    monkeypatch.setattr(preflight, "available_bytes", lambda: 300 << 20)
    large = {"synthetic": 1e6}
    check_memory(replace(PLAN, workers=1), large)
    with pytest.raises(UnavailableError, match=r"300 MiB is available. Ask for fewer --workers"):
        check_memory(replace(PLAN, workers=4), large)
    check_memory(replace(PLAN, workers=4, batch=8), large)


def test_a_round_that_no_budget_holds_is_refused() -> None:
    plan = replace(PLAN, cutoffs=(5_000_000,), budget_s=60.0)
    with pytest.raises(UsageError, match="Ask for fewer cutoffs or storage methods, or for more time with --budget"):
        check_time(plan, plan_cells(plan), SIZES)
    photos = replace(PLAN, cutoffs=(1, 10, 100, 1000), budget_s=60.0)
    with pytest.raises(UsageError, match=r"--budget\. As it is, -n (\d+) may fit\.$") as refused:
        check_time(photos, plan_cells(photos), {"synthetic": 8e6})
    fit = int(str(refused.value).rpartition("-n ")[2].split()[0])
    few = replace(photos, cutoffs=(fit,))
    check_time(few, plan_cells(few), {"synthetic": 8e6})
    assert not short_budget(few, plan_cells(few), {"synthetic": 8e6}, NO_PAST_COSTS)
    check_time(replace(plan, budget_s=None), plan_cells(plan), SIZES)
    check_time(replace(plan, budget_s=86_400.0), plan_cells(plan), SIZES)


def test_a_short_budget_says_to_be_quick_not_to_refuse() -> None:
    plan, cells = replace(PLAN, budget_s=0.5), plan_cells(PLAN)
    check_time(plan, cells, SIZES)
    advice = short_budget(plan, cells, SIZES, NO_PAST_COSTS)
    assert advice.startswith("A verdict needs 6 rounds, which are expected to take about 15 s. The time budget")


def test_a_budget_that_is_too_short_for_a_verdict_is_told_beforehand() -> None:
    plan = replace(PLAN, cutoffs=(100_000,), budget_s=60.0)
    cells = plan_cells(plan)
    warning = short_budget(plan, cells, SIZES, NO_PAST_COSTS)
    assert re.match(
        r"A verdict needs 6 rounds, which are expected to take about \d+ min. The time budget of 1:00",
        warning,
    )
    for fit in (replace(plan, budget_s=None), replace(plan, budget_s=86_400.0), replace(plan, rounds=2)):
        assert not short_budget(fit, cells, SIZES, NO_PAST_COSTS)
    assert not short_budget(plan, [cell for cell in cells if cell.spec == "lmdb"], SIZES, NO_PAST_COSTS)
    assert not short_budget(plan, cells, SIZES, PastCosts({("machine",): {1: 1e-6}}, None, 1))


def test_sizes_are_all_that_is_asked_for(tmp_path: Path) -> None:
    check_feasible(PLAN, {"synthetic": DataSize(3072.0, 1000, False)}, tmp_path)
    with pytest.raises(UnavailableError, match="The stores need about"):
        check_feasible(PLAN, {"synthetic": DataSize(1e15, 1000, False)}, tmp_path)
