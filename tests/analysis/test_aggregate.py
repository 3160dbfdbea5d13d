"""Tests aggregation: a run aggregated while it grows has the summaries of one aggregated at once."""

from __future__ import annotations

from dataclasses import replace

from imgstore_tui.analysis.aggregate import Aggregator, summarise
from imgstore_tui.analysis.verdict import VerdictCache, VerdictRules, verdicts
from imgstore_tui.core.operations import Operation
from imgstore_tui.testing.fake_runs import fake_run

RUN = fake_run(["disk", "lmdb"], [1, 10], 6, operations=list(Operation), failures={"lmdb/read-one/10": "it broke"})
RULES = VerdictRules.of(RUN)


def test_a_run_that_grows_comes_to_the_same_at_every_step() -> None:
    tally, court = Aggregator(), VerdictCache()
    for count in (0, 1, 2, 30, 30, 31, len(RUN.measurements)):
        run = replace(RUN, measurements=RUN.measurements[:count])
        grown = tally.summaries(run)
        assert grown == summarise(run)
        assert court.verdicts(grown, RULES) == verdicts(grown, RULES)


def test_only_what_a_new_trial_bears_on_is_made_anew() -> None:
    tally, court = Aggregator(), VerdictCache()
    before = {entry.cell: entry for entry in tally.summaries(replace(RUN, measurements=RUN.measurements[:-1]))}
    judged = {verdict.contest: verdict for verdict in court.verdicts(before.values(), RULES)}
    last = RUN.measurements[-1].cell
    after = tally.summaries(RUN)
    changed = {entry.cell for entry in after if entry is not before[entry.cell]}
    assert last in changed
    assert all((cell.spec, cell.cutoff) == (last.spec, last.cutoff) for cell in changed)
    # Only the number of verdicts that hold together is brought up to date in the others.
    anew = {
        verdict.contest
        for verdict in court.verdicts(after, RULES)
        if verdict.standings is not judged[verdict.contest].standings
    }
    assert anew == {cell.contest for cell in changed}


def test_another_run_is_not_taken_for_a_growing_one() -> None:
    tally = Aggregator()
    tally.summaries(RUN)
    for other in (
        replace(RUN, measurements=RUN.measurements[5:]),
        replace(RUN, measurements=tuple(replace(trial, verified=False) for trial in RUN.measurements)),
        replace(RUN, id="other", measurements=RUN.measurements[:7]),
        RUN,
    ):
        assert tally.summaries(other) == summarise(other)


def test_each_trial_of_a_read_counts_as_soon_as_it_is_there() -> None:
    run = fake_run(["lmdb"], [10], 6, operations=[Operation.READ_ONE])
    trials = tuple(replace(trial, allocated_bytes=None, apparent_bytes=None) for trial in run.measurements)
    aggregator = Aggregator()
    for count in range(1, len(trials) + 1):
        (summary,) = aggregator.summaries(replace(run, measurements=trials[:count]))
        assert summary.ok == count
