"""Sentences of the advice: each can be recomputed from the rows that it names, and says what an engineer would."""

from __future__ import annotations

import math
import re
import shlex
import statistics
from dataclasses import replace

import pytest

from imgstore_tui.analysis.advice.run_advice import DatasetAdvice, Situation, advise_run
from imgstore_tui.analysis.advice.weights import Criterion, Use
from imgstore_tui.analysis.aggregate import summarise
from imgstore_tui.cli.plan_arguments import plan_from_arguments
from imgstore_tui.cli.run import make_parser
from imgstore_tui.core.model import Cell, Plan, Run
from imgstore_tui.core.operations import CacheState, Operation, Status
from imgstore_tui.core.units import format_percent
from imgstore_tui.present.tables.advice import cost_by_criterion_table, growth_table, whole_set_table
from imgstore_tui.present.text.advice import Statement, count_text, row_names, sentence_text, statements
from imgstore_tui.present.text.advice_times import time_text
from imgstore_tui.testing.fake_runs import fake_article_run
from tests.support.costed_runs import Costs, costed_run

READ, ORDERED, WRITE = Operation.READ_RANDOM, Operation.READ_MANY, Operation.WRITE_MANY
COSTS: Costs = {
    "source": {READ: (1e-3, 1e-4), ORDERED: (1e-3, 9e-5)},
    "disk": {READ: (4e-4, 1.1e-4), ORDERED: (4e-4, 9e-5), WRITE: (6e-4, 2e-4)},
    "lmdb": {READ: (2.5e-4, 4e-6), ORDERED: (2.5e-4, 3e-6), WRITE: (6e-4, 5e-6)},
    "hdf5": {READ: (1.2e-3, 2.5e-6), ORDERED: (1.1e-3, 1e-6), WRITE: (2e-3, 3e-6)},
}
DISK = {"source": 900, "disk": 4096, "lmdb": 4000, "hdf5": 3100}
SITUATIONS = {
    "training": Situation(Use.TRAINING, images=50_000, epochs=90),
    "measured": Situation(Use.TRAINING, images=1000, epochs=2),
    "archive": Situation(Use.ARCHIVE),
    "sharing": Situation(Use.SHARING, images=5000),
    "weights": Situation(None, {Criterion.RANDOM: 3, Criterion.DISK: 1}, 300),
}


def made_up(**changes: object) -> Run:
    settings = {
        "dataset": "folder:photos",
        "disk": DISK,
        "files": {"disk": 0, "source": 0},
        "memory": {"hdf5": 8_000_000},
        "noise": 0.02,
        **changes,
    }
    return costed_run(COSTS, **settings)  # type: ignore[arg-type]


def given(run: Run, situation: Situation) -> DatasetAdvice:
    (advice,) = advise_run(run, summarise(run), situation)
    return advice


def said(run: Run, situation: Situation) -> tuple[Statement, ...]:
    return statements(given(run, situation))


def of_kind(sentences: tuple[Statement, ...], kind: str) -> Statement | None:
    return next((sentence for sentence in sentences if sentence.kind == kind), None)


def test_the_figures_of_an_epoch_that_was_measured_are_those_of_its_rows() -> None:
    run = made_up()
    sentences = said(run, SITUATIONS["measured"])
    epoch, training = of_kind(sentences, "epoch"), of_kind(sentences, "training")
    assert epoch is not None
    assert training is not None
    for row in epoch.rows:
        median = statistics.median(trial.seconds or 0.0 for trial in run.measurements if trial.cell == row)
        assert time_text(median) in epoch.text
        assert time_text(2 * median) in training.text
    assert {row.spec for row in epoch.rows} == {"source", "hdf5"} or {row.spec for row in epoch.rows} == {
        "source",
        "lmdb",
    }


