"""Tests verdicts: which methods may be ranked together, and why others may not."""

import re
from dataclasses import replace

import pytest

from imgstore_tui.analysis.aggregate import summarise
from imgstore_tui.analysis.verdict import Verdict, VerdictRules, coverage_clause, verdicts
from imgstore_tui.core.model import Run, ServerFacts
from imgstore_tui.core.operations import Operation, Status, SyncLevel
from imgstore_tui.testing.fake_runs import fake_run

WRITE = [Operation.WRITE_MANY]


def only(run: Run) -> Verdict:
    (verdict,) = verdicts(summarise(run), VerdictRules.of(run))
    return verdict


def scaled(run: Run, **factors: float) -> Run:
    """Give every trial of a spec the same time, but for a ripple that all specs share."""
    return replace(
        run,
        measurements=tuple(
            replace(trial, seconds=factors[trial.spec] * (1 + trial.round / 100)) for trial in run.measurements
        ),
    )


def test_a_winner_with_exact_ratios() -> None:
    verdict = only(scaled(fake_run(cutoffs=[10], operations=WRITE), disk=4.0, lmdb=1.0, hdf5=2.0))
    assert verdict.winner == "lmdb"
    assert verdict.best == ("lmdb",)
    assert not verdict.is_tie
    assert verdict.describe() == (
        "lmdb is fastest; hdf5 takes 2 times as long (2 to 2); disk takes 4 times as long (4 to 4)."
    )
    standing = verdict.standing("disk")
    assert standing is not None
    assert standing.ratio is not None
    # Three pairs share the 5 %, and 6 rounds are too few for the exact test.
    assert standing.ratio.coverage == pytest.approx(1 - 0.05 / 3)
    assert verdict.is_approximate


def test_a_ratio_of_thousands_is_told_without_an_exponent() -> None:
    verdict = only(scaled(fake_run(["disk", "lmdb"], [10], operations=WRITE), disk=1234.0, lmdb=1.0))
    assert verdict.describe() == "lmdb is fastest; disk takes 1,234 times as long (1,234 to 1,234)."


def test_a_tie() -> None:
    run = scaled(fake_run(cutoffs=[10], operations=WRITE), disk=3.0, lmdb=1.0, hdf5=1.0)
    trials = [
        replace(trial, seconds=(trial.seconds or 0) * (1.02 if trial.round % 2 else 0.99))
        if trial.spec == "hdf5"
        else trial
        for trial in run.measurements
    ]
    verdict = only(replace(run, measurements=tuple(trials)))
    assert verdict.is_tie
    assert verdict.winner is None
    assert set(verdict.best) == {"lmdb", "hdf5"}
    assert verdict.describe().startswith("Tie: lmdb and hdf5 differ too little to matter; disk takes 3")


def test_what_the_plan_has_and_nobody_has_measured_is_named() -> None:
    run = fake_run(["lmdb"], [10], operations=WRITE)
    (verdict,) = verdicts(summarise(run), VerdictRules(fake_run(cutoffs=[10], operations=WRITE).plan))
    assert verdict.describe() == "No verdict: only lmdb has been measured, disk and hdf5 not yet."


def test_reasons_for_no_verdict() -> None:
    one = only(fake_run(["lmdb"], [10], operations=WRITE))
    few = only(fake_run(cutoffs=[10], rounds=5, operations=WRITE))
    first = only(fake_run(cutoffs=[10], rounds=1, operations=WRITE))
    unproven = only(fake_run(cutoffs=[10], operations=WRITE, verified=False))
    broken = only(fake_run(cutoffs=[10], operations=WRITE, failures={"disk": "x", "lmdb": "x", "hdf5": "x"}))
    lonely = only(fake_run(cutoffs=[10], operations=WRITE, failures={"disk": "x", "lmdb": "x"}))
    assert [verdict.describe() for verdict in (one, few, first, unproven, broken, lonely)] == [
        "No verdict: there is only one storage method.",
        "No verdict: there are only 5 of the 6 rounds that a verdict needs.",
        "No verdict: there is only 1 of the 6 rounds that a verdict needs.",
        "No verdict: nothing was verified.",
        "No verdict: every trial failed.",
        "No verdict: only hdf5 passed without a failure.",
    ]
    assert few.best == ()
    assert unproven.standings == ()


