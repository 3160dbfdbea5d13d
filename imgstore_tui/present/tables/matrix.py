"""A run as a matrix: storage methods down, numbers of images across; what became of every cell, as far as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.bench.run.block_round import SKIPPED_BY_USER
from imgstore_tui.core.events import TrialStarted
from imgstore_tui.core.model import Cell, Run
from imgstore_tui.core.operations import Operation
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_seconds, seconds_unit
from imgstore_tui.present.results import RunResults, spec_order
from imgstore_tui.present.tables.table_model import interval_text
from imgstore_tui.present.text.captions import contest_title


class CellState(StrEnum):
    """What became of a cell so far."""

    WAITING = "waiting"
    RUNNING = "running"
    PART = "some rounds"
    DONE = "all rounds"
    FAILED = "failed"
    UNVERIFIED = "unverified"
    SKIPPED = "skipped"
    UNSUPPORTED = "unsupported"

    @property
    def glyph(self) -> str:
        """The character that stands for it; each has one of its own in ASCII too."""
        return _GLYPHS[self]


_GLYPHS = {
    CellState.WAITING: "·", CellState.RUNNING: "▶", CellState.PART: "◐", CellState.DONE: "✓", CellState.FAILED: "✗",
    CellState.UNVERIFIED: "?", CellState.SKIPPED: "–", CellState.UNSUPPORTED: "×",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """One cell as the matrix shows it."""

    cell: Cell
    state: CellState
    done: int = 0
    """Trials that came to an end, whatever that was."""
    rounds: int = 0
    """Trials that are planned."""
    seconds: float | None = None
    """Median of what counts; of one image where that was asked for."""
    rank: str = ""
    """``*`` for the fastest, ``=`` for what cannot be told apart from it."""
    share: float = 0.0
    """How far the trial is that is running, 0 to 1."""

    def text(self, width: int) -> str:
        """Return state and value in at most ``width`` columns: the less room, the less is said, never half a number."""
        value = "" if self.seconds is None else format_seconds(self.seconds)
        # Below each other where there is room: the widest have seven characters.
        even = value and value.rjust(7)
        short, count, glyph = _short(self.seconds), f"{self.done}/{self.rounds}", self.state.glyph

        def beside(words: str) -> list[str]:
            return [f"{even} {words}", f"{value} {words}"] if value else [words]

        tails = {
            CellState.WAITING: [],
            CellState.RUNNING: [*beside(count), f"{self.share:.0%} {count}", count],
            CellState.PART: [*beside(count), value, short, count],
            CellState.DONE: [*beside(self.rank), "" if self.rank else value, "" if self.rank else short],
            CellState.FAILED: [*(beside("failed") if value else [f"failed {count}"]), "failed"],
            CellState.SKIPPED: [*beside("skipped"), value],
        }.get(self.state, [str(self.state)])
        shown = [f"{glyph} {tail.rstrip()}" for tail in tails if tail.strip()]
        if self.rank and self.state is CellState.DONE:
            # Who is fastest is done.
            shown += [f"{self.rank} {value}", f"{self.rank} {short}", self.rank]
        return next((text for text in shown if len(text) <= width), glyph)


@dataclass(frozen=True, slots=True)
class MatrixLayer:
    """The cells of one operation at one level: what stands together on one matrix."""

    title: str
    operation: Operation
    cutoffs: tuple[int, ...]
    labels: tuple[str, ...]
    """Storage methods, the source row first."""
    squares: tuple[tuple[MatrixCell | None, ...], ...]
    """By row and column; None where the plan has no such cell."""


def matrix_layers(
    found: RunResults | None,
    run: Run,
    cells: Sequence[Cell],
    *,
    per_image: bool = False,
) -> tuple[MatrixLayer, ...]:
    """Return every operation and level of a run as a matrix, in the order of the tables; nothing runs in it yet.

    Args:
        found: What is made of the run so far; None while nothing was measured.
        run: The run; its plan says how many rounds there are.
        cells: All cells of the plan.
        per_image: Whether values are divided by the number of images.
    """
    summaries: Mapping[Cell, CellSummary] = {} if found is None else {entry.cell: entry for entry in found.summaries}
    order = spec_order(run)
    # A run that is opened may hold cells that its plan has no more, such as of a storage method that is gone.
    cells = list(dict.fromkeys([*cells, *summaries]))
    columns = tuple(sorted({cell.cutoff for cell in cells}))
    layers: dict[Cell, dict[tuple[str, int], Cell]] = {}
    for cell in cells:
        layers.setdefault(replace(cell, spec="", cutoff=0), {})[cell.spec, cell.cutoff] = cell
    result = []
    for key, members in sorted(layers.items(), key=lambda item: _layer_order(item[0], run)):
        labels = sorted({label for label, _ in members}, key=order)
        squares = tuple(
            tuple(
                None
                if (member := members.get((label, cutoff))) is None
                else _square(member, summaries.get(member), found, run.plan.rounds, per_image=per_image)
                for cutoff in columns
            )
            for label in labels
        )
        result.append(MatrixLayer(safe_text(contest_title(key, run)), key.operation, columns, tuple(labels), squares))
    return tuple(result)


def _layer_order(cell: Cell, run: Run) -> tuple[int, int, int, int]:
    def place(value: object, values: Sequence[object]) -> int:
        return values.index(value) if value in values else len(values)

    return (
        place(cell.dataset, run.plan.datasets), list(Operation).index(cell.operation),
        place(cell.sync, run.plan.sync), place(cell.cache, run.plan.cache),
    )  # fmt: skip


def _square(
    cell: Cell, summary: CellSummary | None, found: RunResults | None, rounds: int, *, per_image: bool
) -> MatrixCell:
    done = 0 if summary is None else summary.trials
    seconds = None
    if summary is not None:
        seconds = summary.seconds_per_image if per_image else summary.seconds
    square = MatrixCell(cell, cell_state(summary, rounds), done, max(rounds, done), seconds)
    verdict = None if found is None else found.verdict_of.get(cell.contest)
    if verdict is None or cell.spec not in verdict.best:
        return square
    return replace(square, rank="=" if verdict.is_tie else "*")


def with_running(
    layers: Sequence[MatrixLayer], current: TrialStarted | None, images_done: int
) -> tuple[MatrixLayer, ...]:
    """Return a matrix with the trial in it that is running now: asked twice a second, so it makes little anew.

    Args:
        layers: The matrix, in which nothing runs.
        current: The trial; None with none.
        images_done: How many images it has handled.
    """
    if current is None:
        return tuple(layers)
    cell = current.cell
    share = min(1.0, images_done / cell.operation.images(cell.cutoff)) if current.step == "trial" else 0.0

    def marked(square: MatrixCell | None) -> MatrixCell | None:
        if square is None or square.cell != cell:
            return square
        return replace(square, state=CellState.RUNNING, share=share)

    return tuple(
        layer
        if layer.operation is not cell.operation
        else replace(layer, squares=tuple(tuple(map(marked, row)) for row in layer.squares))
        for layer in layers
    )


def cell_state(summary: CellSummary | None, rounds: int) -> CellState:
    """Return what became of a cell that is not running now.

    Args:
        summary: What is known of it; None where it had no trial yet.
        rounds: How many trials are planned.
    """
    if summary is None:
        return CellState.WAITING
    if summary.failed:
        return CellState.FAILED
    if summary.unverified:
        return CellState.UNVERIFIED
    if summary.skipped:
        reasons = " ".join(reason for reason, _ in summary.reasons)
        # All else that is skipped is not claimed.
        return CellState.SKIPPED if SKIPPED_BY_USER in reasons else CellState.UNSUPPORTED
    return CellState.DONE if summary.ok >= rounds else CellState.PART


def _short(seconds: float | None) -> str:
    """Return a duration in at most five columns: ``12ms``, ``1.2s``, ``120µs``."""
    if not seconds:
        return "" if seconds is None else "0s"
    scale, unit = seconds_unit(seconds, 0.995)
    value = seconds / scale
    return f"{value:.0f}{unit}" if value >= 9.95 else f"{value:.1f}{unit}"


def matrix_cell_text(square: MatrixCell, found: RunResults | None) -> str:
    """Return the state of a cell in words: ``some rounds, 3 of 6, 12.3 ms, interval (11.9-13.0)``."""
    parts = [str(square.state), f"{square.done} of {square.rounds}"]
    summary = next((entry for entry in found.summaries if entry.cell == square.cell), None) if found else None
    if square.seconds is not None:
        parts.append(format_seconds(square.seconds))
    if summary is not None and summary.interval is not None and summary.interval.n > 1:
        parts.append(interval_text(summary.interval))
    if summary is not None and summary.reasons:
        parts.append(safe_text(summary.reasons[0][0]))
    return ", ".join(parts)


def matrix_legend_text(layers: Sequence[MatrixLayer]) -> str:
    """Return what the glyphs mean that are on a matrix, in one line."""
    squares = [square for layer in layers for row in layer.squares for square in row if square is not None]
    states = {square.state for square in squares}
    ranks = {square.rank for square in squares}
    told = [f"{state.glyph} {state}" for state in CellState if state in states]
    told += [f"{rank} {words}" for rank, words in (("*", "fastest"), ("=", "not told apart")) if rank in ranks]
    return "  ".join(told)
