"""Turns the rounds of clients of a run into JSON values: figures by number of clients, and the law."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from imgstore_tui.analysis.scaling import ClientFigures, Extension, ScalingCurve
from imgstore_tui.stats.intervals import Interval
from imgstore_tui.stats.universal_scalability import LawFit


def client_summary_rows(curves: Iterable[ScalingCurve]) -> list[dict[str, Any]]:
    """Return one object for each contest and number of clients: durations in seconds, rates in images per second.

    Args:
        curves: The contests.
    """
    return [{**_contest(curve), **_figures(figures)} for curve in curves for figures in curve.figures]


def _contest(curve: ScalingCurve) -> dict[str, Any]:
    row = curve.row
    return {
        "spec": row.spec,
        "dataset": row.dataset,
        "operation": row.operation.value,
        "cutoff": row.cutoff,
        "work": curve.work.value,
        "window_s": curve.window_s,
        "cache": None if row.cache is None else row.cache.value,
        "sync": None if row.sync is None else row.sync.value,
    }


def _figures(figures: ClientFigures) -> dict[str, Any]:
    rate, scaling = figures.throughput, figures.scaling
    return {
        "clients": figures.clients,
        "rounds": len(figures.rounds),
        "thrown_away": figures.thrown_away,
        "failed": figures.failed,
        "reasons": [{"reason": reason, "rounds": rounds} for reason, rounds in figures.reasons],
        "images_per_s": None if rate is None else rate.median,
        "images_per_s_low": None if rate is None else rate.low,
        "images_per_s_high": None if rate is None else rate.high,
        "images_per_s_coverage": None if rate is None else rate.coverage,
        "images_per_s_per_client": figures.per_client,
        "scaling": None if scaling is None else scaling.median,
        "scaling_low": None if scaling is None else scaling.low,
        "scaling_high": None if scaling is None else scaling.high,
        "scaling_coverage": None if scaling is None else scaling.coverage,
        "scaling_unclaimed": figures.unclaimed or None,
        "scaling_unsure": figures.is_unsure,
        "p50_s": figures.latency_s.get("p50"),
        "p95_s": figures.latency_s.get("p95"),
        "p99_s": figures.latency_s.get("p99"),
        "fairness": figures.fairness,
        "idle_s": figures.idle_s,
        "start_spread_s": figures.start_spread_s,
        "late_s": figures.late_s,
        "shares_cores": figures.shares_cores,
        "machines": list(figures.machines),
    }


def scaling_record(curve: ScalingCurve, clients: int | None, images_per_s: float | None) -> dict[str, Any]:
    """Return what the advice says of a contest: where it stops gaining, the law, and what more clients would reach.

    Args:
        curve: The contest.
        clients: A number of clients that the user means to have; None for none.
        images_per_s: The rate that the user's training takes; None where it is not known.
    """
    gain, fit = curve.gain, curve.law
    enough = None if images_per_s is None else curve.feeding(images_per_s)
    return {
        **_contest(curve),
        "figures": [_figures(figures) for figures in curve.figures],
        "gain": None if gain is None else {"clients": gain.clients, "most": gain.most, "is_sure": gain.is_sure},
        "law": _law(fit) if isinstance(fit, LawFit) else None,
        "no_law": fit if isinstance(fit, str) else None,
        "extension": None if clients is None else _extension(clients, curve.extend(clients)),
        "feeding": None if enough is None else enough.clients,
    }


def _law(fit: LawFit) -> dict[str, Any]:
    contention, coherency = fit.constants()
    tested = fit.tested
    return {
        "clients": list(fit.clients),
        "rounds": len(fit.rounds),
        "one": fit.law.one,
        "contention": _interval(contention),
        "coherency": _interval(coherency),
        "most_clients": fit.law.most_clients,
        "tested": {
            "clients": tested.clients,
            "from_clients": tested.from_clients,
            "predicted": _interval(tested.predicted),
            "measured": tested.measured,
            "holds": tested.holds,
        },
    }


def _extension(clients: int, extension: Extension | str) -> dict[str, Any]:
    if isinstance(extension, str):
        return {"clients": clients, "images_per_s": None, "reason": extension}
    return {
        "clients": clients,
        "images_per_s": _interval(extension.throughput),
        "reason": None,
        "widened": extension.widened,
    }


def _interval(interval: Interval) -> dict[str, Any]:
    return {
        "median": interval.median,
        "low": interval.low,
        "high": interval.high,
        "coverage": interval.coverage,
        "rounds": interval.n,
    }
