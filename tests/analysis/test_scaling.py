"""Throughput by number of clients: what counts, what is claimed, and what is refused."""

from __future__ import annotations

import statistics
from dataclasses import replace

import pytest

from imgstore_tui.analysis.scaling import (
    GAIN,
    MOST_BEYOND,
    SHARED,
    UNVERIFIED,
    Extension,
    ScalingCurve,
    scaling_curves,
)
from imgstore_tui.core.client_round import ClientRound
from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import Operation
from imgstore_tui.stats.intervals import median_interval
from imgstore_tui.stats.universal_scalability import LawFit
from imgstore_tui.testing.fake_client_rounds import fake_client_run


def curve_of(run: Run, spec: str) -> ScalingCurve:
    return next(curve for curve in scaling_curves(run) if curve.row.spec == spec)


def with_rounds(run: Run, change: object) -> Run:
    assert callable(change)
    return replace(run, client_rounds=tuple(map(change, run.client_rounds)))


def slower(spec: str, clients: int, round_: int, factor: float) -> object:
    """Return what makes one round slower."""

    def change(entry: ClientRound) -> ClientRound:
        if (entry.spec, entry.clients, entry.round) != (spec, clients, round_):
            return entry
        results = tuple(replace(result, images=round(result.images / factor)) for result in entry.results)
        return replace(entry, results=results)

    return change


def test_figures_are_those_of_the_rounds() -> None:
    run = fake_client_run(("lmdb",), (1, 2, 4), 6)
    curve = curve_of(run, "lmdb")
    for figures in curve.figures:
        own = [entry for entry in run.client_rounds if entry.clients == figures.clients]
        rates = [sum(result.images for result in entry.results) / (entry.seconds or 0.0) for entry in own]
        assert figures.throughput == median_interval(rates)
        ones = {entry.round: entry.images_per_s or 0.0 for entry in run.client_rounds if entry.clients == 1}
        ratios = [rate / ones[entry.round] for rate, entry in zip(rates, own, strict=True)]
        assert figures.scaling == median_interval(ratios)
        slowest = [max(result.latency_s["p99"] for result in entry.results) for entry in own]
        assert figures.latency_s["p99"] == pytest.approx(statistics.median(slowest))
        assert figures.late_s == max(result.late_s or 0.0 for entry in own for result in entry.results)
        assert figures.start_spread_s == max(entry.start_spread_s or 0.0 for entry in own)
        assert figures.fairness == statistics.median(entry.fairness or 0.0 for entry in own)
        assert figures.per_client == pytest.approx(statistics.median(rates) / figures.clients)


def test_contests_do_not_mix() -> None:
    run = fake_client_run(("lmdb", "disk"), (1, 2), 3, operations=(Operation.READ_RANDOM, Operation.READ_MANY))
    curves = scaling_curves(run)
    assert [(curve.row.spec, curve.row.operation) for curve in curves] == [
        ("lmdb", Operation.READ_RANDOM), ("lmdb", Operation.READ_MANY), ("disk", Operation.READ_RANDOM),
        ("disk", Operation.READ_MANY),
    ]  # fmt: skip
    assert curves[0].contest == curves[2].contest != curves[1].contest


def test_rounds_thrown_away_and_failed_are_counted_and_left_out() -> None:
    run = fake_client_run(("lmdb",), (1, 2), 6, late=((2, 1), (2, 4)), dead=((2, 2),))
    figures = curve_of(run, "lmdb").figures[1]
    assert (figures.thrown_away, figures.failed) == (2, 1)
    assert [number for number, _ in figures.rounds] == [3, 5, 6]
    assert dict(figures.reasons) == {
        "Thrown away: client 0 on host-1 began 35.0 ms late.": 2, "Client 0 on host-1 was killed.": 1,
    }  # fmt: skip
    assert figures.scaling is not None
    assert figures.scaling.n == 3


def test_a_late_client_does_not_count_whatever_the_round_says() -> None:
    run = fake_client_run(("lmdb",), (1,), 3)
    late = with_rounds(
        run, lambda entry: replace(entry, results=(replace(entry.results[0], late_s=0.021),)) if entry.round == 2
        else entry
    )  # fmt: skip
    figures = curve_of(late, "lmdb").figures[0]
    assert (figures.thrown_away, [number for number, _ in figures.rounds]) == (1, [1, 3])


def test_unverified_rounds_do_not_count() -> None:
    run = with_rounds(fake_client_run(("lmdb",), (1, 2), 3), lambda entry: replace(entry, verified=None))
    figures = curve_of(run, "lmdb").figures[1]
    assert figures.throughput is None
    assert figures.reasons == ((UNVERIFIED, 3),)


def test_two_rounds_are_unsure() -> None:
    figures = curve_of(fake_client_run(("lmdb",), (1, 2), 2), "lmdb").figures[1]
    assert figures.scaling is None
    assert figures.is_unsure
    assert figures.unclaimed == "2 rounds of the 3 that it takes"


