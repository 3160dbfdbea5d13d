"""Builds the tables of several clients of one store: throughput and scaling, the law, the machines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from imgstore_tui.analysis.scaling import (
    LEAST_ROUNDS,
    SHARED,
    WIDEST_RATIO,
    ClientFigures,
    ScalingCurve,
    scaling_curves,
)
from imgstore_tui.core.client_round import LATE_S, ClientResult
from imgstore_tui.core.model import Run
from imgstore_tui.core.units import counted, format_count, format_number, format_rate, format_seconds
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.tables.table_model import (
    NOTHING,
    Emphasis,
    Table,
    TableColumn,
    TableEntry,
    ratio_interval_text,
    ratio_text,
)
from imgstore_tui.present.text.captions import dataset_clause
from imgstore_tui.present.text.clients import contest_text
from imgstore_tui.stats.intervals import MIN_ROUNDS, Interval
from imgstore_tui.stats.universal_scalability import LawFit

CLIENTS = "Clients"
LAW = "Scalability law"
MACHINES = "Machines of the clients"
_NUMBER = re.compile(r"\d[\d.,]*")
_QUANTILES = ("p50", "p95", "p99")


def client_tables(results: RunResults) -> tuple[Table, ...]:
    """Return the tables of a run's rounds of clients: one of figures a contest, the law, the machines; often none."""
    tables = (*figures_tables(results), law_table(scaling_curves(results.run)), machines_table(results.run))
    return tuple(table for table in tables if table.rows)


def figures_tables(results: RunResults) -> tuple[Table, ...]:
    """Return the figures of a run's rounds of clients, a table for each contest."""
    contests: dict[tuple[object, ...], list[ScalingCurve]] = {}
    for curve in scaling_curves(results.run):
        contests.setdefault(curve.contest, []).append(curve)
    return tuple(figures_table(group, results.run) for group in contests.values())


def figures_table(curves: Sequence[ScalingCurve], run: Run) -> Table:
    """Return the figures of one contest, a row for each method and number of clients.

    Args:
        curves: The methods of the contest, at least one.
        run: The run.
    """
    rows, breaks = [], []
    for curve in curves:
        rows += [_figures_row(curve, figures) for figures in curve.figures]
        breaks.append(len(rows) - 1)
    data = dataset_clause(curves[0].row.dataset, run)
    return Table(
        f"{CLIENTS}: {contest_text(curves[0])}{f', {data}' if data else ''}",
        (
            TableColumn("method", right=False, wraps=True, grouped=True),
            TableColumn("clients"),
            TableColumn("images/s"),
            TableColumn("low-high"),
            TableColumn("scaling"),
            TableColumn("interval"),
            TableColumn("a client", wide=True),
            *(TableColumn(name, wide=True) for name in _QUANTILES),
            TableColumn("fairness", wide=True),
            TableColumn("idle tail", wide=True),
            TableColumn("start spread", wide=True),
            TableColumn("late", wide=True),
            TableColumn("rounds"),
        ),
        tuple(rows),
        _caption(curves),
        frozenset(breaks),
    )


def _figures_row(curve: ScalingCurve, figures: ClientFigures) -> tuple[TableEntry, ...]:
    rate, ratio = figures.throughput, figures.scaling
    head = TableEntry(curve.row.spec), TableEntry(format_count(figures.clients), value=figures.clients)
    if rate is None:
        return (*head, TableEntry("no round counts", Emphasis.BAD), *[NOTHING] * 10, *_rounds_entries(figures))
    return (
        *head,
        TableEntry(format_rate(rate.median), value=rate.median),
        TableEntry(_rates(rate)),
        TableEntry(ratio_text(ratio), value=ratio.median) if ratio is not None else _unclaimed(figures),
        NOTHING if ratio is None or figures.clients == 1 else TableEntry(ratio_interval_text(ratio)),
        TableEntry(format_rate(figures.per_client), value=figures.per_client),
        *(_seconds(figures.latency_s.get(name)) for name in _QUANTILES),
        NOTHING if figures.fairness is None else TableEntry(f"{figures.fairness:.3f}", value=figures.fairness),
        _seconds(figures.idle_s),
        _seconds(figures.start_spread_s),
        *_rounds_entries(figures),
    )


