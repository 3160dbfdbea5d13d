"""Turns the advice on a run into JSON values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from imgstore_tui.analysis.advice.ranking import Ranking
from imgstore_tui.analysis.advice.run_advice import DatasetAdvice
from imgstore_tui.analysis.growth import Growth, NoPrediction, Prediction
from imgstore_tui.analysis.prices import EXAMPLE
from imgstore_tui.core.json_values import to_json
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
    return {"schema_version": SCHEMA_VERSION, "run": run.id, "advice": [_dataset(advice) for advice in advices]}


def _dataset(advice: DatasetAdvice) -> dict[str, Any]:
    choice = advice.choice
    return {
        "dataset": choice.dataset,
        "use": None if advice.situation.use is None else advice.situation.use.value,
        "images": advice.images,
        "epochs": advice.situation.passes,
        "cutoff": choice.cutoff,
        "cache": None if choice.levels.cache is None else choice.levels.cache.value,
        "sync": None if choice.levels.sync is None else choice.levels.sync.value,
        "weights": {criterion.value: share for criterion, share in choice.weights.items()},
        "pick": choice.pick or None,
        "keeps_own_files": choice.keeps_own_files,
        "ranking": _ranking(choice.ranking),
        "own_files": None if choice.own_files is None else _ranking(choice.own_files),
        "left_out": [{"spec": spec, "reason": reason} for spec, reason in choice.left_out],
        "unmeasured": [criterion.value for criterion in choice.unmeasured],
        "thresholds": [
            {
                "criterion": threshold.criterion.value,
                "share": threshold.share,
                "is_upper": threshold.is_upper,
                "spec": threshold.spec,
            }
            for threshold in choice.thresholds
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
            for crossing in advice.crossings
        ],
        "training": [
            {
                "spec": entry.spec,
                "epoch": _prediction(entry.epoch),
                "first_epoch": None if entry.first is None else _prediction(entry.first),
                "training": _interval(entry.training),
            }
            for entry in advice.training
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
            for entry in advice.break_evens
        ],
        "shares": None
        if advice.shares is None
        else {"storage": advice.shares.storage, "codec": advice.shares.codec, "row": _row(advice.shares.row)},
        "ceiling": None
        if advice.headroom is None
        else {
            "storage": advice.headroom.storage,
            "codec_s": advice.headroom.codec_s,
            "file_s": advice.headroom.file_s,
            "distance": advice.headroom.distance,
            "row": _row(advice.headroom.row),
        },
        "keeping": [
            {
                "spec": keeping.spec,
                "opened_by": keeping.opened_by or None,
                "names": keeping.names,
                "originals": keeping.originals,
                "drops": list(keeping.drops),
                "lossless": keeping.lossless,
            }
            for keeping in advice.keepings
        ],
        "clients": [
            scaling_record(curve, advice.situation.clients, advice.situation.images_per_s) for curve in advice.scalings
        ],
        "object_store": {
            "prices": {**to_json(advice.situation.prices), "is_example": advice.situation.prices == EXAMPLE},
            "methods": [
                {
                    "spec": cost.spec,
                    "size_bytes": cost.size,
                    "month": cost.month,
                    "write_requests": cost.write_requests,
                    "write": cost.write,
                    "read_requests": cost.read_requests,
                    "read": cost.read,
                    "requests_counted": cost.is_measured,
                    "rows": _rows(cost.rows),
                }
                for cost in advice.set_costs
            ],
        },
        "growth": [_growth(growth) for growth in advice.growths.values()],
        "statements": [
            {"kind": statement.kind, "text": statement.text, "rows": _rows(statement.rows)}
            for statement in statements(advice)
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