def test_a_failed_round_leaves_a_spec_out_but_not_the_others() -> None:
    run = fake_run(cutoffs=[10], operations=WRITE, failures={"disk": "x"})
    verdict = only(run)
    assert verdict.best
    assert verdict.left_out == (("disk", "6 of 6 trials failed"),)
    assert verdict.standing("disk") is None


def test_a_skipped_round_leaves_a_spec_out() -> None:
    run = fake_run(cutoffs=[10], operations=WRITE)
    first = min(trial.round for trial in run.measurements)
    trials = tuple(
        replace(trial, status=Status.SKIPPED, seconds=None, reason="The user left it out.")
        if (trial.spec, trial.round) == ("disk", first)
        else trial
        for trial in run.measurements
    )
    verdict = only(replace(run, measurements=trials))
    assert verdict.left_out == (("disk", "1 of 6 trials were skipped"),)
    # It was to be compared, so that it counts among the methods of the verdict.
    (ratio,) = [entry.ratio for entry in verdict.standings if entry.name != verdict.best[0]]
    assert ratio is not None
    assert ratio.coverage == pytest.approx(1 - 0.05 / 3)


def test_a_spec_with_fewer_rounds_is_left_out_by_name() -> None:
    run = fake_run(cutoffs=[10], operations=WRITE)
    trials = tuple(trial for trial in run.measurements if trial.spec != "hdf5" or trial.round < 3)
    verdict = only(replace(run, measurements=trials))
    assert verdict.left_out == (("hdf5", "2 of the 6 rounds that a verdict needs"),)
    assert verdict.best


def test_sync_levels_never_meet() -> None:
    run = fake_run(cutoffs=[10], operations=WRITE, sync=[SyncLevel.BUFFERED, SyncLevel.END])
    judged = verdicts(summarise(run), VerdictRules.of(run))
    assert [verdict.contest.sync for verdict in judged] == [SyncLevel.BUFFERED, SyncLevel.END]
    assert all(len(verdict.standings) == 3 for verdict in judged)


def test_what_is_lossy_is_named_beside_what_keeps_every_bit_also_where_it_is_read() -> None:
    run = fake_run(cutoffs=[10], operations=[Operation.WRITE_MANY, Operation.READ_MANY])
    lossy = [
        replace(trial, psnr_db=38.4) if trial.spec == "disk" and trial.operation is Operation.WRITE_MANY else trial
        for trial in run.measurements
    ]
    judged = verdicts(summarise(replace(run, measurements=tuple(lossy))), VerdictRules.of(run))
    assert len(judged) == 2
    assert all(verdict.describe().endswith("Not like for like: lossy is disk (38 dB).") for verdict in judged)
    assert all("lossy" not in verdict.describe() for verdict in verdicts(summarise(run), VerdictRules.of(run)))


def test_among_lossy_methods_alone_likes_are_compared() -> None:
    run = fake_run(cutoffs=[10], operations=WRITE)
    lossy = tuple(replace(trial, psnr_db=38.4) for trial in run.measurements)
    assert "lossy" not in only(replace(run, measurements=lossy)).describe()


def test_what_is_left_open_by_a_wide_interval_is_unsure_and_no_tie_though_its_median_is_near() -> None:
    run = scaled(fake_run(["disk", "lmdb"], [10], operations=WRITE), disk=1.0, lmdb=1.0)
    trials = tuple(
        replace(trial, seconds=(trial.seconds or 0) * (0.4, 12, 1, 1, 1.02, 0.99)[trial.round - 1])
        if trial.spec == "disk"
        else trial
        for trial in run.measurements
    )
    verdict = only(replace(run, measurements=trials))
    assert verdict.is_tie
    assert verdict.alike == ()
    assert set(verdict.best) == {"disk", "lmdb"}
    assert "Unsure:" in verdict.describe()
    assert "are too close to call, more rounds may decide." in verdict.describe()


