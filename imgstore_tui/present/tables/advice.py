"""Builds the tables of the advice: what each method costs by each criterion, and what the whole set takes."""

from __future__ import annotations

from imgstore_tui.analysis.advice.costs import Figure
from imgstore_tui.analysis.advice.keeping import Keeping
from imgstore_tui.analysis.advice.run_advice import DatasetAdvice
from imgstore_tui.analysis.advice.training import TrainingTime
from imgstore_tui.analysis.advice.weights import Criterion
from imgstore_tui.analysis.growth import NoPrediction
from imgstore_tui.core.units import counted, format_bytes, format_count, format_number
from imgstore_tui.present.tables.table_model import NOTHING, Emphasis, Table, TableColumn, TableEntry
from imgstore_tui.present.text.advice_times import payback_text, time_text


def cost_by_criterion_table(advice: DatasetAdvice) -> Table:
    """Return what each ranked method costs by every criterion with a weight, and by all together."""
    ranking = advice.choice.ranking
    rows = []
    for method in ranking.methods:
        cells = [
            TableEntry(
                f"{figure_text(method.figures[criterion])}{' *' if method.ratios[criterion] == 1.0 else '  '}",
                Emphasis.BEST if method.ratios[criterion] == 1.0 else Emphasis.PLAIN,
                method.figures[criterion].value,
                method.figures[criterion].row,
            )
            for criterion in ranking.shares
        ]
        is_best = method.spec in ranking.best
        rows.append(
            (
                TableEntry(method.spec, Emphasis.BEST if is_best else Emphasis.PLAIN),
                *cells,
                TableEntry(f"{format_number(method.score)}x", value=method.score),
                TableEntry("yes" if method.is_efficient else "no", value=float(method.is_efficient)),
            )
        )
    return Table(
        f"Costs by weight, {counted(advice.choice.cutoff, 'image')}",
        (
            TableColumn("method", right=False, wraps=True),
            *(TableColumn(f"{criterion} {100 * share:.0f} %") for criterion, share in ranking.shares.items()),
            TableColumn("together"),
            TableColumn("Pareto"),
        ),
        tuple(rows),
        "Medians; * least. Together: the weighted geometric mean of the ratios to the least of each column; 1x would "
        "be best in all of them. Pareto: yes where no other method is as good in all columns and better in one.",
    )


def figure_text(figure: Figure) -> str:
    """Return a figure in its unit."""
    if figure.criterion.operations:
        return time_text(figure.value)
    return format_count(figure.value) if figure.criterion is Criterion.FILES else format_bytes(figure.value)


def whole_set_table(advice: DatasetAdvice) -> Table | None:
    """Return what the whole set takes with every method; None where nothing of that can be told."""
    if all(isinstance(entry.epoch, NoPrediction) for entry in advice.training):
        return None
    pays = {entry.spec: entry for entry in advice.break_evens}
    passes = advice.situation.passes
    rows = []
    for entry in advice.training:
        pay = pays.get(entry.spec)
        rows.append(
            (
                TableEntry(entry.spec),
                _epoch_entry(entry),
                *([NOTHING if entry.training is None else _time(entry.training.median)] if passes > 1 else []),
                *(
                    [
                        NOTHING if pay is None or pay.convert is None else _time(pay.convert.median),
                        NOTHING if pay is None else TableEntry(payback_text(pay)),
                    ]
                    if pays
                    else []
                ),
            )
        )
    return Table(
        f"The whole set, {counted(advice.images, 'image')}",
        (
            TableColumn("method", right=False, wraps=True),
            TableColumn("an epoch" if passes > 1 else "read once"),
            *([TableColumn(f"{format_count(passes)} epochs")] if passes > 1 else []),
            *([TableColumn("to convert"), TableColumn("pays back after")] if pays else []),
        ),
        tuple(rows),
        "Medians with their intervals; where the set was not measured whole, predicted by a line through the numbers "
        "of images that were, wider by how far off that line is where it was tested. - cannot be predicted.",
    )


def keeping_table(advice: DatasetAdvice) -> Table | None:
    """Return which programs open each method's stores and what these keep; None where the use does not ask for it."""
    if not advice.keepings:
        return None
    rows = tuple(
        (
            TableEntry(keeping.spec),
            TableEntry(keeping.opened_by) if keeping.opened_by else NOTHING,
            _yes_or_no(keeping.names),
            _yes_or_no(keeping.originals),
            TableEntry(", ".join(lost)) if (lost := _lost(keeping)) else NOTHING,
        )
        for keeping in advice.keepings
    )
    return Table(
        "What is kept, and who can open it",
        (
            TableColumn("method", right=False, wraps=True),
            TableColumn("opened by", right=False, wraps=True),
            TableColumn("names", right=False),
            TableColumn("files", right=False),
            TableColumn("lost", right=False, wraps=True),
        ),
        rows,
        "As backends and codecs declare it. Names: those of files and folders, when converted. Files: byte for byte, "
        "with all that is in them.",
    )


def _lost(keeping: Keeping) -> list[str]:
    return [*keeping.drops, *([] if keeping.lossless else ["bits"])]


def _yes_or_no(value: bool) -> TableEntry:
    return TableEntry("yes" if value else "no", value=float(value))


def growth_table(advice: DatasetAdvice) -> Table | None:
    """Return start-up and cost per image of every method and operation; None where no line can be fitted."""
    rows = []
    for cell, growth in advice.growths.items():
        start, each = growth.start_s, growth.per_image_s
        if start is None or each is None or not cell.operation.images(2) > 1:
            continue
        tested = growth.tested
        rows.append(
            (
                TableEntry(f"{cell.operation} {cell.cache or cell.sync or ''}"),
                TableEntry(cell.spec, cell=growth.rows[-1]),
                TableEntry(f"{time_text(start.median)} ({time_text(start.low)}-{time_text(start.high)})"),
                TableEntry(f"{time_text(each.median)} ({time_text(each.low)}-{time_text(each.high)})"),
                NOTHING if tested is None else TableEntry(f"{100 * (tested.ratio.median - 1):+.0f} %"),
            )
        )
    if not rows:
        return None
    return Table(
        "Start-up and cost per image",
        (
            TableColumn("operation", right=False, grouped=True),
            TableColumn("method", right=False, wraps=True),
            TableColumn("start-up"),
            TableColumn("per image"),
            TableColumn("tested error"),
        ),
        tuple(rows),
        "A line through the times of each round; medians of the rounds and their intervals. Tested error: the largest "
        "number of images as predicted from all others, over what was measured.",
    )


def _epoch_entry(entry: TrainingTime) -> TableEntry:
    if isinstance(entry.epoch, NoPrediction):
        return NOTHING
    interval = entry.epoch.interval
    text = f"{time_text(interval.median)} ({time_text(interval.low)}-{time_text(interval.high)})"
    return TableEntry(text, value=interval.median)


def _time(seconds: float) -> TableEntry:
    return TableEntry(time_text(seconds), value=seconds)
