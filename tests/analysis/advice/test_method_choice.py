"""Advice changes when, and only when, weights or figures say so."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Mapping
from dataclasses import replace

import pytest

from imgstore_tui.analysis.advice.method_choice import MethodChoice, choose_method
from imgstore_tui.analysis.advice.ranking import Ranking
from imgstore_tui.analysis.advice.weights import Criterion, Use, weights_for
from imgstore_tui.analysis.aggregate import summarise
from imgstore_tui.analysis.verdict import VerdictRules, verdicts
from imgstore_tui.core.model import Measurement, Run
from imgstore_tui.core.operations import CacheState, Operation, Status
from tests.support.costed_runs import Costs, costed_run

SPECS = ("one", "two", "three")
OPERATIONS = (Operation.WRITE_MANY, Operation.READ_MANY, Operation.READ_RANDOM, Operation.GET_ONE)
TRAINING = weights_for(Use.TRAINING, {})


def some_run(seed: int, specs: tuple[str, ...] = SPECS, **changes: object) -> Run:
    """Return a run of methods whose costs are drawn at random, far enough apart to be told apart."""
    source = random.Random(f"advice/{seed}")
    costs: Costs = {
        spec: {operation: (source.uniform(1e-4, 3e-3), source.uniform(1e-6, 9e-6)) for operation in OPERATIONS}
        for spec in specs
    }
    settings: dict[str, object] = {
        "disk": {spec: source.randrange(2000, 9000) for spec in specs},
        "memory": {spec: source.randrange(1, 40) * 1_000_000 for spec in specs},
        "files": {spec: source.choice((0, 1, 7)) for spec in specs},
        "cutoffs": (10, 1000),
        "noise": 0.02,
        "rounds": 9,
        **changes,
    }
    return costed_run(costs, seed=seed, **settings)  # type: ignore[arg-type]


def advice_on(
    run: Run, weights: Mapping[Criterion, float], unsuitable: Mapping[str, str] | None = None
) -> MethodChoice:
    return choose_method(run, summarise(run), run.plan.datasets[0], weights, unsuitable=unsuitable)


def shifted(weights: Mapping[Criterion, float], criterion: Criterion, share: float) -> dict[Criterion, float]:
    """Return weights in which one criterion has a share and the others keep their proportions."""
    rest = 1 - weights.get(criterion, 0.0)
    others = {name: part / rest * (1 - share) for name, part in weights.items() if name is not criterion}
    return {**others, criterion: share} if share else others


def scores(ranking: Ranking) -> dict[str, float]:
    return {method.spec: method.score for method in ranking.methods}


@pytest.mark.parametrize("seed", range(6))
def test_beyond_a_threshold_and_only_there_the_other_method_costs_less(seed: int) -> None:
    run = some_run(seed)
    summaries = summarise(run)
    advice = choose_method(run, summaries, run.plan.datasets[0], TRAINING)
    rivals = [method.spec for method in advice.ranking.methods if method.spec not in advice.ranking.best]
    assert rivals

    def scores_at(weights: Mapping[Criterion, float]) -> dict[str, float]:
        return scores(choose_method(run, summaries, run.plan.datasets[0], weights).ranking)

    reached = {(threshold.criterion, threshold.is_upper): threshold for threshold in advice.thresholds}
    for criterion, upwards in itertools.product(Criterion, (True, False)):
        now = TRAINING.get(criterion, 0.0)
        threshold = reached.get((criterion, upwards))
        limit = threshold.share if threshold is not None else (1.0 if upwards else 0.0)
        for step in range(11):
            share = now + (limit - now) * (step / 10) * (1 - 1e-6)
            after = scores_at(shifted(TRAINING, criterion, share))
            assert all(after[advice.pick] <= after[rival] * (1 + 1e-9) for rival in rivals)
        if threshold is not None:
            beyond = threshold.share + (1e-6 if upwards else -1e-6)
            after = scores_at(shifted(TRAINING, criterion, beyond))
            assert after[threshold.spec] < after[advice.pick]


@pytest.mark.parametrize("seed", range(3))
def test_neither_the_unit_of_figures_nor_the_scale_of_weights_matters(seed: int) -> None:
    run = some_run(seed)
    base = advice_on(run, TRAINING)
    slower = replace(
        run, measurements=tuple(replace(trial, seconds=(trial.seconds or 0) * 60) for trial in run.measurements)
    )
    other = advice_on(slower, TRAINING)
    assert other.pick == base.pick
    assert other.ranking.best == base.ranking.best
    assert scores(other.ranking) == pytest.approx(scores(base.ranking))
    assert [threshold.share for threshold in other.thresholds] == pytest.approx(
        [threshold.share for threshold in base.thresholds]
    )


@pytest.mark.parametrize("seed", range(3))
def test_figures_without_a_weight_do_not_change_the_ranking(seed: int) -> None:
    run, weights = some_run(seed), {Criterion.RANDOM: 0.7, Criterion.DISK: 0.3}
    changed = replace(
        run,
        measurements=tuple(
            trial
            if trial.operation is Operation.READ_RANDOM
            else replace(trial, seconds=(trial.seconds or 0) * (9 if trial.spec == "one" else 1), files=3)
            for trial in run.measurements
        ),
    )
    base, other = advice_on(run, weights), advice_on(changed, weights)
    assert (other.pick, other.ranking.best) == (base.pick, base.ranking.best)
    assert scores(other.ranking) == scores(base.ranking)
    # It does change what would change the answer.
    assert other.thresholds != base.thresholds


@pytest.mark.parametrize("seed", range(3))
def test_rows_at_another_level_or_number_of_images_do_not_change_the_choice(seed: int) -> None:
    run = some_run(seed, cache=(CacheState.HOT, CacheState.COLD))
    base = advice_on(run, TRAINING)

    def counts(trial: Measurement) -> bool:
        return trial.cutoff == base.cutoff and trial.cache in (None, CacheState.HOT)

    others = tuple(
        trial
        if counts(trial)
        else replace(trial, seconds=(trial.seconds or 0) * (50 if trial.spec == base.pick else 0.02))
        for trial in run.measurements
    )
    assert advice_on(replace(run, measurements=others), TRAINING) == base


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("operation", [Operation.READ_RANDOM, Operation.WRITE_MANY])
def test_a_method_that_gets_faster_never_loses_and_one_that_gets_slower_never_wins(
    seed: int, operation: Operation
) -> None:
    run = some_run(seed)
    base = advice_on(run, TRAINING)

    def with_factor(spec: str, factor: float) -> MethodChoice:
        trials = tuple(
            replace(trial, seconds=(trial.seconds or 0) * factor) if (trial.spec, trial.operation) == (spec, operation)
            else trial
            for trial in run.measurements
        )  # fmt: skip
        return advice_on(replace(run, measurements=trials), TRAINING)

    for factor in (0.9, 0.5, 0.1):
        assert base.pick in with_factor(base.pick, factor).ranking.best
    losers = [method.spec for method in base.ranking.methods if method.spec not in base.ranking.best]
    for spec, factor in itertools.product(losers, (1.2, 5.0)):
        assert spec not in with_factor(spec, factor).ranking.best


@pytest.mark.parametrize("seed", range(3))
def test_with_all_weight_on_one_operation_the_advice_is_its_verdict(seed: int) -> None:
    run = some_run(seed)
    summaries = summarise(run)
    (verdict,) = [
        verdict
        for verdict in verdicts(summaries, VerdictRules.of(run))
        if (verdict.contest.operation, verdict.contest.cutoff) == (Operation.READ_RANDOM, 1000)
    ]
    advice = advice_on(run, {Criterion.RANDOM: 1.0})
    assert advice.ranking.best == verdict.best
    assert [entry.placement for entry in advice.ranking.standings] == [entry.placement for entry in verdict.standings]


def test_methods_that_cost_the_same_tie_and_either_will_do() -> None:
    costs: Costs = {
        spec: {Operation.READ_RANDOM: (1e-3, each), Operation.WRITE_MANY: (1e-3, 3e-6)}
        for spec, each in {"late": 3e-6, "early": 3e-6, "slow": 3e-5}.items()
    }
    run = costed_run(costs, rounds=25, noise=0.02)
    advice = advice_on(run, TRAINING)
    assert set(advice.ranking.best) == {"late", "early"}
    assert advice.ranking.are_alike
    assert advice.pick == "late"  # the first of the plan, whichever has the lower median


def test_noise_that_hides_a_difference_is_no_likeness() -> None:
    costs: Costs = {
        spec: {Operation.READ_RANDOM: (1e-3, 3e-6), Operation.WRITE_MANY: (1e-3, 3e-6)} for spec in ("one", "other")
    }
    advice = advice_on(costed_run(costs, rounds=6, noise=0.4), TRAINING)
    assert set(advice.ranking.best) == {"one", "other"}
    assert not advice.ranking.are_alike


def test_disk_alone_is_judged_exactly_and_without_rounds() -> None:
    run = some_run(0, rounds=1, disk={"one": 4000, "two": 4100, "three": 9000})
    advice = advice_on(run, {Criterion.DISK: 1.0})
    assert advice.ranking.best == ("one", "two")
    assert advice.ranking.are_alike
    standing = advice.ranking.standing("three")
    assert standing is not None
    assert standing.ratio is not None
    assert (standing.ratio.low, standing.ratio.high) == pytest.approx((2.25, 2.25))


def test_too_few_rounds_give_no_advice() -> None:
    advice = advice_on(some_run(1, rounds=3), TRAINING)
    assert (advice.pick, advice.ranking.best, advice.thresholds) == ("", (), ())
    assert "of the 6 rounds that a verdict needs" in advice.ranking.reason


def test_the_weights_that_were_not_measured_leave_the_others_in_proportion() -> None:
    run = some_run(2)
    without = replace(run, measurements=tuple(t for t in run.measurements if t.operation is not Operation.WRITE_MANY))
    advice = advice_on(without, TRAINING)
    assert set(advice.unmeasured) == {Criterion.WRITE, Criterion.DISK, Criterion.FILES}
    assert advice.ranking.shares == pytest.approx({Criterion.RANDOM: 75 / 80, Criterion.MEMORY: 5 / 80})
    assert advice.pick


def test_what_matters_most_must_have_been_measured() -> None:
    run = some_run(2)
    without = replace(run, measurements=tuple(t for t in run.measurements if t.operation is not Operation.GET_ONE))
    advice = advice_on(without, weights_for(Use.SERVICE, {}))
    assert (advice.pick, advice.ranking.best) == ("", ())
    assert advice.ranking.reason == "time to read one image, 75 % of the weight, was not measured"


def test_another_operation_stands_for_one_that_was_not_measured() -> None:
    run = some_run(3)
    without = replace(run, measurements=tuple(t for t in run.measurements if t.operation is not Operation.READ_RANDOM))
    advice = advice_on(without, TRAINING)
    assert advice.stands_for == ((Criterion.RANDOM, Operation.READ_MANY),)
    assert all(
        method.figures[Criterion.RANDOM].row.operation is Operation.READ_MANY for method in advice.ranking.methods
    )


def test_a_method_that_failed_is_left_out_with_the_reason() -> None:
    run = some_run(4)
    trials = tuple(
        replace(trial, status=Status.FAILED, seconds=None, reason="The disk is full.")
        if (trial.spec, trial.operation, trial.cutoff, trial.round) == ("two", Operation.READ_RANDOM, 1000, 2)
        else trial
        for trial in run.measurements
    )
    advice = advice_on(replace(run, measurements=trials), TRAINING)
    assert advice.left_out == (("two", "read-random: 1 of 9 trials failed"),)
    assert advice.ranking.method("two") is None


def test_what_is_unsuitable_is_left_out_whatever_it_costs() -> None:
    run = some_run(5)
    base = advice_on(run, TRAINING)
    advice = advice_on(run, TRAINING, unsuitable={base.pick: "it is lossy"})
    assert advice.left_out == ((base.pick, "it is lossy"),)
    assert advice.pick not in ("", base.pick)


def test_of_methods_that_tie_a_lossless_one_is_taken() -> None:
    costs: Costs = {spec: {Operation.READ_RANDOM: (1e-3, 3e-6), Operation.WRITE_MANY: (1e-3, 3e-6)} for spec in SPECS}
    run = costed_run(costs, rounds=9)
    base = advice_on(run, TRAINING)
    lossy = tuple(replace(t, psnr_db=41.0) if t.spec == base.pick else t for t in run.measurements)
    advice = advice_on(replace(run, measurements=lossy), TRAINING)
    assert base.pick in advice.ranking.best
    assert advice.pick in set(advice.ranking.best) - {base.pick}


def test_of_methods_that_are_too_close_to_call_the_one_that_costs_least_so_far_is_taken() -> None:
    choices = [advice_on(some_run(seed, ("a", "b", "c", "d")), TRAINING) for seed in range(8)]
    close = [choice for choice in choices if len(choice.ranking.best) > 1 and not choice.ranking.are_alike]
    assert close
    for choice in close:
        scores = {method.spec: method.score for method in choice.ranking.methods}
        assert choice.pick == min(choice.ranking.best, key=lambda spec: scores[spec])


def test_the_pareto_set_is_what_no_other_method_dominates() -> None:
    for seed in range(4):
        ranking = advice_on(some_run(seed, ("a", "b", "c", "d")), TRAINING).ranking
        values = {
            method.spec: [method.figures[criterion].weighed for criterion in ranking.shares]
            for method in ranking.methods
        }
        for method in ranking.methods:
            dominated = any(
                all(theirs <= own for theirs, own in zip(values[other], values[method.spec], strict=True))
                and values[other] != values[method.spec]
                for other in values
                if other != method.spec
            )
            assert method.is_efficient is not dominated
        assert ranking.methods[0].is_efficient


def test_the_score_is_the_weighted_geometric_mean_of_the_ratios() -> None:
    ranking = advice_on(some_run(0), TRAINING).ranking
    for method in ranking.methods:
        product = math.prod(
            (method.figures[criterion].weighed / min(other.figures[criterion].weighed for other in ranking.methods))
            ** share
            for criterion, share in ranking.shares.items()
        )
        assert method.score == pytest.approx(product)


def test_memory_below_a_mebibyte_is_no_better_than_one() -> None:
    run = some_run(0, memory={"one": 0, "two": 900_000, "three": 5_000_000})
    ranking = advice_on(run, {Criterion.RANDOM: 0.5, Criterion.MEMORY: 0.5}).ranking
    ratios = {method.spec: method.ratios[Criterion.MEMORY] for method in ranking.methods}
    assert ratios == pytest.approx({"one": 1.0, "two": 1.0, "three": 5_000_000 / 2**20})


def own_files_run(factor: float) -> Run:
    """Return a run with the user's own files, which take so many times as long to read as the best method."""
    costs: Costs = {
        "source": {Operation.READ_RANDOM: (1e-3 * factor, 4e-6 * factor), Operation.READ_MANY: (1e-3, 4e-6)},
        "one": {
            Operation.READ_RANDOM: (1e-3, 4e-6),
            Operation.READ_MANY: (1e-3, 4e-6),
            Operation.WRITE_MANY: (1e-3, 9e-6),
        },
        "two": {
            Operation.READ_RANDOM: (1e-3, 9e-6),
            Operation.READ_MANY: (1e-3, 4e-6),
            Operation.WRITE_MANY: (1e-3, 9e-6),
        },
    }
    return costed_run(costs, dataset="folder:photos", noise=0.02)


@pytest.mark.parametrize(("factor", "stays"), [(0.5, True), (1.0, True), (3.0, False)])
def test_own_files_stay_unless_something_surely_costs_less(factor: float, stays: bool) -> None:
    advice = advice_on(own_files_run(factor), TRAINING)
    assert advice.keeps_own_files is stays
    assert advice.pick == "one"
    assert advice.own_files is not None
    assert Criterion.WRITE not in advice.own_files.shares
    assert advice.ranking.method("source") is None
