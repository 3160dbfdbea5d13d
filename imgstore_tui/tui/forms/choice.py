"""What the user has chosen so far: one frozen value, from which the plan follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from imgstore_tui.bench.plan.plans import QUICK_SPECS, check_plan, named_plan, true_name
from imgstore_tui.bench.run.estimate import Estimate
from imgstore_tui.core.errors import ImgstoreError, UsageError
from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import Operation
from imgstore_tui.core.spec import Spec
from imgstore_tui.core.units import parse_cutoffs, parse_duration
from imgstore_tui.plugins import registry
from imgstore_tui.present.text.estimates import space_text

_LONGEST_NUMBER = 20
DECADES = (1, 10, 100, 1000, 10_000, 100_000)


@dataclass(frozen=True, slots=True)
class Choice:
    """The choices in the panes, complete or not."""

    base: Plan
    """The plan that the choice began with: as long as nothing is changed, it goes by its name."""
    rest: Plan
    """Everything that no list holds: data, rounds, budget, cache states, sync levels, seed, scratch, ..."""
    offered: tuple[Spec, ...]
    """Specs that can be ticked: each available backend as it is by default, and what was added by hand."""
    ticked: frozenset[str]
    """Labels of the specs that take part."""
    cutoffs_offered: tuple[int, ...] = DECADES
    cutoffs: frozenset[int] = frozenset()
    operations: frozenset[Operation] = frozenset()
    problems: tuple[tuple[str, str], ...] = field(default=())
    """Name of a field and what is wrong with the words in it."""

    @classmethod
    def of(cls, plan: Plan) -> Choice:
        """Return the choice that stands for ``plan``, with all else that is available on offer."""
        specs = {spec.label: spec for spec in available_specs()}
        specs.update((spec.label, spec) for spec in plan.specs)
        return cls(
            base=plan,
            rest=plan,
            offered=tuple(specs.values()),
            ticked=frozenset(spec.label for spec in plan.specs),
            cutoffs_offered=tuple(sorted({*DECADES, *plan.cutoffs})),
            cutoffs=frozenset(plan.cutoffs),
            operations=frozenset(plan.operations),
        )

    @property
    def plan(self) -> Plan:
        """The plan as chosen; whether it can be run is for ``check`` to say."""
        plan = replace(
            self.rest,
            specs=tuple(spec for spec in self.offered if spec.label in self.ticked),
            cutoffs=tuple(sorted(self.cutoffs)),
            operations=tuple(operation for operation in Operation if operation in self.operations),
        )
        return replace(plan, name=true_name(self.base, plan))

    def called(self, name: str) -> Choice:
        """Return the choice under a name of its own, which it loses when it is changed."""
        plan = replace(self.plan, name=name)
        return replace(self, base=plan, rest=plan)

    def check(self) -> Plan:
        """Return the plan, found fit to start.

        Raises:
            ImgstoreError: The first thing that is in the way, in a sentence.
        """
        for _, text in self.problems:
            raise UsageError(text)
        plan = self.plan
        check_plan(plan)
        for dataset in plan.datasets:
            registry.make_dataset(dataset)
        return plan

    @property
    def dataset(self) -> str:
        """The first of the plan's datasets, as written."""
        return self.rest.datasets[0] if self.rest.datasets else ""

    def words(self, expected: Estimate) -> str:
        """Return what a run of it would be, or what is in the way, in a line."""
        if self.problems:
            return f"Not ready: {self.problems[0][1]}"
        if not expected.trials:
            return "Tick something in every list, then press r to run."
        return f"Press r to run. {space_text(expected)}"

    def problem(self, name: str) -> str:
        """Return what is wrong with the words in a field; empty where nothing is."""
        return dict(self.problems).get(name, "")

    def with_spec_toggled(self, label: str) -> Choice:
        """Return the choice with a spec ticked or not."""
        return replace(self, ticked=self.ticked ^ {label})

    def with_all_specs(self, on: bool) -> Choice:
        """Return the choice with every spec on offer ticked, or none."""
        return replace(self, ticked=frozenset(spec.label for spec in self.offered) if on else frozenset())

    def with_spec_added(self, text: str) -> Choice:
        """Return the choice with one more spec on offer, ticked.

        Raises:
            UsageError: If the text means nothing.
            UnavailableError: If a driver is missing.
        """
        spec = registry.resolve_spec(text)
        offered = self.offered if any(entry.label == spec.label for entry in self.offered) else (*self.offered, spec)
        return replace(self, offered=offered, ticked=self.ticked | {spec.label})

    def with_spec_edited(self, label: str, spec: Spec, *, another: bool) -> Choice:
        """Return the choice with a spec ticked beside the one of a label, or in its place."""
        offered = [entry for entry in self.offered if entry.label != spec.label or entry.label == label]
        place = next(number for number, entry in enumerate(offered) if entry.label == label)
        offered[place : place + 1] = [offered[place], spec] if another else [spec]
        ticked = self.ticked if another else self.ticked - {label}
        return replace(self, offered=tuple(dict.fromkeys(offered)), ticked=ticked | {spec.label})

    def with_spec_removed(self, label: str) -> Choice:
        """Return the choice with a spec on offer no more; the last one of a backend gives way to its default.

        Raises:
            UsageError: If it is the default, which is always on offer.
        """
        removed = next(spec for spec in self.offered if spec.label == label)
        if label == removed.backend:
            raise UsageError(f"'{label}' is always on offer. Untick it with space to leave it out.")
        default = [spec for spec in available_specs() if spec.backend == removed.backend]
        others = [spec for spec in self.offered if spec.backend == removed.backend and spec != removed]
        instead = [] if others else default
        place = self.offered.index(removed)
        offered = (*self.offered[:place], *instead, *self.offered[place + 1 :])
        return replace(self, offered=offered, ticked=self.ticked - {label})

    def with_cutoff_toggled(self, cutoff: int) -> Choice:
        """Return the choice with a cutoff ticked or not."""
        return replace(self, cutoffs=self.cutoffs ^ {cutoff})

    def with_all_cutoffs(self, on: bool) -> Choice:
        """Return the choice with every cutoff on offer ticked, or none."""
        return replace(self, cutoffs=frozenset(self.cutoffs_offered) if on else frozenset())

    def with_cutoffs_added(self, text: str) -> Choice:
        """Return the choice with the cutoffs of ``text`` (``500``, ``2k,5k``, ``1..1000``) on offer and ticked.

        Raises:
            UsageError: If the text holds no cutoffs.
        """
        added = parse_cutoffs(text)
        offered = tuple(sorted({*self.cutoffs_offered, *added}))
        return replace(self, cutoffs_offered=offered, cutoffs=self.cutoffs | set(added))

    def with_operation_toggled(self, operation: Operation) -> Choice:
        """Return the choice with an operation ticked or not."""
        return replace(self, operations=self.operations ^ {operation})

    def with_all_operations(self, on: bool) -> Choice:
        """Return the choice with every operation ticked, or none."""
        return replace(self, operations=frozenset(Operation) if on else frozenset())

    def with_rest(self, **changes: Any) -> Choice:
        """Return the choice with fields of the plan changed that no list holds."""
        return replace(self, rest=replace(self.rest, **changes))

    def with_datasets(self, texts: tuple[str, ...]) -> Choice:
        """Return the choice with other data, which was found to mean something."""
        problems = tuple(entry for entry in self.problems if entry[0] != "dataset")
        return replace(self.with_rest(datasets=texts), problems=problems)

    def with_conditions(self, changes: Mapping[str, Any]) -> Choice:
        """Return the choice under other conditions, which were found to mean something."""
        problems = tuple(entry for entry in self.problems if entry[0] not in ("rounds", "budget"))
        return replace(self.with_rest(**changes), problems=problems)

    def with_field(self, name: str, text: str) -> Choice:
        """Return the choice with what a field says: ``dataset``, ``rounds`` or ``budget``.

        Words that mean nothing leave the choice as it was and are kept as a problem of that field.
        """
        clean = replace(self, problems=tuple(entry for entry in self.problems if entry[0] != name))
        try:
            return clean._parsed(name, text.strip())
        except ImgstoreError as error:
            return replace(clean, problems=(*clean.problems, (name, str(error))))

    def _parsed(self, name: str, text: str) -> Choice:
        match name:
            case "dataset":
                text = dataset_text(text)
                dataset = registry.make_dataset(text)
                for root in dataset.roots:
                    if not _is_there(root):
                        raise UsageError(f"There is no '{root}'.")
                return self.with_rest(datasets=(text, *self.rest.datasets[1:]))
            case "rounds":
                # What is longer than that is no number of rounds, and may be longer than Python takes for a number.
                if not text.isdecimal() or len(text) > _LONGEST_NUMBER or int(text) < 1:
                    raise UsageError(f"Rounds are a whole number, 1 or more, not '{text}'.")
                return self.with_rest(rounds=int(text))
            case "budget":
                return self.with_rest(budget_s=None if text in ("", "none") else parse_duration(text))
        raise ValueError(f"no field '{name}'")


NO_CHOICE = Choice(Plan(), Plan(), (), frozenset())
"""Nothing ticked, nothing on offer."""


def _is_there(root: Path) -> bool:
    try:
        return root.exists()
    except OSError as error:  # longer than a path can be, or in a folder that may not be looked into
        raise UsageError(f"'{root}' cannot be reached: {error.strerror}.") from None


def dataset_text(text: str) -> str:
    """Return a dataset as the plan spells it: a bare path is taken for a folder of pictures."""
    if not text.startswith(("/", "~", ".")):
        return text
    return f'folder:"{text}"' if "," in text else f"folder:{text}"


def available_specs() -> tuple[Spec, ...]:
    """Return every backend that can be used here and now, as it is by default."""
    specs = []
    for backend in registry.sorted_backends():
        try:
            specs.append(registry.resolve_spec(backend.name))
        except ImgstoreError:
            # Its own driver or its codec's is missing: listed as unavailable, with the way to get it.
            continue
    return tuple(specs)


def first_plan() -> Plan:
    """Return the plan to begin with: ``quick``, less what is not available here."""
    try:
        return named_plan("quick")
    except ImgstoreError:
        return Plan(specs=tuple(spec for spec in available_specs() if spec.backend in QUICK_SPECS), name="quick")