def test_a_training_on_many_small_images_is_advised_as_an_expert_would() -> None:
    sentences = said(made_up(), SITUATIONS["training"])
    texts = {sentence.kind: sentence.text for sentence in sentences}
    assert texts["choice"] in ("Take hdf5 for training.", "Take lmdb for training.")
    assert re.match(
        r"An epoch of all 50,000 images takes [\d.]+ ms \(.*\) with (hdf5|lmdb), [\d.]+ s \(.*\) from your files ",
        texts["epoch"],
    )
    assert re.search(r"pays back after \d+ epochs?.*: within your training of 90\.", texts["break-even"])
    assert re.match(
        r"Pareto set, by the medians: (hdf5 and lmdb|lmdb and hdf5)\. disk is equalled in everything", texts["pareto"]
    )
    assert texts["own files"].startswith("Your files as they are cost ")
    assert re.match(r"(hdf5|lmdb) unless .* weighs (over|under) \d+ % \(now \d+ %; then \w+\)", texts["weight"])
    assert re.match(r"In read-random hdf5 takes less time than lmdb from about [\d,]+ images on", texts["size"])
    assert "written once, read whole in random order for many epochs" in texts["weights"]


def test_photographs_stay_files_in_an_archive_where_all_else_keeps_bare_pixels() -> None:
    run = made_up(disk={"source": 900, "disk": 27_000, "lmdb": 27_000, "hdf5": 27_000})
    sentences = said(run, SITUATIONS["archive"])
    assert sentences[0].text.startswith("Stay with your files for an archive")
    assert of_kind(sentences, "training") is None
    epoch = of_kind(sentences, "epoch")
    assert epoch is not None
    assert epoch.text.startswith("Reading all 50,000 images once takes ")
    assert "your files as they are" in epoch.text


def test_a_conversion_that_saves_nothing_never_pays_back() -> None:
    costs: Costs = {**{spec: COSTS[spec] for spec in ("source", "disk")}, "slow": {**COSTS["disk"], READ: (1e-3, 9e-4)}}
    run = costed_run(costs, dataset="folder:photos", disk={"slow": 10, "disk": 5000, "source": 5000}, noise=0.02)
    situation = Situation(None, {Criterion.DISK: 9, Criterion.RANDOM: 1}, 1000)
    pays = of_kind(said(run, situation), "break-even")
    assert pays is not None
    assert "never pays back" in pays.text


def test_what_cannot_be_predicted_is_said_with_the_reason_and_without_figures() -> None:
    sentences = said(made_up(memory_bytes=10_000_000), replace(SITUATIONS["training"], images=1_000_000))
    epoch = of_kind(sentences, "epoch")
    assert epoch is not None
    assert "cannot be predicted" in epoch.text
    assert "measure cold reads (--cache cold)" in epoch.text
    assert any("do not stay in memory, and only hot reads were measured" in sentence.text for sentence in sentences)


def test_too_few_rounds_are_said_and_nothing_is_recommended() -> None:
    sentences = said(made_up(rounds=4), SITUATIONS["training"])
    assert sentences[0].text == "No advice for training: 4 of the 6 rounds that a verdict needs."
    assert not any("Take " in sentence.text for sentence in sentences)


def test_labels_and_reasons_of_others_are_harmless() -> None:
    statement = Statement("omission", "Left out: \x1b[31mevil\x07 (it failed).")
    assert "\x1b" not in statement.text
    assert "\x07" not in statement.text


def test_the_tables_name_every_method_and_what_it_takes() -> None:
    advice = given(made_up(cache=(CacheState.HOT, CacheState.COLD)), SITUATIONS["training"])
    costs, whole, growth = cost_by_criterion_table(advice), whole_set_table(advice), growth_table(advice)
    assert whole is not None
    assert growth is not None
    assert {row[0].text for row in costs.rows} == {"disk", "lmdb", "hdf5"}
    assert whole.rows[0][0].text == "source"
    assert whole.rows[0][-1].text == "-"
    assert {row[1].text for row in growth.rows} == {"source", "disk", "lmdb", "hdf5"}
    for row in costs.rows:
        assert sum(entry.text.endswith("*") for entry in row) <= len(advice.choice.ranking.shares)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0123, "12.3 ms"), (99.0, "99.0 s"), (195.0, "3.25 min"), (9000.0, "2.5 h"), (4 * 86400.0, "4 days")],
)
def test_times_of_any_length_have_three_digits(seconds: float, text: str) -> None:
    assert time_text(seconds) == text


