"""Learns from saved runs how long trials take on this machine, relative to the assumptions of the cost model."""

from __future__ import annotations

import platform
import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple, Self

from imgstore_tui.bench.plan.cost_model import BYTE_S, IMAGE_S, CostModel
from imgstore_tui.bench.results.journal import read_journal, saved_runs
from imgstore_tui.core.access import Access
from imgstore_tui.core.errors import DataError, ImgstoreError
from imgstore_tui.core.model import Cell, Measurement, Run
from imgstore_tui.core.options import OptionValue
from imgstore_tui.core.spec import CODEC_PREFIX, Spec
from imgstore_tui.plugins import registry
from imgstore_tui.plugins.saved_specs import access_of
from imgstore_tui.storekit.server import ServerBackend

RUNS = 8
"""Number of the newest runs to learn from: a machine changes, and so do libraries."""
LARGEST_JOURNAL = 32 << 20
"""Larger journals, in bytes, are skipped: reading them takes longer than it is worth."""
_PAUSE_S = 60.0
"""A gap between trials that is this much longer than its trial is a stop after which the run was resumed."""

_MOST_PAUSES = 20
"""More pauses than a user makes in a run; a pause after the last trial is in no gap, and must not remove others."""

Key = tuple[object, ...]


class PastCosts:
    """Factors between measured and assumed seconds, from the same cell down to the machine as a whole."""

    def __init__(self, factors: Mapping[Key, Mapping[int, float]], preparing: float | None, runs: int) -> None:
        """Create past costs.

        Args:
            factors: Factors by key of a cell, see ``_keys``, and by cutoff.
            preparing: Factor of the time before the first trial; None if unknown.
            runs: Number of runs that they come from.
        """
        self._factors = factors
        self._preparing = preparing
        self.runs = runs

    @classmethod
    def learn(cls, runs: Iterable[Run]) -> Self:
        """Learn from runs that were measured on this machine."""
        ratios: dict[Key, dict[int, list[float]]] = {}
        preparing: list[float] = []
        count = 0
        for run in runs:
            count += 1
            sizes = {fact.text: fact.image_bytes for fact in run.datasets}
            costs = CostModel(sizes)
            for trial, seconds in _durations(run):
                ratio = seconds / costs.expect(trial.cell)
                method = _Method.of(trial.backend, trial.codec, trial.options, trial.access)
                for key in _keys(trial.cell, method):
                    ratios.setdefault(key, {}).setdefault(trial.cutoff, []).append(ratio)
            before = _before_first(run)
            if before is not None:
                images = {fact.text: fact.used for fact in run.datasets}
                preparing.append(before / preparing_s(images, sizes))
        factors = {
            key: {cutoff: statistics.median(values) for cutoff, values in cutoffs.items()}
            for key, cutoffs in ratios.items()
        }
        return cls(factors, statistics.median(preparing) if preparing else None, count)

    def factor(self, cell: Cell, spec: Spec) -> tuple[float, bool]:
        """Return the factor for a cell, and whether its storage method was measured on this machine before.

        It is that of the nearest cutoff of the same method, else of its backend by the same access, else of any method.

        Args:
            cell: The cell.
            spec: Its storage method: labels have meant other options in runs of before.
        """
        for rank, keys in enumerate(zip(*(_keys(cell, method) for method in _methods(cell, spec)), strict=True)):
            for key in keys:
                factors = self._factors.get(key)
                if factors:
                    return factors[min(factors, key=lambda cutoff: abs(cutoff - cell.cutoff))], rank <= 1
        return 1.0, False

    def preparing(self, images: Mapping[str, int], image_bytes: Mapping[str, float]) -> float:
        """Return the seconds expected before the first trial.

        Args:
            images: Number of images of each dataset.
            image_bytes: Pixels of one image of each, in bytes.
        """
        return preparing_s(images, image_bytes) * (1.0 if self._preparing is None else self._preparing)


NO_PAST_COSTS = PastCosts({}, None, 0)
"""Nothing was measured on this machine yet."""


