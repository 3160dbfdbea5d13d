"""Standings: who leads while there is no verdict, by how much, and none of a verdict's words."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from imgstore_tui.cli.progress import ProgressLine
from imgstore_tui.core.events import RunStarted, TrialFinished, TrialStarted
from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import Operation, Status
from imgstore_tui.present.results import build_results
from imgstore_tui.present.text.narrative import verdict_text
from imgstore_tui.present.text.standings import standings_line, standings_lines, standings_text
from imgstore_tui.testing.fake_runs import fake_run

OPERATIONS = (Operation.WRITE_MANY, Operation.READ_MANY)


def after(rounds: int, *, failures: dict[str, str] | None = None, status: str = "running") -> Run:
    """Return a run of three methods after so many of its rounds."""
    run = fake_run(
        cutoffs=(100, 1000), rounds=rounds, operations=OPERATIONS, status=status, failures=failures, noise=0.02
    )
    return replace(run, plan=replace(run.plan, rounds=12))


def test_the_standings_come_with_the_first_round() -> None:
    text = standings_text(build_results(after(1)), width=60).plain
    assert "read-many, N=1k, 1 round" in text
    assert "N=100" not in text  # the most images alone
    leader = next(line for line in text.splitlines() if line.endswith("leads"))
    assert "lmdb" in leader or "hdf5" in leader
    assert len(re.findall(r"● ", text)) == 6


@pytest.mark.parametrize("rounds", [1, 2])
def test_no_interval_is_drawn_below_three_rounds(rounds: int) -> None:
    assert "─" not in standings_text(build_results(after(rounds)), width=76).plain


def test_an_interval_is_drawn_from_the_third_round_on() -> None:
    run = after(3)
    slow = {"disk": 3.0}
    trials = [
        replace(trial, seconds=(trial.seconds or 0) * (1 + trial.round * slow.get(trial.spec, 0)))
        for trial in run.measurements
    ]
    assert "─●─" in standings_text(build_results(replace(run, measurements=tuple(trials))), width=76).plain


@pytest.mark.parametrize("rounds", [1, 3, 5])
def test_no_word_of_a_verdict_is_used(rounds: int) -> None:
    results = build_results(after(rounds))
    every = "\n".join([standings_text(results).plain, *standings_lines(results), standings_line(results)])
    assert every.strip()
    for word in ("fastest", "slower", "Take", "tie", "best", "winner", "95 %"):
        assert not re.search(rf"\b{word}\b", every, re.IGNORECASE)
    assert "may change" in every


def test_the_leader_has_the_lowest_median_of_the_shared_rounds() -> None:
    run = after(2)
    # lmdb alone has a third round, a very slow one: it must not count.
    extra = [
        replace(trial, round=3, seconds=1000.0)
        for trial in run.measurements
        if trial.spec == "lmdb" and trial.round == 2
    ]
    before = [line for line in standings_lines(build_results(run)) if "read-many" in line]
    later = build_results(replace(run, measurements=(*run.measurements, *extra)))
    assert [line for line in standings_lines(later) if "read-many" in line] == before


def test_the_ratio_spans_the_rounds_and_counts_those_behind() -> None:
    run = after(2)
    factors = {
        ("lmdb", 1): 1.0,
        ("lmdb", 2): 1.0,
        ("hdf5", 1): 2.0,
        ("hdf5", 2): 0.5,
        ("disk", 1): 4.0,
        ("disk", 2): 8.0,
    }
    trials = tuple(replace(trial, seconds=factors[trial.spec, trial.round]) for trial in run.measurements)
    lines = standings_lines(build_results(replace(run, measurements=trials)))
    assert any("disk 4 to 8 times its time, behind in 2 of 2 rounds" in line for line in lines)
    assert any("hdf5 0.5 to 2 times its time, behind in 1 of 2 rounds" in line for line in lines)


def test_methods_that_failed_are_left_out() -> None:
    assert "disk" not in standings_text(build_results(after(2, failures={"disk": "no room"}))).plain


def test_a_method_that_failed_once_does_not_lead() -> None:
    run = after(3)
    first = min(trial.round for trial in run.measurements)
    trials = tuple(
        replace(trial, status=Status.FAILED, reason="no", seconds=None)
        if (trial.spec, trial.round) == ("lmdb", first)
        else replace(trial, seconds=1e-9 if trial.spec == "lmdb" else trial.seconds)
        for trial in run.measurements
    )
    assert "lmdb" not in "".join(standings_lines(build_results(replace(run, measurements=trials))))


def test_a_verdict_replaces_the_standings() -> None:
    results = build_results(after(12, status="finished"))
    assert standings_text(results).plain == ""
    assert "leads" not in verdict_text(results).plain


def test_a_run_that_ended_too_early_keeps_its_standings() -> None:
    text = verdict_text(build_results(after(2, status="budget"))).plain
    assert "Standings" in text
    assert "No answer yet" in text


@pytest.mark.parametrize("width", [42, 76, 200])
def test_every_line_fits(width: int) -> None:
    text = standings_text(build_results(after(4)), width=width).plain
    assert all(len(line) <= width for line in text.splitlines() if line.startswith("  ") and "may change" not in line)


def test_the_command_line_prints_the_standings_after_each_round() -> None:
    run = after(2)
    stream = io.StringIO()
    with ProgressLine(Console(file=stream, width=200)) as line:
        line.on_event(RunStarted(replace(run, measurements=()), (), 1.0, "run.jsonl"))
        for trial in run.measurements:
            line.on_event(TrialStarted(trial.cell, trial.round - 1, "trial"))
            line.on_event(TrialFinished(trial))
    lines = [text for text in stream.getvalue().splitlines() if text.startswith("standings")]
    assert len(lines) == 1
    assert re.match(r"standings after 1 round: write-many \w+ leads \(", lines[0])