def test_shares_and_counts_are_rounded_for_reading() -> None:
    assert [format_percent(share) for share in (0.6, 0.045, 0.004, 1.0)] == ["60 %", "4.5 %", "0.4 %", "100 %"]
    assert [count_text(images) for images in (7.3, 237.5, 23_750)] == ["7", "240", "24,000"]


def test_rows_that_differ_in_the_number_of_images_share_a_name() -> None:
    rows = [Cell("d", "lmdb", READ, cutoff, CacheState.HOT, None) for cutoff in (1000, 10, 100)] + [
        Cell("d", "lmdb", READ, 10, CacheState.COLD, None)
    ]
    assert row_names(rows) == "lmdb/read-random/10,100,1000 hot; lmdb/read-random/10 cold"


def test_rows_that_differ_in_the_method_share_a_name() -> None:
    rows = [Cell("d", spec, READ, 10, CacheState.HOT, None) for spec in ("lmdb", "hdf5")]
    rows.append(Cell("d", "lmdb", READ, 10, CacheState.COLD, None))
    assert row_names(rows) == "read-random/10 hot of lmdb, hdf5; lmdb/read-random/10 cold"


def test_options_that_all_methods_share_are_left_out_of_sentences_but_not_of_commands() -> None:
    plan = fake_article_run((1, 10)).plan
    assert sentence_text(Statement("choice", "Take lmdb:preset=article."), plan) == "Take lmdb."
    command = "imgstore-tui convert photos lmdb:preset=article photos.lmdb"
    assert sentence_text(Statement("missing", command), plan) == command


def with_codec(run: Run, share: float) -> Run:
    trials = tuple(
        replace(trial, codec_s=share * (trial.seconds or 0), storage_s=(1 - share) * (trial.seconds or 0))
        for trial in run.measurements
    )
    return replace(run, measurements=trials)


NO_HELP = "so that no other storage can help; another codec, smaller images or more workers can."


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.96, f"4 % storage: storage that took no time would make it 1.04 times as fast, {NO_HELP}"),
        (0.5, "50 % storage: storage that took no time would make it 2 times as fast."),
        (0.0, ""),
    ],
)
def test_it_is_said_how_much_of_the_time_is_storage(share: float, text: str) -> None:
    sentence = of_kind(said(with_codec(made_up(), share), SITUATIONS["training"]), "share")
    assert (sentence is None) is (text == "")
    if sentence is not None:
        assert text in sentence.text
        assert [row.operation for row in sentence.rows] == [READ]


def test_a_codec_inside_a_library_or_beside_other_workers_is_no_share() -> None:
    run = made_up()
    inside = replace(run, measurements=tuple(replace(trial, codec_s=None) for trial in run.measurements))
    assert of_kind(said(inside, SITUATIONS["training"]), "share") is None
    workers = replace(run, measurements=tuple(replace(t, workers=2, codec_s=t.seconds) for t in run.measurements))
    assert of_kind(said(workers, SITUATIONS["training"]), "share") is None


@pytest.mark.parametrize("status", ["budget", "stopped", "finished"])
def test_no_advice_names_the_rows_with_too_few_rounds_and_what_measures_them(status: str) -> None:
    run = replace(made_up(rounds=4), status=status)
    first, *others = said(run, SITUATIONS["training"])
    assert first.text == "No advice for training: 4 of the 6 rounds that a verdict needs."
    missing, command = (entry for entry in others if entry.kind == "missing")
    assert missing.text == (
        "Missing: read-random of disk, lmdb and hdf5 with 1,000 images (hot) have 4 of 6 rounds; "
        "write-many of disk, lmdb and hdf5 with 1,000 images (buffered) have 4 of 6 rounds."
    )
    assert {row.spec for row in missing.rows} == {"disk", "lmdb", "hdf5"}
    if status == "finished":
        plan = planned(command.text)
        assert plan.rounds == 12
        assert set(plan.operations) == {READ, WRITE}
    else:
        assert command.text.endswith(f"To go on: imgstore-tui resume {run.id}")