def load_past_costs(go_on: Callable[[], bool] = lambda: True) -> PastCosts:
    """Learn from the newest saved runs of this machine; runs that cannot be read are skipped.

    Args:
        go_on: Called before each run; when it returns False, only the runs read so far count.
    """
    runs: list[Run] = []
    for path in reversed(saved_runs()):
        if not go_on():
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
    """Return a run without its trials on other servers than today's: they say nothing about these."""
    others = {facts.backend for facts in run.environment.servers if facts.address != _address_now(facts.backend)}
    if not others:
        return run
    return replace(run, measurements=tuple(trial for trial in run.measurements if trial.backend not in others))


def _address_now(backend: str) -> str | None:
    try:
        backend_class = registry.backends.get(backend)
        return backend_class.address()[0].public() if issubclass(backend_class, ServerBackend) else None
    except ImgstoreError:
        return None


def preparing_s(images: Mapping[str, int], image_bytes: Mapping[str, float]) -> float:
    """Return the seconds assumed for decoding images, one process start included.

    Args:
        images: Number of images of each dataset.
        image_bytes: Pixels of one image of each, in bytes.
    """
    return 0.5 + sum(count * (IMAGE_S + BYTE_S * image_bytes.get(text, 0.0)) for text, count in images.items())


class _Method(NamedTuple):
    """A storage method by what it does; its label is only what that is called."""

    backend: str
    codec: str
    options: frozenset[tuple[str, OptionValue]]
    access: Access | None

    @classmethod
    def of(cls, backend: str, codec: str, values: Mapping[str, OptionValue], access: Access | None) -> Self:
        """Return a method; options that are not given have their defaults."""
        options = dict(values)
        stored, encoded = registry.backends.all().get(backend), registry.codecs.all().get(codec)
        for option in stored.options if stored is not None else ():
            options.setdefault(option.name, option.default)
        for option in encoded.options if encoded is not None else ():
            options.setdefault(f"{CODEC_PREFIX}{option.name}", option.default)
        return cls(backend, codec, frozenset(options.items()), access)


def _methods(cell: Cell, spec: Spec) -> list[_Method]:
    """Return the method of a cell; two where it depends on the images, which may not be known yet, who reads them."""
    accesses = dict.fromkeys(
        access_of(spec, cell.operation, cell.payload, uniform=uniform) for uniform in (True, False)
    )
    return [_Method.of(spec.backend, spec.codec, spec.all_options, access) for access in accesses]


def _keys(cell: Cell, method: _Method) -> list[Key]:
    """Return the keys of a cell, the most specific first; each begins with its kind."""
    level = str(cell.sync or cell.cache)
    return [
        ("method and level", *method, cell.operation, level),
        ("method", *method, cell.operation),
        ("backend", method.backend, method.access, cell.operation),
        ("operation", cell.operation),
        ("machine",),
    ]


def _durations(run: Run) -> list[tuple[Measurement, float]]:
    """Return trials with the seconds until the next one began, everything around the clock included."""
    durations = []
    for trial, following in zip(run.measurements, run.measurements[1:], strict=False):
        began, ended = _moment(trial.started_at), _moment(following.started_at)
        if began is None or ended is None or trial.elapsed_s is None:
            continue
        durations.append((trial, (ended - began).total_seconds()))
    durations = _without_pauses(durations, run.paused_s)
    return [(trial, seconds) for trial, seconds in durations if 0 < seconds < _PAUSE_S + 10 * (trial.elapsed_s or 0.0)]


def _without_pauses(durations: list[tuple[Measurement, float]], paused_s: float) -> list[tuple[Measurement, float]]:
    """Leave out the longest gaps until they cover the time for which the run was paused.

    The journal records how long that was, but not after which trials: gaps with a pause are among the longest.
    """
    gaps = {index: seconds - (trial.elapsed_s or 0.0) for index, (trial, seconds) in enumerate(durations)}
    left_out = []
    for index in sorted(gaps, key=gaps.__getitem__, reverse=True)[:_MOST_PAUSES]:
        if paused_s <= 0:
            break
        left_out.append(index)
        paused_s -= gaps[index]
    return [duration for index, duration in enumerate(durations) if index not in left_out]


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
