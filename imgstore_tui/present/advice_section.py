"""Gathers the advice that reports and the screen show of a run: that of the use its plan is named after."""

from __future__ import annotations

from imgstore_tui.analysis.advice.run_advice import DatasetAdvice, Situation, advise_run
from imgstore_tui.analysis.advice.weights import Use
from imgstore_tui.core.model import Run
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.tables.advice import cost_by_criterion_table, growth_table, keeping_table, whole_set_table
from imgstore_tui.present.tables.table_model import Table

TITLE = "Advice"


def situation_of(run: Run) -> Situation:
    """Return what the images of a run are for: what its plan is named after, else training."""
    return Situation(Use(run.plan.name) if run.plan.name in list(Use) else None)


def report_advice(results: RunResults) -> tuple[DatasetAdvice, ...]:
    """Return the advice on each dataset on which one can be given; none while the run goes on."""
    run = results.run
    if run.status == "running" or not (run.measurements or run.client_rounds):
        return ()
    given = advise_run(run, results.summaries, situation_of(run))
    return tuple(entry for entry in given if entry.scalings or not entry.advice.ranking.reason)


def advice_tables(given: DatasetAdvice) -> tuple[Table, ...]:
    """Return the tables of an advice, those without a row left out."""
    costs = cost_by_criterion_table(given) if given.advice.ranking.methods else None
    tables = (costs, keeping_table(given), whole_set_table(given), growth_table(given))
    return tuple(table for table in tables if table is not None)
