"""Compares two runs cell by cell: what differs beyond chance, and what makes them hard to compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from imgstore_tui.analysis.aggregate import summarise
from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.model import Cell, Run, ServerFacts
from imgstore_tui.core.options import OptionValue
from imgstore_tui.core.text import safe_text
from imgstore_tui.stats.intervals import MIN_ROUNDS, Interval
from imgstore_tui.stats.shift import independent_ratio


class ComparisonResult(StrEnum):
    """The result of comparing a cell that both runs measured."""

    SLOWER = "slower"
    FASTER = "faster"
    NONE_SHOWN = "no difference shown"
    UNSURE = "too few rounds"
    UNFIT = "not comparable"
    """One of the two has trials that failed, were skipped or were not verified."""


@dataclass(frozen=True, slots=True)
class CellComparison:
    """One cell in both runs."""

    cell: Cell
    before: CellSummary
    after: CellSummary
    ratio: Interval | None
    """Ratio of the later run's time to the base's; None where one has no time."""
    result: ComparisonResult


@dataclass(frozen=True, slots=True)
class RunComparison:
    """The comparison of a run with a base run."""

    base: Run
    run: Run
    cells: tuple[CellComparison, ...]
    obstacles: tuple[str, ...]
    """Differences that make the figures incomparable: other data, another machine. A sentence each."""
    changes: tuple[str, ...]
    """Other differences, such as versions: often the subject of the comparison. A sentence each."""
    only_base: int
    """Number of cells that only the base measured."""
    only_run: int
    """Number of cells that only the later run measured."""

    @property
    def worse(self) -> bool:
        """Whether a cell is slower, beyond chance."""
        return any(pair.result is ComparisonResult.SLOWER for pair in self.cells)


def compare_runs(base: Run, run: Run) -> RunComparison:
    """Compare two runs cell by cell; cells match if they are equal in all but the scratch folder."""
    before, after = _by_cell(base), _by_cell(run)
    common = [cell for cell in before if cell in after]
    # Two runs of one method may differ in it: a package was installed, or another version used it.
    other_access = [cell for cell in common if before[cell].access is not after[cell].access]
    pairs = tuple(_pair(cell, before[cell], after[cell]) for cell in common if cell not in other_access)
    obstacles = [*_obstacles(base, run), *_access_obstacles(other_access, before, after)]
    return RunComparison(
        base, run, pairs, tuple(obstacles), tuple(_changes(base, run)),
        only_base=len(before) - len(pairs), only_run=len(after) - len(pairs),
    )  # fmt: skip


def _access_obstacles(
    cells: Sequence[Cell], before: Mapping[Cell, CellSummary], after: Mapping[Cell, CellSummary]
) -> list[str]:
    return [
        safe_text(
            f"Another access: {cell.spec}, {cell.operation} was by {before[cell].access}, is by {after[cell].access}; "
            "the two are not compared."
        )
        for cell in cells
    ]


def _by_cell(run: Run) -> dict[Cell, CellSummary]:
    return {replace(summary.cell, scratch=""): summary for summary in summarise(run)}


def _pair(cell: Cell, before: CellSummary, after: CellSummary) -> CellComparison:
    ratio = independent_ratio([s for _, s in after.rounds], [s for _, s in before.rounds])
    return CellComparison(cell, before, after, ratio, _result(before, after, ratio))


def _result(before: CellSummary, after: CellSummary, ratio: Interval | None) -> ComparisonResult:
    if ratio is None or any(side.ok < side.trials for side in (before, after)):
        return ComparisonResult.UNFIT
    if ratio.n < MIN_ROUNDS or ratio.is_range:
        return ComparisonResult.UNSURE
    if ratio.contains(1.0):
        return ComparisonResult.NONE_SHOWN
    return ComparisonResult.SLOWER if ratio.low > 1.0 else ComparisonResult.FASTER


_MACHINE = ("host", "cpu", "cores", "memory_bytes", "scratch_filesystem", "scratch_device")
_SOFTWARE = ("imgstore_tui", "python", "kernel", "platform")
_Options = tuple[tuple[str, OptionValue], ...]
_PLAN = ("batch", "seed", "drop_caches")


def _obstacles(base: Run, run: Run) -> list[str]:
    obstacles = [
        f"Another machine or place: {name.replace('_', ' ')} was {before}, is {after}."
        for name in _MACHINE
        for before, after in [(getattr(base.environment, name), getattr(run.environment, name))]
        if before != after
    ]
    servers = {facts.backend: facts for facts in base.environment.servers}
    for server in run.environment.servers:
        old = servers.get(server.backend)
        if old is not None and replace(old, free_bytes=None) != replace(server, free_bytes=None):
            obstacles.append(f"Another server, or other settings: {_server(old)}, is {_server(server)}.")
    base_facts = {facts.text: facts for facts in base.datasets}
    for facts in run.datasets:
        before = base_facts.get(facts.text)
        if before is not None and before.used != facts.used:
            obstacles.append(
                f"Other numbers of images: {facts.text} gave {before.used:,} and {facts.used:,}; whether those that "
                "both used are the same cannot be told."
            )
        elif before is not None and before.fingerprint != facts.fingerprint:
            obstacles.append(f"Other data: {facts.text} was {before.summary}, is {facts.summary}; its images differ.")
    return [safe_text(text) for text in obstacles]


def _server(facts: ServerFacts) -> str:
    settings = ", ".join(f"{name}={value}" for name, value in facts.settings.items())
    return f"{facts.label} at {facts.address}{f' ({settings})' if settings else ''}"


def _changes(base: Run, run: Run) -> list[str]:
    changes = [
        f"{name.replace('_', ' ')} {before}, now {after}"
        for owner, names in (("environment", _SOFTWARE), ("plan", _PLAN))
        for name in names
        for before, after in [(getattr(getattr(base, owner), name), getattr(getattr(run, owner), name))]
        if before != after
    ]
    old, new = base.environment.libraries, run.environment.libraries
    changes += [
        f"{name} {old.get(name, 'absent')}, now {new.get(name, 'absent')}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]
    options = {spec.label: (spec.preset, spec.options, spec.codec_options) for spec in base.plan.specs}
    changes += [
        f"options of {spec.label} {_spelled(options[spec.label])}, now "
        f"{_spelled((spec.preset, spec.options, spec.codec_options))}"
        for spec in run.plan.specs
        if spec.label in options and options[spec.label] != (spec.preset, spec.options, spec.codec_options)
    ]
    return [safe_text(text) for text in changes]


def _spelled(parts: tuple[str, _Options, _Options]) -> str:
    preset, options, codec_options = parts
    every = [*options, *codec_options]
    return " ".join([f"preset {preset}", *(f"{name}={value}" for name, value in every)])