def planned(text: str) -> Plan:
    """Return the plan of the command at the end of a sentence."""
    program, command, *words = shlex.split(text.partition(": ")[2])
    assert (program, command) == ("imgstore-tui", "run")
    return plan_from_arguments(make_parser().parse_args(words))


def test_no_advice_names_the_operation_that_was_not_measured_and_what_measures_it() -> None:
    run = made_up(rounds=9)
    first, *others = said(run, Situation(Use.SERVICE))
    assert first.text == "No advice for a service: time to read one image, 75 % of the weight, was not measured."
    missing, command = (entry for entry in others if entry.kind == "missing")
    assert missing.text == "Missing: get-one of disk, lmdb and hdf5 with 1,000 images (hot) was not measured."
    plan = planned(command.text)
    assert plan.operations == (Operation.GET_ONE,)
    assert [spec.label for spec in plan.specs] == [spec.label for spec in run.plan.specs]
    assert (plan.datasets, plan.cutoffs, plan.rounds) == (run.plan.datasets, run.plan.cutoffs, 12)


def test_what_was_measured_enough_is_not_missing_and_neither_is_what_failed() -> None:
    run = made_up()
    assert of_kind(said(run, SITUATIONS["training"]), "missing") is None
    trials = tuple(
        replace(trial, status=Status.FAILED, seconds=None, reason="The disk is full.")
        if (trial.spec, trial.operation, trial.round) == ("disk", READ, 0)
        else trial
        for trial in run.measurements
    )
    sentences = said(replace(run, measurements=trials), SITUATIONS["training"])
    assert of_kind(sentences, "missing") is None
    assert any("Left out: disk (read-random: 1 of 12 trials failed)" in entry.text for entry in sentences)


def test_one_method_without_a_row_is_named_beside_the_advice_on_the_others() -> None:
    run = made_up()
    trials = tuple(trial for trial in run.measurements if (trial.spec, trial.operation) != ("disk", READ))
    sentences = said(replace(run, measurements=trials), SITUATIONS["training"])
    assert sentences[0].text.startswith("Take ")
    missing = of_kind(sentences, "missing")
    assert missing is not None
    assert missing.text == "Missing: read-random of disk with 1,000 images (hot) was not measured."


def test_methods_that_decode_nothing_are_named_beside_those_that_do() -> None:
    sentence = of_kind(said(made_up(), SITUATIONS["training"]), "decoding")
    assert sentence is not None
    assert "lmdb" in sentence.text
    assert "hdf5" in sentence.text
    assert " keep raw pixels, and disk is decoded in each reading" in sentence.text
    alike = replace(made_up(), plan=replace(made_up().plan, specs=()))
    assert of_kind(said(alike, SITUATIONS["training"]), "decoding") is None


def test_a_set_that_fits_into_memory_is_said_to() -> None:
    small = of_kind(said(made_up(), SITUATIONS["measured"]), "memory")
    assert small is not None
    size = 1000 * 32 * 32 * 3 / 2**20
    assert small.text.startswith(
        f"It hardly matters to a program that keeps the pixels of 1,000 images in memory ({size:.2f} MiB): it reads "
        "the store once"
    )
    assert of_kind(said(made_up(memory_bytes=10_000_000), SITUATIONS["training"]), "memory") is None


def test_what_costs_more_for_another_reason_than_the_heaviest_weight_says_for_which() -> None:
    (advice,) = advise_run(made_up(), summarise(made_up()), SITUATIONS["archive"])
    ranking = advice.choice.ranking
    disk, first = ranking.method("disk"), ranking.method(ranking.standings[0].name)
    assert disk is not None
    assert first is not None
    parts = {
        criterion: share * math.log(disk.ratios[criterion] / first.ratios[criterion])
        for criterion, share in ranking.shares.items()
    }
    cost = of_kind(statements(advice), "cost")
    assert cost is not None
    heaviest = max(parts, key=lambda criterion: parts[criterion])
    if parts[heaviest] > 0.5 * sum(part for part in parts.values() if part > 0):
        assert f"mostly for its {heaviest.describe}" in cost.text
    else:
        assert "mostly" not in cost.text
