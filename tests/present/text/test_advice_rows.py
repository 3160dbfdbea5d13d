"""Sentences of the advice and the rows that they name: each sentence follows from these, and each of these matters."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from imgstore_tui.analysis.advice.run_advice import Situation, advise_run
from imgstore_tui.analysis.advice.weights import Criterion, Use
from imgstore_tui.analysis.aggregate import summarise
from imgstore_tui.core.access import Access
from imgstore_tui.core.model import Cell, Measurement, Run
from imgstore_tui.core.operations import CacheState, Operation
from imgstore_tui.present.text.advice import Statement, row_names, statements
from tests.support.costed_runs import Costs, costed_run

READ, ORDERED, WRITE, ONE = Operation.READ_RANDOM, Operation.READ_MANY, Operation.WRITE_MANY, Operation.GET_ONE
COSTS: Costs = {
    "source": {READ: (1e-3, 1e-4), ORDERED: (1e-3, 9e-5)},
    "disk": {READ: (4e-4, 1.1e-4), ORDERED: (4e-4, 9e-5), WRITE: (6e-4, 2e-4)},
    "lmdb": {READ: (2.5e-4, 4e-6), ORDERED: (2.5e-4, 3e-6), WRITE: (6e-4, 5e-6)},
    "hdf5": {READ: (1.2e-3, 2.5e-6), ORDERED: (1.1e-3, 1e-6), WRITE: (2e-3, 3e-6)},
}
SINGLE: Costs = {spec: {WRITE: (1e-3, 1e-5), ONE: (seconds, 0.0)} for spec, seconds in (("disk", 9e-4), ("lmdb", 2e-4))}
OPPOSITE: Costs = {
    "disk": {WRITE: (1e-3, 1e-5), READ: (1e-3, 1e-5)}, "lmdb": {WRITE: (1e-3, 1e-5), READ: (1e-3, 4e-5)},
}  # fmt: skip
DISK = {"source": 900, "disk": 4096, "lmdb": 4000, "hdf5": 3100}
BOTH = (CacheState.HOT, CacheState.COLD)


def made_up(costs: Costs = COSTS, **changes: object) -> Run:
    settings = {
        "dataset": "folder:photos",
        "disk": DISK,
        "files": {"disk": 0, "source": 0},
        "noise": 0.02,
        "rounds": 7,
        **changes,
    }
    return costed_run(costs, **{**settings, **changes})  # type: ignore[arg-type]


def changed(run: Run, change: Callable[[Measurement], Measurement]) -> Run:
    return replace(run, measurements=tuple(map(change, run.measurements)))


def with_codec(trial: Measurement) -> Measurement:
    return replace(trial, codec_s=0.6 * (trial.seconds or 0), storage_s=0.4 * (trial.seconds or 0))


def with_samples(trial: Measurement) -> Measurement:
    return replace(trial, samples=tuple((trial.seconds or 0) * (1 + step / 100) for step in range(120)))


def by_own_code(trial: Measurement) -> Measurement:
    return replace(trial, access=Access.OWN) if (trial.spec, trial.operation) == ("disk", READ) else trial


RUNS: dict[str, tuple[Run, Situation]] = {
    "training": (made_up(), Situation(Use.TRAINING, images=50_000, epochs=90)),
    "cold first epoch": (made_up(cache=BOTH), Situation(Use.TRAINING, images=50_000, epochs=90)),
    "measured": (made_up(), Situation(Use.TRAINING, images=1000, epochs=2)),
    "large": (made_up(), Situation(Use.TRAINING, images=1_000_000, epochs=90)),
    "codec": (changed(made_up(), with_codec), Situation(Use.TRAINING, images=50_000, epochs=9)),
    "own code": (changed(made_up(), by_own_code), Situation(Use.TRAINING, images=50_000, epochs=9)),
    "archive": (made_up(), Situation(Use.ARCHIVE)),
    "sharing": (made_up(), Situation(Use.SHARING, images=5000)),
    "large share": (made_up(disk={**DISK, "lmdb": 300}, images=10**9), Situation(Use.SHARING, images=10**9)),
    "weights": (made_up(), Situation(None, {Criterion.RANDOM: 3, Criterion.DISK: 1}, 300)),
    "service": (changed(made_up(SINGLE), with_samples), Situation(Use.SERVICE)),
    "alike": (
        made_up(OPPOSITE, disk={"disk": 4000, "lmdb": 1000}, files={}, rounds=25, noise=0.005),
        Situation(None, {Criterion.RANDOM: 1, Criterion.DISK: 1}, 1000),
    ),
    "few rounds": (made_up(rounds=4), Situation(Use.TRAINING)),
    "cold, bounded by the device": (
        replace(made_up(cache=(CacheState.COLD,), cold=1.0), ceilings=()), Situation(Use.TRAINING, images=10_000)
    ),
}  # fmt: skip
WITHOUT_FIGURES = {"weights", "keeping", "decoding", "omission", "missing"}
"""Kinds of sentences on settings, declarations, and what was not measured."""


OF_EVERY_ROW = (
    "cost", "own files", "epoch", "training", "tested", "break-even", "memory", "own code", "difference", "tail",
    "price", "one file", "size",
)  # fmt: skip
"""Kinds of sentences in which every row shows; in others, such as the choice, it must be another row by far."""


def said(run: Run, situation: Situation) -> tuple[Statement, ...]:
    (advice,) = advise_run(run, summarise(run), situation)
    return statements(advice)


def of_kind(sentences: tuple[Statement, ...], kind: str) -> Statement | None:
    return next((sentence for sentence in sentences if sentence.kind == kind), None)


def only(run: Run, rows: set[Cell]) -> Run:
    """Return a run with the trials of some rows alone."""
    return replace(run, measurements=tuple(trial for trial in run.measurements if trial.cell in rows))


def scaled(run: Run, row: Cell, factor: float = 2.0) -> Run:
    """Return a run in which one row took so many times as long, and weighs as many times as much."""

    def change(trial: Measurement) -> Measurement:
        if trial.cell != row:
            return trial
        return replace(
            trial,
            seconds=factor * (trial.seconds or 0.0),
            samples=tuple(factor * sample for sample in trial.samples),
            allocated_bytes=None if trial.allocated_bytes is None else round(factor * trial.allocated_bytes),
            files=None if trial.files is None else max(2, round(factor * trial.files)),
            apparent_bytes=None if trial.apparent_bytes is None else round(factor * trial.apparent_bytes),
        )

    return changed(run, change)


def test_the_made_up_runs_have_every_kind_of_sentence() -> None:
    kinds = {sentence.kind for run, situation in RUNS.values() for sentence in said(run, situation)}
    assert kinds >= {
        "choice", "missing", "memory", "keeping", "epoch", "training", "tested", "break-even", "decoding", "own code",
        "difference", "tail", "one file", "share", "cost", "own files", "weight", "size", "pareto", "price", "weights",
    }  # fmt: skip


@pytest.mark.parametrize("name", RUNS)
def test_a_sentence_with_figures_names_rows(name: str) -> None:
    for sentence in said(*RUNS[name]):
        if sentence.kind not in WITHOUT_FIGURES and re.search(r"\d", re.sub(r"[a-z]+5", "", sentence.text)):
            assert sentence.rows, sentence


@pytest.mark.sample_first
@pytest.mark.parametrize("name", RUNS)
def test_every_sentence_follows_from_the_rows_that_it_names(name: str) -> None:
    """Whom a sentence is about follows from the ranking, so that the rows of the choice are left in, too."""
    run, situation = RUNS[name]
    sentences = said(run, situation)
    choice = sentences[0].rows or tuple(dict.fromkeys(trial.cell for trial in run.measurements))
    for sentence in sentences:
        if sentence.rows:
            again = said(only(run, {*sentence.rows, *choice}), situation)
            assert sentence in again, sentence


@pytest.mark.sample_first
@pytest.mark.parametrize("name", RUNS)
def test_every_row_that_a_sentence_with_figures_names_matters_to_it(name: str) -> None:
    run, situation = RUNS[name]
    sentences = {
        sentence.kind: sentence
        for sentence in said(run, situation)
        # That a size is refused rests on all numbers of images being there, whatever they took.
        if sentence.kind in OF_EVERY_ROW and "cannot be" not in sentence.text
    }
    unchanged = {(kind, row) for kind, sentence in sentences.items() for row in sentence.rows}
    for factor in (0.05, 1000.0):
        for row in {row for _, row in unchanged}:
            texts = {sentence.kind: sentence.text for sentence in said(scaled(run, row, factor), situation)}
            unchanged -= {(kind, row) for kind, sentence in sentences.items() if texts.get(kind) != sentence.text}
    assert [f"{kind}: {row_names([row])}" for kind, row in unchanged] == []


@pytest.mark.sample_first
@pytest.mark.parametrize("name", ["service", "training", "archive", "sharing", "weights"])
def test_every_row_of_the_choice_can_change_it(name: str) -> None:
    """However little a criterion weighs, a method that is enough times as slow in it is not the one to take."""
    run, situation = RUNS[name]
    choice = said(run, situation)[0]
    for row in choice.rows:
        others = (said(scaled(run, row, factor), situation)[0].text for factor in (1e-30, 1e30))
        assert any(text != choice.text for text in others), row_names([row])