def _rates(rate: Interval) -> str:
    text = f"{format_rate(rate.low)}-{format_rate(rate.high)}"
    return f"({text})" if rate.is_range else text


def _unclaimed(figures: ClientFigures) -> TableEntry:
    return TableEntry("unsure", Emphasis.QUIET) if figures.is_unsure else NOTHING


def _seconds(value: float | None) -> TableEntry:
    return NOTHING if value is None else TableEntry(format_seconds(value), value=value)


def _rounds_entries(figures: ClientFigures) -> tuple[TableEntry, TableEntry]:
    """Return how many rounds were thrown away, and how many count: ``6``, ``4 of 6``."""
    good, bad = len(figures.rounds), figures.thrown_away + figures.failed
    late = TableEntry(str(figures.thrown_away), value=figures.thrown_away) if figures.thrown_away else NOTHING
    text = f"{good} of {good + bad}" if bad else str(good)
    return late, TableEntry(text, Emphasis.BAD if figures.failed else Emphasis.PLAIN, good)


def _caption(curves: Sequence[ScalingCurve]) -> str:
    """Return what the figures mean, and why a scaling is not claimed."""
    shared = any(curve.shares_cores for curve in curves)
    unknown = any(figures.shares_cores is None for curve in curves for figures in curve.figures)
    unsure = [
        f"{curve.row.spec} at {format_count(figures.clients)}: {figures.unclaimed}"
        for curve in curves
        for figures in curve.figures
        if figures.is_unsure
    ]
    reasons: Counter[str] = Counter()
    for curve in curves:
        for figures in curve.figures:
            reasons.update(dict(figures.reasons))
    refused = "; ".join(f"{reason.removesuffix('.')} ({rounds})" for reason, rounds in reasons.most_common())
    ranges = any(figures.throughput is not None and figures.throughput.is_range
                 for curve in curves for figures in curve.figures)  # fmt: skip
    parts = [
        f"{SHARED[0].upper()}{SHARED[1:]}." if shared else "",
        "Whether clients share cores with the server is not known." if unknown and not shared else "",
        f"Unsure: {'; '.join(unsure)}." if unsure else "",
        f"Rounds that do not count: {refused}." if reasons else "",
        "images/s: of all clients together, from the first start to the last end; median over the rounds.",
        f"In brackets the range of the rounds: an interval needs {MIN_ROUNDS}." if ranges else "",
        "Scaling: over one client, paired by round; unsure below "
        f"{counted(LEAST_ROUNDS, 'round')} or where the ends of the interval are a factor of "
        f"{format_number(WIDEST_RATIO)} apart.",
        "p50, p95, p99: of a call of the slowest client, median over the rounds.",
        f"Late: a client began more than {1000 * LATE_S:.0f} ms after the agreed start, the round is thrown away.",
    ]
    return " ".join(part for part in parts if part)


def law_table(curves: Sequence[ScalingCurve]) -> Table:
    """Return the universal scalability law of each contest that has one, with its test."""
    fitted = [(curve, fit) for curve in curves if isinstance(fit := curve.law, LawFit)]
    without = dict.fromkeys(f"{curve.row.spec}: {curve.law}" for curve in curves if isinstance(curve.law, str))
    caption = (
        "Throughput of K clients = that of one * K / (1 + contention * (K - 1) + coherency * K * (K - 1)) (Gunther), "
        "by least squares; intervals by leaving out whole rounds (jackknife). Tested: predicted for the most clients "
        f"from all others. To extend it: imgstore-tui advise RUN --clients N.{_without(list(without))}"
    )
    return Table(
        LAW,
        (
            TableColumn("method", right=False, wraps=True),
            TableColumn("operation", right=False),
            TableColumn("contention"),
            TableColumn("low-high", wide=True),
            TableColumn("coherency"),
            TableColumn("low-high", wide=True),
            TableColumn("most at"),
            TableColumn("predicted"),
            TableColumn("low-high", wide=True),
            TableColumn("measured"),
        ),
        tuple(_law_row(curve, fit) for curve, fit in fitted),
        caption,
    )


