"""The section about the numbers: each figure in it is that of the trials, and every report has it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import CacheState, Operation
from imgstore_tui.present import exports
from imgstore_tui.present.charts.figures import make_figure
from imgstore_tui.present.charts.svg import figure_svg
from imgstore_tui.present.charts.text_chart import draw_figure
from imgstore_tui.present.results import build_results
from imgstore_tui.present.text.about_numbers import TITLE, about_pairs
from imgstore_tui.testing.fake_runs import fake_run

HOT, COLD = CacheState.HOT, CacheState.COLD
OPERATIONS = (Operation.WRITE_MANY, Operation.READ_MANY)


def measured(*, cold: float | None = 0.004, cache: tuple[CacheState, ...] = (HOT, COLD), **changes: object) -> Run:
    """Return a run whose stores were in memory by known shares; in one trial of each state more, or less."""
    run = fake_run(("disk", "lmdb"), (10, 100), 6, operations=OPERATIONS, cache=cache, **changes)  # type: ignore[arg-type]
    shares = {HOT: (1.0, 0.987), COLD: (0.0, cold)}

    def share(number: int, state: CacheState | None) -> float | None:
        return None if state is None else shares[state][number % 5 == 0]

    return replace(
        run,
        measurements=tuple(
            replace(trial, resident_before=share(number, trial.cache)) for number, trial in enumerate(run.measurements)
        ),
    )


def about(run: Run) -> dict[str, str]:
    return dict(about_pairs(build_results(run)))


def test_figures_are_those_of_the_trials() -> None:
    run = measured(failures={"lmdb/read-many/100": "The disk is full."})
    text = about(run)
    failed = sum(trial.seconds is None for trial in run.measurements)
    ended = len(run.measurements) - failed
    assert failed
    assert text["Trials"].startswith(f"{len(run.measurements)} trials, each one operation in a process of its own")
    assert text["Trials"].endswith(f"drawn anew from seed {run.plan.seed}.")
    assert text["Verified"].startswith(f"In {ended} of {ended} trials that ended, every image and label was read back")
    assert f" {failed} failed: see Failures" in text["Verified"]
    assert run.datasets[0].fingerprint[:16] in text["Data"]
    assert f"imgstore-tui export {run.id} -f bundle" in text["To repeat"]


def test_the_worst_share_in_memory_proves_hot_and_cold() -> None:
    assert about(measured())["Cache"] == (
        "In memory at the start (mincore): hot at least 98.7 %, cold at most 0.4 %; caches of directory entries stayed "
        "warm. What the device or a host keeps in caches of its own is not known."
    )
    assert "cold not known" in about(measured(cold=None))["Cache"]
    assert "hot at least 98.7 %. What" in about(measured(cache=(HOT,)))["Cache"]


def test_a_run_that_has_not_begun_has_none() -> None:
    assert about(replace(measured(), measurements=())) == {}


@pytest.mark.parametrize("name", ["md", "html", "tex"])
def test_every_report_has_it(name: str) -> None:
    report = exports.get(name).export(measured()).decode()
    plain = re.sub(r"<[^>]+>|[\\{}]", "", report)
    assert TITLE in plain
    assert "hot at least 98.7 %, cold at most 0.4 %" in plain


def test_a_chart_with_cold_reads_carries_its_proof() -> None:
    proof = "In memory at the start (mincore): hot at least 98.7 %, cold at most 0.4 %"
    against = make_figure(measured(), "read-many", against=True)
    assert against.proof == proof
    assert proof in figure_svg(against)
    assert proof in draw_figure(against, 80, 16).plain
    assert make_figure(measured(), "read-many", cache=COLD).proof.endswith(": cold at most 0.4 %")
    assert make_figure(measured(), "read-many", cache=HOT).proof == ""
    assert make_figure(measured(), "write-many").proof == ""
    assert "cold not known" in make_figure(measured(cold=None), "read-many", against=True).proof
