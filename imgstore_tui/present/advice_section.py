"""Gathers the advice that reports and the screen show of a run: that of the use its plan is named after."""

from __future__ import annotations

from imgstore_tui.analysis.advice.run_advice import DatasetAdvice, Situation, advise_run
from imgstore_tui.analysis.advice.weights import Use
from imgstore_tui.core.model import Run
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.tables.advice import cost_by_criterion_table, growth_table, keeping_table, whole_set_table
from imgstore_tui.present.tables.set_cost import set_cost_table
from imgstore_tui.present.tables.table_model import Table

TITLE = "Advice"


def situation_of(run: Run) -> Situation:
    """Return what the images of a run are for: what its plan is named after, else training."""
    return Situation(Use(run.plan.name) if run.plan.name in list(Use) else None)


def report_advice(results: RunResults) -> tuple[DatasetAdvice, ...]:
    """Return the advice on each dataset on which there is one; none while the run goes on."""
    return tuple(entry for entry in run_advice(results) if entry.scalings or not entry.choice.ranking.reason)


def run_advice(results: RunResults) -> tuple[DatasetAdvice, ...]:
    """Return the advice on each dataset, or what it lacks; none while the run goes on."""
    run = results.run
    if run.status == "running" or not (run.measurements or run.client_rounds):
        return ()
    return advise_run(run, results.summaries, situation_of(run))


def advice_tables(advice: DatasetAdvice) -> tuple[Table, ...]:
    """Return the tables of an advice, those without a row left out."""
    costs = cost_by_criterion_table(advice) if advice.choice.ranking.methods else None
    tables = (
        costs, keeping_table(advice), whole_set_table(advice), set_cost_table(advice), growth_table(advice),
    )  # fmt: skip
    return tuple(table for table in tables if table is not None)