def _without(reasons: Sequence[str]) -> str:
    return f" None for {'; '.join(reasons)}." if reasons else ""


def _law_row(curve: ScalingCurve, fit: LawFit) -> tuple[TableEntry, ...]:
    contention, coherency = fit.constants()
    tested, most = fit.tested, fit.law.most_clients
    return (
        TableEntry(curve.row.spec),
        TableEntry(str(curve.row.operation)),
        TableEntry(f"{contention.median:.2g}", value=contention.median),
        TableEntry(f"{contention.low:.2g}-{contention.high:.2g}"),
        TableEntry(f"{coherency.median:.2g}", value=coherency.median),
        TableEntry(f"{coherency.low:.2g}-{coherency.high:.2g}"),
        NOTHING if most is None else TableEntry(format_count(max(1, round(most))), value=most),
        TableEntry(f"{format_rate(tested.predicted.median)} at {format_count(tested.clients)}"),
        TableEntry(_rates(tested.predicted)),
        TableEntry(format_rate(tested.measured), Emphasis.PLAIN if tested.holds else Emphasis.BAD, tested.measured),
    )


def machines_table(run: Run) -> Table:
    """Return each machine that clients ran on: how many at most, its clock against that of the run, its lateness."""
    machines: dict[str, list[ClientResult]] = {}
    most: dict[str, int] = {}
    for entry in run.client_rounds:
        for result in entry.results:
            machines.setdefault(result.machine, []).append(result)
            own = sum(other.machine == result.machine for other in entry.results)
            most[result.machine] = max(most.get(result.machine, 0), own)
    return Table(
        MACHINES,
        (
            TableColumn("machine", right=False, wraps=True),
            TableColumn("clients"),
            TableColumn("clock"),
            TableColumn("known to"),
            TableColumn("latest start"),
            TableColumn("died"),
        ),
        tuple(_machine_row(name, most[name], machines[name]) for name in machines),
        "Clients: the most at once. Clock: how far it is before that of the run, the farthest seen; starts are "
        "corrected for it, durations do not depend on it.",
    )


def _machine_row(name: str, most: int, results: Sequence[ClientResult]) -> tuple[TableEntry, ...]:
    offsets = [result.clock_offset_s for result in results if result.clock_offset_s is not None]
    known = [result.clock_uncertainty_s for result in results if result.clock_uncertainty_s is not None]
    late = [result.late_s for result in results if result.late_s is not None]
    dead = sum(result.seconds is None for result in results)
    farthest = max(offsets, key=abs, default=None)
    return (
        TableEntry(name),
        TableEntry(format_count(most), value=most),
        NOTHING if farthest is None else TableEntry(f"{1000 * farthest:+.1f} ms", value=farthest),
        NOTHING if not known else TableEntry(f"±{1000 * max(known):.1f} ms", value=max(known)),
        _seconds(max(late, default=None)),
        TableEntry(format_count(dead), Emphasis.BAD, dead) if dead else NOTHING,
    )


def client_warning_rows(run: Run) -> list[tuple[TableEntry, TableEntry, TableEntry]]:
    """Return what rounds of clients warn of, such as clocks: sign, text of the first, and how many rounds say so."""
    seen: dict[str, list[str]] = {}
    for entry in run.client_rounds:
        for text in entry.warnings:
            # Warnings that differ only in their numbers are one sign.
            seen.setdefault(_NUMBER.sub("0", text), []).append(text)
    return [
        (TableEntry("clients"), TableEntry(texts[0]), TableEntry(f"{counted(len(texts), 'round')} of clients"))
        for texts in seen.values()
    ]