def test_rounds_that_disagree_are_unsure_and_never_a_number() -> None:
    run = fake_client_run(("lmdb",), (1, 2, 4), 3)
    curve = curve_of(with_rounds(run, slower("lmdb", 4, 2, 5.0)), "lmdb")
    assert curve.figures[1].scaling is not None
    unsure = curve.figures[2]
    assert unsure.scaling is None
    assert unsure.efficiency is None
    assert unsure.is_unsure
    assert "disagree" in unsure.unclaimed
    assert curve.gain is None


def test_no_scaling_is_claimed_on_shared_cores_and_figures_stay() -> None:
    curve = curve_of(fake_client_run(("lmdb",), shares_cores=True), "lmdb")
    for figures in curve.figures:
        assert figures.scaling is None
        assert figures.unclaimed == SHARED
        assert figures.throughput is not None
    assert curve.gain is None
    assert curve.law == SHARED
    assert curve.extend(64) == SHARED
    assert curve.feeding(1.0) is None


def test_only_numbers_that_share_cores_are_without_a_scaling() -> None:
    run = fake_client_run(("lmdb",), (1, 2, 4), 3)
    crowded = with_rounds(run, lambda entry: replace(entry, shares_cores=entry.clients > 2))
    curve = curve_of(crowded, "lmdb")
    assert [figures.scaling is None for figures in curve.figures] == [False, False, True]
    assert curve.law == SHARED


def test_without_one_client_there_is_nothing_to_compare_with() -> None:
    figures = curve_of(fake_client_run(("lmdb",), (2, 4), 3), "lmdb").figures[0]
    assert figures.scaling is None
    assert figures.unclaimed == "one client has no figures to compare with"
    assert not figures.is_unsure


def test_more_clients_gain_until_none_is_faster_by_the_margin() -> None:
    curve = curve_of(fake_client_run(("hdf5",), noise=0.01), "hdf5")
    gain = curve.gain
    assert gain is not None
    rates = {figures.clients: figures.throughput.median for figures in curve.measured if figures.throughput}
    # Without noise worth the name the interval says what the medians say.
    expected = next(
        clients for clients in rates if all(rates[more] <= GAIN * rates[clients] for more in rates if more > clients)
    )
    assert gain.clients == expected < gain.most == 32
    assert gain.is_sure


def test_what_grows_to_the_end_gains_to_the_end() -> None:
    gain = curve_of(fake_client_run(("lmdb",), noise=0.01), "lmdb").gain
    assert gain is not None
    assert gain.clients == gain.most == 32


def test_five_numbers_of_clients_have_no_law() -> None:
    curve = curve_of(fake_client_run(("lmdb",), (1, 2, 4, 8, 16)), "lmdb")
    assert curve.law == curve.extend(32) == "a law takes 6 numbers of clients, and 5 have figures"


def test_the_law_is_extended_with_its_interval_widened_by_the_tested_error() -> None:
    curve = curve_of(fake_client_run(("lmdb",)), "lmdb")
    fit, extension = curve.law, curve.extend(64)
    assert isinstance(fit, LawFit)
    assert isinstance(extension, Extension)
    predicted = fit.predict(64)
    # From 16 to 32 was tested; from 32 to 64 is as far again.
    assert extension.widened == pytest.approx(fit.tested.factor)
    assert extension.throughput.median == predicted.median
    assert extension.throughput.low == pytest.approx(predicted.low / extension.widened)
    assert extension.throughput.high == pytest.approx(predicted.high * extension.widened)
    assert extension.tested == fit.tested


def test_what_the_data_do_not_bear_is_refused() -> None:
    curve = curve_of(fake_client_run(("lmdb",)), "lmdb")
    assert curve.extend(32) == "32 clients lie within what was measured, up to 32"
    beyond = MOST_BEYOND * 32 + 1
    assert curve.extend(beyond) == "129 clients are more than 4 times the 32 that were measured"
    loud = curve_of(fake_client_run(("lmdb",), rounds=4, noise=0.2), "lmdb").extend(128)
    assert isinstance(loud, str)


def test_a_law_that_fails_its_test_is_not_extended() -> None:
    run = fake_client_run(("lmdb",), noise=0.01)
    for number in range(1, 7):
        run = with_rounds(run, slower("lmdb", 32, number, 5.0))
    reason = curve_of(run, "lmdb").extend(64)
    assert isinstance(reason, str)
    assert reason.startswith("the law does not hold here: from 16 clients it predicts ")


def test_the_fewest_clients_that_feed_a_rate_are_sure_to() -> None:
    curve = curve_of(fake_client_run(("lmdb",), noise=0.01), "lmdb")
    for rate in (3000.0, 7000.0, 30_000.0):
        enough = curve.feeding(rate)
        assert enough is not None
        assert enough.throughput is not None
        assert enough.throughput.low >= rate
        fewer = [entry for entry in curve.measured if entry.clients < enough.clients]
        assert all(entry.throughput is None or entry.throughput.low < rate for entry in fewer)
    assert curve.feeding(1e6) is None
