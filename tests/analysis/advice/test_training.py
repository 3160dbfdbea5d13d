"""Epochs, trainings and break-even of made-up costs: what the true costs say, as often as the intervals claim."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imgstore_tui.analysis.advice.run_advice import DEFAULT_EPOCHS, DatasetAdvice, Situation, advise_run
from imgstore_tui.analysis.advice.training import BreakEven, Payback, TrainingTime
from imgstore_tui.analysis.advice.weights import Criterion, Use
from imgstore_tui.analysis.aggregate import summarise
from imgstore_tui.analysis.growth import NoPrediction, Prediction
from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import CacheState, Operation
from imgstore_tui.core.units import MAX_CUTOFF
from tests.support.costed_runs import Costs, costed_run, is_at_least

READ, ORDERED, WRITE = Operation.READ_RANDOM, Operation.READ_MANY, Operation.WRITE_MANY
COSTS: Costs = {
    "source": {READ: (1e-3, 1e-4), ORDERED: (1e-3, 9e-5)},
    "quick": {READ: (1e-3, 1e-5), ORDERED: (1e-3, 8e-6), WRITE: (2e-3, 2e-4)},
    "same": {READ: (1e-3, 1e-4), ORDERED: (1e-3, 9e-5), WRITE: (2e-3, 2e-4)},
    "slow": {READ: (1e-3, 3e-4), ORDERED: (1e-3, 3e-4), WRITE: (2e-3, 2e-4)},
}
WHOLE = 20_000
SEEDS = 20
TRAINING = Situation(Use.TRAINING, images=WHOLE, epochs=30)


def given(run: Run, situation: Situation = TRAINING) -> DatasetAdvice:
    (advice,) = advise_run(run, summarise(run), situation)
    return advice


def own_run(seed: int = 0, **changes: object) -> Run:
    return costed_run(COSTS, dataset="folder:photos", seed=f"training/{seed}", noise=0.03, **changes)  # type: ignore[arg-type]


def pays(advice: DatasetAdvice, spec: str) -> BreakEven:
    return next(entry for entry in advice.break_evens if entry.spec == spec)


def trained(advice: DatasetAdvice, spec: str) -> TrainingTime:
    return next(entry for entry in advice.training if entry.spec == spec)


def test_the_true_epochs_and_break_even_lie_in_their_intervals() -> None:
    epoch = sum(COSTS["quick"][READ][index] * (1, WHOLE)[index] for index in range(2))
    own = COSTS["source"][READ][0] + COSTS["source"][READ][1] * WHOLE
    convert = 1e-3 + 9e-5 * WHOLE + 2e-3 + 2e-4 * WHOLE
    hits = dict.fromkeys(("training", "convert", "saved", "epochs"), 0)
    for seed in range(SEEDS):
        advice = given(own_run(seed))
        entry, even = trained(advice, "quick"), pays(advice, "quick")
        assert isinstance(entry.epoch, Prediction)
        assert entry.training is not None
        assert even.payback is Payback.AFTER
        assert even.epochs is not None
        assert even.convert is not None
        assert even.saved is not None
        hits["training"] += entry.training.contains(30 * epoch)
        hits["convert"] += even.convert.contains(convert)
        hits["saved"] += even.saved.contains(own - epoch)
        hits["epochs"] += even.epochs.contains(convert / (own - epoch))
        assert pays(advice, "slow").payback is Payback.NEVER
        assert pays(advice, "same").payback is Payback.UNSURE
    assert all(is_at_least(count, SEEDS) for count in hits.values()), hits


def test_a_training_is_its_epochs() -> None:
    for epochs in (1, 2, 90):
        entry = trained(given(own_run(), replace(TRAINING, epochs=epochs)), "quick")
        assert isinstance(entry.epoch, Prediction)
        assert entry.training is not None
        assert entry.training.median == pytest.approx(epochs * entry.epoch.interval.median)


def test_the_first_epoch_is_cold_where_cold_reads_were_measured() -> None:
    entry = trained(given(own_run(cache=(CacheState.HOT, CacheState.COLD))), "quick")
    assert isinstance(entry.epoch, Prediction)
    assert entry.first is not None
    assert entry.training is not None
    assert entry.first.interval.median > 5 * entry.epoch.interval.median
    assert entry.training.median == pytest.approx(entry.first.interval.median + 29 * entry.epoch.interval.median)
    assert {row.cache for row in entry.rows} == {CacheState.HOT, CacheState.COLD}


def test_every_epoch_is_cold_where_the_set_is_larger_than_memory() -> None:
    run = own_run(cache=(CacheState.HOT, CacheState.COLD), memory_bytes=WHOLE * 4096)
    advice = given(run)
    assert advice.is_beyond_memory
    entry = trained(advice, "quick")
    assert entry.first is None
    assert {row.cache for row in entry.rows} == {CacheState.COLD}
    hot = given(own_run(memory_bytes=WHOLE * 4096))
    assert isinstance(trained(hot, "quick").epoch, NoPrediction)
    assert trained(hot, "quick").training is None
    assert pays(hot, "quick").payback is Payback.UNKNOWN
    assert "of memory" in pays(hot, "quick").reason


def test_what_was_not_measured_is_said() -> None:
    run = own_run()
    unwritten = replace(
        run, measurements=tuple(t for t in run.measurements if (t.spec, t.operation) != ("quick", WRITE))
    )
    situation = replace(TRAINING, use=None, weights={Criterion.RANDOM: 1.0})
    even = pays(given(unwritten, situation), "quick")
    assert (even.payback, even.reason) == (Payback.UNKNOWN, "writing quick: it was not measured")


def test_without_own_files_nothing_can_pay_back() -> None:
    run = costed_run({spec: costs for spec, costs in COSTS.items() if spec != "source"})
    assert given(run).break_evens == ()
    assert [entry.spec for entry in given(run).training] == ["quick", "same", "slow"]


def test_the_whole_set_is_that_of_the_data_unless_it_is_named_or_without_end() -> None:
    run = own_run()
    assert given(run, Situation()).images == run.datasets[0].images == 50_000
    assert given(run).images == WHOLE
    endless = replace(run, datasets=(replace(run.datasets[0], images=MAX_CUTOFF),))
    assert given(endless, Situation()).images == 1000
    assert [Situation(use).passes for use in (None, Use.TRAINING, Use.ARCHIVE)] == [DEFAULT_EPOCHS, DEFAULT_EPOCHS, 1]


def test_a_service_reads_no_whole_set() -> None:
    costs: Costs = {spec: {**of_spec, Operation.GET_ONE: (1e-5, 0.0)} for spec, of_spec in COSTS.items()}
    advice = given(costed_run(costs), Situation(Use.SERVICE))
    assert (advice.training, advice.break_evens) == ((), ())
    assert advice.deciding is not None
    assert advice.deciding.operation is Operation.GET_ONE
