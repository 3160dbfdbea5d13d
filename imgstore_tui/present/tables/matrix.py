"""Builds the matrix of a run: storage methods down, numbers of images across, the state of every cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.bench.run.measurement import SKIPPED_BY_USER
from imgstore_tui.core.events import TrialStarted
from imgstore_tui.core.model import Cell, Run
from imgstore_tui.core.operations import Operation
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_seconds, seconds_unit
from imgstore_tui.present.results import RunResults, spec_order
from imgstore_tui.present.tables.table_model import interval_text
from imgstore_tui.present.text.captions import contest_title


class CellState(StrEnum):
    """The state of a cell."""

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
        """The character of the state; different for each, in ASCII too."""
        return _GLYPHS[self]


_GLYPHS = {
    CellState.WAITING: "·", CellState.RUNNING: "▶", CellState.PART: "◐", CellState.DONE: "✓", CellState.FAILED: "✗",
    CellState.UNVERIFIED: "?", CellState.SKIPPED: "–", CellState.UNSUPPORTED: "×",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """One cell of the matrix."""

    cell: Cell
    state: CellState
    done: int = 0
    """Trials that have ended, with any status."""
    rounds: int = 0
    """Trials planned."""
    seconds: float | None = None
    """Median seconds of the valid trials, or of one image."""
    sign: str = ""
    """``*`` for the fastest, ``=`` for methods that cannot be told apart from it."""
    share: float = 0.0
    """Progress of the running trial, 0 to 1."""

    def text(self, width: int) -> str:
        """Return state and value in at most ``width`` columns: shortened where narrow, but a number is never cut."""
        value = "" if self.seconds is None else format_seconds(self.seconds)
        # Aligned where there is room: the widest have seven characters.
        aligned = value and value.rjust(7)
        short, count, glyph = _short(self.seconds), f"{self.done}/{self.rounds}", self.state.glyph

        def beside(text: str) -> list[str]:
            return [f"{aligned} {text}", f"{value} {text}"] if value else [text]

        tails = {
            CellState.WAITING: [],
            CellState.RUNNING: [*beside(count), f"{self.share:.0%} {count}", count],
            CellState.PART: [*beside(count), value, short, count],
            CellState.DONE: [*beside(self.sign), "" if self.sign else value, "" if self.sign else short],
            CellState.FAILED: [*(beside("failed") if value else [f"failed {count}"]), "failed"],
            CellState.SKIPPED: [*beside("skipped"), value],
        }.get(self.state, [str(self.state)])
        shown = [f"{glyph} {tail.rstrip()}" for tail in tails if tail.strip()]
        if self.sign and self.state is CellState.DONE:
            # The sign implies that the cell is done.
            shown += [f"{self.sign} {value}", f"{self.sign} {short}", self.sign]
        return next((text for text in shown if len(text) <= width), glyph)


@dataclass(frozen=True, slots=True)
class MatrixLayer:
    """The cells of one operation at one level, which one matrix shows."""

    title: str
    operation: Operation
    cutoffs: tuple[int, ...]
    labels: tuple[str, ...]
    """Storage methods, the source row first."""
    rows: tuple[tuple[MatrixCell | None, ...], ...]
    """By row and column; None where the plan has no such cell."""


def matrix_layers(
    results: RunResults | None,
    run: Run,
    cells: Sequence[Cell],
    *,
    per_image: bool = False,
) -> tuple[MatrixLayer, ...]:
    """Return every operation and level of a run as a matrix, in the order of the tables, without the running trial.

    Args:
        results: Results of the run so far; None while nothing is measured.
        run: The run; its plan has the number of rounds.
        cells: All cells of the plan.
        per_image: Whether values are divided by the number of images.
    """
    summaries: Mapping[Cell, CellSummary] = (
        {} if results is None else {entry.cell: entry for entry in results.summaries}
    )
    order = spec_order(run)
    # A saved run may hold cells that its plan lacks, such as those of a storage method that is no longer installed.
    cells = list(dict.fromkeys([*cells, *summaries]))
    columns = tuple(sorted({cell.cutoff for cell in cells}))
    layers: dict[Cell, dict[tuple[str, int], Cell]] = {}
    for cell in cells:
        layers.setdefault(replace(cell, spec="", cutoff=0), {})[cell.spec, cell.cutoff] = cell
    result = []
    for key, members in sorted(layers.items(), key=lambda item: _layer_order(item[0], run)):
        labels = sorted({label for label, _ in members}, key=order)
        rows = tuple(
            tuple(
                None
                if (member := members.get((label, cutoff))) is None
                else _matrix_cell(member, summaries.get(member), results, run.plan.rounds, per_image=per_image)
                for cutoff in columns
            )
            for label in labels
        )
        result.append(MatrixLayer(safe_text(contest_title(key, run)), key.operation, columns, tuple(labels), rows))
    return tuple(result)


def _layer_order(cell: Cell, run: Run) -> tuple[int, int, int, int]:
    def position(value: object, values: Sequence[object]) -> int:
        return values.index(value) if value in values else len(values)

    return (
        position(cell.dataset, run.plan.datasets), list(Operation).index(cell.operation),
        position(cell.sync, run.plan.sync), position(cell.cache, run.plan.cache),
    )  # fmt: skip


def _matrix_cell(
    cell: Cell, summary: CellSummary | None, results: RunResults | None, rounds: int, *, per_image: bool
) -> MatrixCell:
    done = 0 if summary is None else summary.trials
    seconds = None
    if summary is not None:
        seconds = summary.seconds_per_image if per_image else summary.seconds
    verdict = None if results is None else results.verdict_of.get(cell.contest)
    if results is not None and is_settled(results, cell):
        rounds = min(rounds, done)
    entry = MatrixCell(cell, cell_state(summary, rounds), done, max(rounds, done), seconds)
    if verdict is None or cell.spec not in verdict.best:
        return entry
    return replace(entry, sign="=" if verdict.is_tie else "*")


def is_settled(results: RunResults, cell: Cell) -> bool:
    """Return whether no further round of a cell comes, since its ranking is settled."""
    verdict = results.verdict_of.get(cell.contest)
    return verdict is not None and verdict.settled and results.run.plan.looks


def with_running(
    layers: Sequence[MatrixLayer], current: TrialStarted | None, images_done: int
) -> tuple[MatrixLayer, ...]:
    """Return the matrix with the running trial marked; called twice a second, so only its cells are rebuilt.

    Args:
        layers: The matrix without the running trial.
        current: The running trial; None if there is none.
        images_done: Images that the trial has handled.
    """
    if current is None:
        return tuple(layers)
    cell = current.cell
    share = min(1.0, images_done / cell.operation.images(cell.cutoff)) if current.step == "trial" else 0.0

    def marked(entry: MatrixCell | None) -> MatrixCell | None:
        if entry is None or entry.cell != cell:
            return entry
        return replace(entry, state=CellState.RUNNING, share=share)

    return tuple(
        layer
        if layer.operation is not cell.operation
        else replace(layer, rows=tuple(tuple(map(marked, row)) for row in layer.rows))
        for layer in layers
    )


def cell_state(summary: CellSummary | None, rounds: int) -> CellState:
    """Return the state of a cell that is not running.

    Args:
        summary: Summary of the cell; None where it has no trial yet.
        rounds: Number of trials planned.
    """
    if summary is None:
        return CellState.WAITING
    if summary.failed:
        return CellState.FAILED
    if summary.unverified:
        return CellState.UNVERIFIED
    if summary.skipped:
        reasons = " ".join(reason for reason, _ in summary.reasons)
        # Every other reason to skip is a missing capability.
        return CellState.SKIPPED if SKIPPED_BY_USER in reasons else CellState.UNSUPPORTED
    return CellState.DONE if summary.ok >= rounds else CellState.PART


def _short(seconds: float | None) -> str:
    """Return a duration in at most five columns: ``12ms``, ``1.2s``, ``120µs``."""
    if not seconds:
        return "" if seconds is None else "0s"
    scale, unit = seconds_unit(seconds, 0.995)
    value = seconds / scale
    return f"{value:.0f}{unit}" if value >= 9.95 else f"{value:.1f}{unit}"


def matrix_cell_text(entry: MatrixCell, results: RunResults | None) -> str:
    """Return the state of a cell as text: ``some rounds, 3 of 6, 12.3 ms, interval (11.9-13.0)``."""
    parts = [str(entry.state), f"{entry.done} of {entry.rounds}"]
    summary = next((summary for summary in results.summaries if summary.cell == entry.cell), None) if results else None
    if entry.seconds is not None:
        parts.append(format_seconds(entry.seconds))
    if summary is not None and summary.interval is not None and summary.interval.n > 1:
        parts.append(interval_text(summary.interval))
    if summary is not None and summary.reasons:
        parts.append(safe_text(summary.reasons[0][0]))
    return ", ".join(parts)


def matrix_legend_text(layers: Sequence[MatrixLayer]) -> str:
    """Return the meaning of the glyphs on a matrix in one line."""
    entries = [entry for layer in layers for row in layer.rows for entry in row if entry is not None]
    states = {entry.state for entry in entries}
    signs = {entry.sign for entry in entries}
    parts = [f"{state.glyph} {state}" for state in CellState if state in states]
    parts += [f"{sign} {meaning}" for sign, meaning in (("*", "fastest"), ("=", "tie, or too close")) if sign in signs]
    return "  ".join(parts)