def test_an_emulator_is_measured_and_never_ranked() -> None:
    run = scaled(fake_run(cutoffs=[10], operations=WRITE), disk=4.0, lmdb=1.0, hdf5=2.0)
    # That it is one is a fact of the server, whatever the backend and the server are called.
    for emulator, winner in ((True, "hdf5"), (False, "lmdb")):
        server = ServerFacts("lmdb", "Imitation", "1", "lmdb://x/y", emulator=emulator)
        verdict = only(replace(run, environment=replace(run.environment, servers=(server,))))
        assert verdict.winner == winner
        assert (verdict.standing("lmdb") is None) == emulator
        reasons = [reason for spec, reason in verdict.left_out if spec == "lmdb"]
        expected = ["Imitation is an emulator, whose speed says nothing about the service"] if emulator else []
        assert reasons == expected
    assert "an emulator" in ServerFacts("x", "Imitation", "1", "", emulator=True).label


def test_emulators_alone_have_no_verdict() -> None:
    run = fake_run(["disk", "lmdb"], cutoffs=[10], operations=WRITE)
    servers = tuple(ServerFacts(name, f"Fake {name}", "1", "", emulator=True) for name in ("disk", "lmdb"))
    both = only(replace(run, environment=replace(run.environment, servers=servers)))
    assert both.describe() == "No verdict: every server that was measured is an emulator."
    one = only(replace(run, environment=replace(run.environment, servers=servers[:1])))
    assert one.describe() == "No verdict: only lmdb can be ranked."


def rippled(run: Run, **factors: tuple[float, ...]) -> Run:
    """Give the trials of a spec its factors in turn, times what a round does to all of them."""
    return replace(
        run,
        measurements=tuple(
            replace(
                trial,
                seconds=factors[trial.spec][(trial.round - 1) % len(factors[trial.spec])] * (1 + trial.round / 10),
            )
            for trial in run.measurements
        ),
    )


def two(rounds: int = 12) -> Run:
    return fake_run(["lmdb", "hdf5"], [10], rounds, operations=WRITE)


def test_a_little_slower_is_too_little_to_choose_by() -> None:
    verdict = only(rippled(two(), lmdb=(1.0,), hdf5=(1.03, 1.032, 1.035)))
    assert (verdict.winner, verdict.alike) == (None, ("lmdb", "hdf5"))
    assert verdict.describe() == (
        "Tie: lmdb and hdf5 differ too little to matter; hdf5 is a little slower, too little to choose by "
        "(1.03 to 1.03)."
    )


def test_slower_by_perhaps_less_than_the_margin_is_unsure() -> None:
    verdict = only(rippled(two(), lmdb=(1.0,), hdf5=(1.01, 1.2, 1.03, 1.04)))
    assert verdict.unsure == ("hdf5",)
    assert re.search(r"hdf5 takes [\d.]+ times as long \(.*\), which is not surely 5 % more", verdict.describe())


@pytest.mark.parametrize(("factor", "is_alike"), [(1.08, True), (1.12, False), (1.5, False)])
def test_a_tie_reaches_to_a_tenth(factor: float, is_alike: bool) -> None:
    # The ratio runs from 0.98 to the factor, which the whole interval takes in.
    verdict = only(rippled(two(6), lmdb=(1.0,), hdf5=(factor, 0.98, factor, factor, 0.98, factor)))
    assert (verdict.alike != (), verdict.winner) == (is_alike, None)


def test_a_ratio_that_contradicts_the_medians_is_explained_in_place() -> None:
    run = two(6)
    seconds = {"lmdb": (3.0, 3.1, 3.5, 3.6, 4.1, 4.2), "hdf5": (2.0, 2.1, 3.56, 3.61, 4.0, 4.1)}
    trials = tuple(replace(trial, seconds=seconds[trial.spec][trial.round - 1]) for trial in run.measurements)
    text = only(replace(run, measurements=trials)).describe()
    assert "hdf5 has the higher median, yet took 0.83 " in text
    assert "times as long when paired round by round: the rounds differ more than the methods do" in text


