"""How long trials took on this machine in runs of the past, against what is assumed of a machine nobody knows."""

from __future__ import annotations

import platform
import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Self

from imgstore_tui.bench.plan.cost_model import BYTE_S, IMAGE_S, CostModel
from imgstore_tui.bench.results.journal import read_journal, saved_runs
from imgstore_tui.core.errors import DataError, ImgstoreError
from imgstore_tui.core.model import Cell, Measurement, Run
from imgstore_tui.core.spec import backend_of
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.server import ServerBackend

RUNS = 8
"""So many of the newest runs are learned from: a machine changes, and so do libraries."""
LARGEST_JOURNAL = 32 << 20
"""Journals of more bytes are passed over: reading them would take longer than what they teach is worth."""
_PAUSE_S = 60.0
"""A gap this much longer than what was measured in it is none between two trials: the run was resumed."""

_MOST_PAUSES = 20
"""More than a user makes in a run; one after the last trial is in no gap, and must not take others with it."""

Key = tuple[str, ...]


class PastCosts:
    """Factors by which the assumptions of ``CostModel`` were off, from the very cell down to the machine as a whole."""

    def __init__(self, factors: Mapping[Key, Mapping[int, float]], preparing: float | None, runs: int) -> None:
        """Keep what was learned.

        Args:
            factors: By the words of a cell, and by its cutoff; see ``_keys``.
            preparing: Factor of the time before the first trial; None if not known.
            runs: Of how many runs.
        """
        self._factors = factors
        self._preparing = preparing
        self.runs = runs

    @classmethod
    def learn(cls, runs: Iterable[Run]) -> Self:
        """Learn from runs that were measured on this machine."""
        found: dict[Key, dict[int, list[float]]] = {}
        preparing: list[float] = []
        count = 0
        for run in runs:
            count += 1
            sizes = {fact.text: fact.image_bytes for fact in run.datasets}
            costs = CostModel(sizes)
            for trial, seconds in _taken(run):
                factor = seconds / costs.expect(trial.cell)
                for key in _keys(trial.cell):
                    found.setdefault(key, {}).setdefault(trial.cutoff, []).append(factor)
            before = _before_first(run)
            if before is not None:
                images = {fact.text: fact.used for fact in run.datasets}
                preparing.append(before / preparing_s(images, sizes))
        factors = {
            key: {cutoff: statistics.median(values) for cutoff, values in cutoffs.items()}
            for key, cutoffs in found.items()
        }
        return cls(factors, statistics.median(preparing) if preparing else None, count)

    def factor(self, cell: Cell) -> tuple[float, bool]:
        """Return how far off the assumption for a cell is, and whether its storage method was measured here before.

        The nearest cutoff counts, of the most alike: the same method, else its backend, else any, on this machine.
        """
        for rank, key in enumerate(_keys(cell)):
            known = self._factors.get(key)
            if known:
                return known[min(known, key=lambda cutoff: abs(cutoff - cell.cutoff))], rank <= 1
        return 1.0, False

    def preparing(self, images: Mapping[str, int], image_bytes: Mapping[str, float]) -> float:
        """Return seconds expected before the first trial, see ``preparing_s``."""
        return preparing_s(images, image_bytes) * (1.0 if self._preparing is None else self._preparing)


NO_PAST_COSTS = PastCosts({}, None, 0)
"""Nothing was ever measured here."""


def load_past_costs(wanted: Callable[[], bool] = lambda: True) -> PastCosts:
    """Return what the newest saved runs of this machine teach; runs that cannot be read teach nothing.

    Args:
        wanted: Asked before each run whether to read on; what was read until then is what is returned.
    """
    runs: list[Run] = []
    for path in reversed(saved_runs()):
        if not wanted():
            break
        try:
            if path.stat().st_size > LARGEST_JOURNAL:
                continue
            run = read_journal(path)
        except (DataError, OSError):
            continue
        if run.environment.host == platform.node():
            runs.append(_without_other_servers(run))
        if len(runs) == RUNS:
            break
    return PastCosts.learn(runs)


def _without_other_servers(run: Run) -> Run:
    """Leave out the trials on servers that are not those of today: another server teaches nothing of this one."""
    others = {facts.backend for facts in run.environment.servers if facts.address != _address_now(facts.backend)}
    if not others:
        return run
    return replace(run, measurements=tuple(trial for trial in run.measurements if trial.backend not in others))


def _address_now(backend: str) -> str | None:
    try:
        kind = registry.backends.get(backend)
        return kind.address()[0].public() if issubclass(kind, ServerBackend) else None
    except ImgstoreError:
        return None


def preparing_s(images: Mapping[str, int], image_bytes: Mapping[str, float]) -> float:
    """Return seconds assumed for decoding the images that take part, one process start included.

    Args:
        images: How many of each dataset take part.
        image_bytes: Pixels of an image of each, in bytes.
    """
    return 0.5 + sum(count * (IMAGE_S + BYTE_S * image_bytes.get(text, 0.0)) for text, count in images.items())


def _keys(cell: Cell) -> list[Key]:
    """Return the words that a cell is known by, the most telling first."""
    level = str(cell.sync or cell.cache)
    # Each kind is named: a backend as it is by default is called like the backend itself.
    return [
        ("spec and level", cell.spec, cell.operation, level),
        ("spec", cell.spec, cell.operation),
        ("backend", backend_of(cell.spec), cell.operation),
        ("operation", cell.operation),
        ("machine",),
    ]


def _taken(run: Run) -> list[tuple[Measurement, float]]:
    """Return trials with the seconds until the next one began: all that goes on around a clock is in them."""
    taken = []
    for trial, following in zip(run.measurements, run.measurements[1:], strict=False):
        began, ended = _moment(trial.started_at), _moment(following.started_at)
        if began is None or ended is None or trial.elapsed_s is None:
            continue
        taken.append((trial, (ended - began).total_seconds()))
    going_on = _without_pauses(taken, run.paused_s)
    return [(trial, seconds) for trial, seconds in going_on if 0 < seconds < _PAUSE_S + 10 * (trial.elapsed_s or 0.0)]


def _without_pauses(taken: list[tuple[Measurement, float]], paused_s: float) -> list[tuple[Measurement, float]]:
    """Leave out the longest gaps, until they hold the time for which the run is known to have been paused.

    The journal tells how long that was, and not after which trials: those that hold a pause are among the longest.
    """
    beyond = {place: seconds - (trial.elapsed_s or 0.0) for place, (trial, seconds) in enumerate(taken)}
    left_out = []
    for place in sorted(beyond, key=beyond.__getitem__, reverse=True)[:_MOST_PAUSES]:
        if paused_s <= 0:
            break
        left_out.append(place)
        paused_s -= beyond[place]
    return [entry for place, entry in enumerate(taken) if place not in left_out]


def _before_first(run: Run) -> float | None:
    began = _moment(run.started_at)
    first = _moment(run.measurements[0].started_at) if run.measurements else None
    if began is None or first is None:
        return None
    seconds = (first - began).total_seconds()
    return seconds if seconds > 0 else None


def _moment(text: str | None) -> datetime | None:
    try:
        moment = None if text is None else datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None
