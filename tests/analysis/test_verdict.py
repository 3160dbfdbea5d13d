"""Tests verdicts: which methods may be ranked together, and why others may not."""

from dataclasses import replace

from imgstore_tui.analysis.aggregate import summarise
from imgstore_tui.analysis.verdict import Verdict, verdicts
from imgstore_tui.core.model import Run, ServerFacts
from imgstore_tui.core.operations import Operation, SyncLevel
from imgstore_tui.testing.fake_runs import fake_run

WRITE = [Operation.WRITE_MANY]


def only(run: Run) -> Verdict:
    (verdict,) = verdicts(summarise(run))
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
    assert standing.ratio.coverage == 1 - 2 / 64


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
    assert verdict.describe().startswith("Tie: lmdb and hdf5 cannot be told apart; disk takes 3")


def test_what_the_plan_has_and_nobody_has_measured_is_named() -> None:
    (verdict,) = verdicts(summarise(fake_run(["lmdb"], [10], operations=WRITE)), ["disk", "lmdb", "hdf5"])
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
        "No verdict: only hdf5 got through without a failure.",
    ]
    assert few.best == ()
    assert unproven.standings == ()


def test_a_failed_round_leaves_a_spec_out_but_not_the_others() -> None:
    run = fake_run(cutoffs=[10], operations=WRITE, failures={"disk": "x"})
    verdict = only(run)
    assert verdict.best
    assert verdict.left_out == (("disk", "6 of 6 trials failed"),)
    assert verdict.standing("disk") is None


def test_a_spec_with_fewer_rounds_is_left_out_by_name() -> None:
    run = fake_run(cutoffs=[10], operations=WRITE)
    trials = tuple(trial for trial in run.measurements if trial.spec != "hdf5" or trial.round < 3)
    verdict = only(replace(run, measurements=trials))
    assert verdict.left_out == (("hdf5", "2 of the 6 rounds that a verdict needs"),)
    assert verdict.best


def test_sync_levels_never_meet() -> None:
    run = fake_run(cutoffs=[10], operations=WRITE, sync=[SyncLevel.BUFFERED, SyncLevel.END])
    judged = verdicts(summarise(run))
    assert [verdict.contest.sync for verdict in judged] == [SyncLevel.BUFFERED, SyncLevel.END]
    assert all(len(verdict.standings) == 3 for verdict in judged)


def test_what_is_lossy_is_named_beside_what_keeps_every_bit_also_where_it_is_read() -> None:
    run = fake_run(cutoffs=[10], operations=[Operation.WRITE_MANY, Operation.READ_MANY])
    lossy = [
        replace(trial, psnr_db=38.4) if trial.spec == "disk" and trial.operation is Operation.WRITE_MANY else trial
        for trial in run.measurements
    ]
    judged = verdicts(summarise(replace(run, measurements=tuple(lossy))))
    assert len(judged) == 2
    assert all(verdict.describe().endswith("Not like for like: lossy is disk (38 dB).") for verdict in judged)
    assert all("lossy" not in verdict.describe() for verdict in verdicts(summarise(run)))


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
    assert "cannot be told apart yet, more rounds may." in verdict.describe()


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
