"""Turns the advice on a run into JSON values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from imgstore_tui.analysis.advice.ranking import Ranking
from imgstore_tui.analysis.advice.run_advice import DatasetAdvice
from imgstore_tui.analysis.growth import Growth, NoPrediction, Prediction
from imgstore_tui.core.model import SCHEMA_VERSION, Cell, Run
from imgstore_tui.present.client_record import scaling_record
from imgstore_tui.present.text.advice import statements
from imgstore_tui.stats.intervals import Interval


def advice_record(run: Run, advices: Sequence[DatasetAdvice]) -> dict[str, Any]:
    """Return the advice as JSON values: durations in seconds, sizes in bytes, shares from 0 to 1.

    Args:
        run: The run.
        advices: The advice on each of its datasets.
    """
    return {"schema_version": SCHEMA_VERSION, "run": run.id, "advice": [_dataset(given) for given in advices]}


def _dataset(given: DatasetAdvice) -> dict[str, Any]:
    advice = given.advice
    return {
        "dataset": advice.dataset,
        "use": None if given.situation.use is None else given.situation.use.value,
        "images": given.images,
        "epochs": given.situation.passes,
        "cutoff": advice.cutoff,
        "cache": None if advice.levels.cache is None else advice.levels.cache.value,
        "sync": None if advice.levels.sync is None else advice.levels.sync.value,
        "weights": {criterion.value: share for criterion, share in advice.weights.items()},
        "pick": advice.pick or None,
        "keeps_own_files": advice.keeps_own_files,
        "ranking": _ranking(advice.ranking),
        "own_files": None if advice.own_files is None else _ranking(advice.own_files),
        "left_out": [{"spec": spec, "reason": reason} for spec, reason in advice.left_out],
        "unmeasured": [criterion.value for criterion in advice.unmeasured],
        "thresholds": [
            {
                "criterion": threshold.criterion.value,
                "share": threshold.share,
                "is_upper": threshold.is_upper,
                "spec": threshold.spec,
            }
            for threshold in advice.thresholds
        ],
        "crossings": [
            {
                "operation": crossing.below.operation.value,
                "below": crossing.below.spec,
                "above": crossing.above.spec,
                "images": crossing.images,
                "low": crossing.low,
                "high": crossing.high,
                "measured_up_to": crossing.measured_up_to,
                "rows": _rows(crossing.rows),
            }
            for crossing in given.crossings
        ],
        "training": [
            {
                "spec": entry.spec,
                "epoch": _prediction(entry.epoch),
                "first_epoch": None if entry.first is None else _prediction(entry.first),
                "training": _interval(entry.training),
            }
            for entry in given.training
        ],
        "break_even": [
            {
                "spec": entry.spec,
                "payback": entry.payback.value,
                "reason": entry.reason or None,
                "convert": _interval(entry.convert),
                "saved": _interval(entry.saved),
                "epochs": _interval(entry.epochs),
                "rows": _rows(entry.rows),
            }
            for entry in given.break_evens
        ],
        "shares": None
        if given.shares is None
        else {"storage": given.shares.storage, "codec": given.shares.codec, "row": _row(given.shares.row)},
        "ceiling": None
        if given.headroom is None
        else {
            "storage": given.headroom.storage,
            "codec_s": given.headroom.codec_s,
            "file_s": given.headroom.file_s,
            "distance": given.headroom.distance,
            "row": _row(given.headroom.row),
        },
        "keeping": [
            {
                "spec": kept.spec,
                "opened_by": kept.opened_by or None,
                "names": kept.names,
                "originals": kept.originals,
                "drops": list(kept.drops),
                "lossless": kept.lossless,
            }
            for kept in given.keepings
        ],
        "clients": [
            scaling_record(curve, given.situation.clients, given.situation.images_per_s) for curve in given.scalings
        ],
        "growth": [_growth(growth) for growth in given.growths.values()],
        "statements": [
            {"kind": statement.kind, "text": statement.text, "rows": _rows(statement.rows)}
            for statement in statements(given)
        ],
    }


def _ranking(ranking: Ranking) -> dict[str, Any]:
    return {
        "weights": {criterion.value: share for criterion, share in ranking.shares.items()},
        "best": list(ranking.best),
        "are_alike": ranking.are_alike,
        "reason": ranking.reason or None,
        "methods": [
            {
                "spec": method.spec,
                "score": method.score,
                "is_efficient": method.is_efficient,
                "psnr_db": None if method.psnr_db is None or math.isinf(method.psnr_db) else method.psnr_db,
                "place": None if (standing := ranking.standing(method.spec)) is None else standing.placement.value,
                "ratio": None if standing is None else _interval(standing.ratio),
                "figures": {
                    criterion.value: {"value": figure.value, "row": _row(figure.row)}
                    for criterion, figure in method.figures.items()
                },
                "ratios": {criterion.value: ratio for criterion, ratio in method.ratios.items()},
            }
            for method in ranking.methods
        ],
    }


def _growth(growth: Growth) -> dict[str, Any]:
    tested = growth.tested
    return {
        "spec": growth.cell.spec,
        "operation": growth.cell.operation.value,
        "cache": None if growth.cell.cache is None else growth.cell.cache.value,
        "sync": None if growth.cell.sync is None else growth.cell.sync.value,
        "cutoffs": list(growth.cutoffs),
        "left_out": list(growth.left_out),
        "start_s": _interval(growth.start_s),
        "per_image_s": _interval(growth.per_image_s),
        "tested": None
        if tested is None
        else {"images": tested.images, "from_images": tested.from_images, "ratio": _interval(tested.ratio)},
        "rows": _rows(growth.rows),
    }


def _prediction(prediction: Prediction | NoPrediction) -> dict[str, Any]:
    if isinstance(prediction, NoPrediction):
        return {"images": prediction.images, "seconds": None, "reason": prediction.reason}
    return {
        "images": prediction.images,
        "seconds": _interval(prediction.interval),
        "reason": None,
        "widened": prediction.widened,
        "ceiling_bound": prediction.ceiling_bound,
        "rows": _rows(prediction.rows),
    }


def _interval(interval: Interval | None) -> dict[str, Any] | None:
    if interval is None:
        return None
    return {
        "median": interval.median,
        "low": interval.low,
        "high": interval.high,
        "coverage": interval.coverage,
        "rounds": interval.n,
    }


def _rows(rows: Sequence[Cell]) -> list[dict[str, Any]]:
    return [_row(row) for row in rows]


def _row(row: Cell) -> dict[str, Any]:
    return {
        "spec": row.spec,
        "operation": row.operation.value,
        "cutoff": row.cutoff,
        "cache": None if row.cache is None else row.cache.value,
        "sync": None if row.sync is None else row.sync.value,
    }