def test_what_the_95_percent_cover_is_said_in_one_clause() -> None:
    exact = only(scaled(two(12), lmdb=1.0, hdf5=2.0))
    near = only(scaled(fake_run(cutoffs=[10], operations=WRITE), disk=3.0, lmdb=1.0, hdf5=2.0))
    head = "Intervals: 95 % for all methods of a verdict together, however often it was looked at; "
    approximate = "approximate (t on log ratios), as the rounds are too few for the exact test."
    assert coverage_clause([exact]) == f"{head}exact for independent rounds (signed ranks)."
    assert coverage_clause([near]) == head + approximate
    assert coverage_clause([exact, near]) == (
        f"{head}exact for independent rounds (signed ranks), in 1 of 2 verdicts {approximate}"
    )
    assert coverage_clause([only(two(3))]) == ""


def test_a_run_of_many_verdicts_is_surer_of_its_headline() -> None:
    # A fifth slower, give or take a sixth: enough for one verdict, too little for ten of them together.
    one = rippled(two(12), lmdb=(1.0,), hdf5=(1.02, 1.1, 1.4, 1.38))
    assert only(one).winner == only(one).at_headline().winner == "lmdb"
    many = tuple(
        replace(trial, dataset=f"synthetic,size={size}") for size in range(1, 11) for trial in one.measurements
    )
    judged = verdicts(summarise(replace(one, measurements=many)), VerdictRules.of(one))
    assert {verdict.winner for verdict in judged} == {"lmdb"}
    assert {verdict.at_headline().winner for verdict in judged} == {None}
    assert {verdict.judged_together for verdict in judged} == {10}
    few = tuple(trial for trial in many if trial.dataset in ("synthetic,size=1", "synthetic,size=2") or trial.round < 3)
    judged = verdicts(summarise(replace(one, measurements=few)), VerdictRules.of(one))
    assert len(judged) == 10
    assert {verdict.judged_together for verdict in judged} == {2}, "what has no verdict is not counted"


def test_a_run_that_stops_by_itself_is_judged_at_its_looks_only() -> None:
    whole = scaled(two(12), lmdb=1.0, hdf5=2.0)
    plan = replace(whole.plan, looks=True)

    def after(rounds: int, status: str = "running") -> Verdict:
        trials = tuple(trial for trial in whole.measurements if trial.round <= rounds)
        return only(replace(whole, plan=plan, status=status, measurements=trials))

    assert after(7).describe() == "No verdict: there are only 7 of the 8 rounds that a verdict needs."
    assert after(8).winner == "lmdb"
    assert after(9).standings == after(8).standings, "the ninth round waits for the next look"
    assert after(9, "budget").standings != after(8).standings, "no further round comes"
    assert after(7, "budget").winner == "lmdb"
    few = "No verdict: there are only 5 of the 8 rounds that a verdict needs."
    assert after(5).describe() == after(5, "budget").describe() == few, "the same number before and after the end"


def test_a_run_without_looks_is_judged_when_it_ends() -> None:
    whole = scaled(two(12), lmdb=1.0, hdf5=2.0)
    trials = tuple(trial for trial in whole.measurements if trial.round <= 10)
    running = replace(whole, status="running", measurements=trials)
    assert only(running).describe() == "No verdict: it comes with round 12, the last."
    assert only(replace(running, status="stopped")).winner == "lmdb"


def test_ratios_that_drift_are_warned_of() -> None:
    run = rippled(two(), lmdb=(1.0,), hdf5=tuple(2.0 + number / 20 for number in range(12)))
    (warning,) = only(run).warnings
    assert warning.text.startswith("The ratios of hdf5 to lmdb drift:")
    assert only(run).describe().endswith(str(warning))
    assert only(scaled(two(12), lmdb=1.0, hdf5=2.0)).warnings == ()
