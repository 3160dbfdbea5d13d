"""Holds what the user has chosen: one frozen value, from which the plan follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from imgstore_tui.bench.plan.plans import (
    PLAN_NAMES,
    QUICK_SPECS,
    changed_plan,
    check_plan,
    name_after_change,
    named_plan,
)
from imgstore_tui.bench.plan.use_plans import USE_PLAN_NAMES
from imgstore_tui.bench.run.estimate import Estimate
from imgstore_tui.core.errors import ImgstoreError, UsageError
from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import Operation
from imgstore_tui.core.spec import Spec
from imgstore_tui.core.units import parse_cutoffs, parse_duration
from imgstore_tui.jobs.plans import plan_by_name, saved_plans
from imgstore_tui.plugins import registry
from imgstore_tui.present.text.estimates import space_text

_MAX_DIGITS = 20
_BUDGETS_S = (60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14_400.0, 28_800.0, 86_400.0)
"""Time budgets that a key steps through; after the last there is no limit."""
_MARGIN = 1.1
"""Factor by which a budget exceeds what an answer is expected to need."""
DECADES = (1, 10, 100, 1000, 10_000, 100_000)


@dataclass(frozen=True, slots=True)
class Choice:
    """The choices in the panes, complete or not."""

    base: Plan
    """The plan that the choice began with: its name holds as long as nothing is changed."""
    rest: Plan
    """Everything that is in no list: data, rounds, budget, cache states, sync levels, seed, scratch, ..."""
    offered: tuple[Spec, ...]
    """Specs that can be ticked: each available backend with its defaults, and specs added by hand."""
    ticked: frozenset[str]
    """Labels of the specs that take part."""
    cutoffs_offered: tuple[int, ...] = DECADES
    cutoffs: frozenset[int] = frozenset()
    operations: frozenset[Operation] = frozenset()
    problems: tuple[tuple[str, str], ...] = field(default=())
    """Names of fields and the problems with their texts."""

    @classmethod
    def of(cls, plan: Plan) -> Choice:
        """Return the choice of ``plan``, with everything else that is available on offer."""
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
        """The plan as chosen; ``check`` tells whether it can run."""
        plan = replace(
            self.rest,
            specs=tuple(spec for spec in self.offered if spec.label in self.ticked),
            cutoffs=tuple(sorted(self.cutoffs)),
            operations=tuple(operation for operation in Operation if operation in self.operations),
        )
        return replace(plan, name=name_after_change(self.base, plan))

    def called(self, name: str) -> Choice:
        """Return the choice as a named plan; it loses the name when it is changed."""
        plan = replace(self.plan, name=name)
        return replace(self, base=plan, rest=plan)

    def check(self) -> Plan:
        """Return the plan after checking that it can start.

        Raises:
            ImgstoreError: The first problem, in a sentence.
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

    def status_text(self, expected: Estimate) -> str:
        """Return in a line what a run would take, or why it cannot start."""
        if self.problems:
            return f"Not ready: {self.problems[0][1]}"
        if not expected.trials:
            return "Select something in every list, then press r to run."
        return f"Press r to run: {space_text(expected)}"

    def problem(self, name: str) -> str:
        """Return the problem with the text in a field; empty if there is none."""
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
            UsageError: If the text is not a spec.
            UnavailableError: If a driver is missing.
        """
        spec = registry.resolve_spec(text)
        offered = self.offered if any(entry.label == spec.label for entry in self.offered) else (*self.offered, spec)
        return replace(self, offered=offered, ticked=self.ticked | {spec.label})

    def with_spec_edited(self, label: str, spec: Spec, *, another: bool) -> Choice:
        """Return the choice with an edited spec ticked.

        Args:
            label: Label of the spec that was edited.
            spec: The edited spec.
            another: Whether the old spec stays beside it.
        """
        offered = [entry for entry in self.offered if entry.label != spec.label or entry.label == label]
        index = next(number for number, entry in enumerate(offered) if entry.label == label)
        offered[index : index + 1] = [offered[index], spec] if another else [spec]
        ticked = self.ticked if another else self.ticked - {label}
        return replace(self, offered=tuple(dict.fromkeys(offered)), ticked=ticked | {spec.label})

    def with_spec_removed(self, label: str) -> Choice:
        """Return the choice without a spec; the last spec of a backend is replaced by the default.

        Raises:
            UsageError: If it is the default, which is always on offer.
        """
        removed = next(spec for spec in self.offered if spec.label == label)
        if label == removed.backend:
            raise UsageError(f"'{label}' is always on offer. Clear it with space to leave it out.")
        default = [spec for spec in available_specs() if spec.backend == removed.backend]
        others = [spec for spec in self.offered if spec.backend == removed.backend and spec != removed]
        instead = [] if others else default
        index = self.offered.index(removed)
        offered = (*self.offered[:index], *instead, *self.offered[index + 1 :])
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

    def with_fewer_images(self) -> Choice:
        """Return the choice without its largest cutoff; of a single one, with a tenth of it."""
        if not self.cutoffs or self.cutoffs == {1}:
            return self
        most = max(self.cutoffs)
        if len(self.cutoffs) > 1:
            return replace(self, cutoffs=self.cutoffs - {most})
        tenth = max(1, most // 10)
        return replace(self, cutoffs_offered=tuple(sorted({*self.cutoffs_offered, tenth})), cutoffs=frozenset({tenth}))

    def with_longer_budget(self, expected: Estimate | None) -> Choice:
        """Return the choice with the next longer time budget, or with one that an answer is expected to fit into.

        Args:
            expected: The estimate of the choice as it is; None if unknown.
        """
        before = self.rest.budget_s
        if before is None:
            return self
        least = before
        if expected is not None and expected.answers is False and expected.answer_s is not None:
            least = max(before, _MARGIN * (expected.answer_s - expected.preparing_s))
        longer = next((step for step in _BUDGETS_S if step > before and step >= least), None)
        problems = tuple(entry for entry in self.problems if entry[0] != "budget")
        return replace(self.with_rest(budget_s=longer), problems=problems)

    def with_operation_toggled(self, operation: Operation) -> Choice:
        """Return the choice with an operation ticked or not."""
        return replace(self, operations=self.operations ^ {operation})

    def with_all_operations(self, on: bool) -> Choice:
        """Return the choice with every operation ticked, or none."""
        return replace(self, operations=frozenset(Operation) if on else frozenset())

    def with_rest(self, **changes: Any) -> Choice:
        """Return the choice with some fields of ``rest`` changed."""
        return replace(self, rest=replace(self.rest, **changes))

    def with_datasets(self, texts: tuple[str, ...]) -> Choice:
        """Return the choice with other, valid data."""
        problems = tuple(entry for entry in self.problems if entry[0] != "dataset")
        return replace(self._with_data(texts), problems=problems)

    def _with_data(self, texts: tuple[str, ...]) -> Choice:
        """Return the choice with other data; the plan of a use has other methods for pictures that are files."""
        plan = self.plan
        changed = changed_plan(plan, datasets=texts) if plan.name in USE_PLAN_NAMES else plan
        if changed.specs == plan.specs:
            return self.with_rest(datasets=texts)
        return replace(Choice.of(changed), problems=self.problems)

    def with_conditions(self, changes: Mapping[str, Any]) -> Choice:
        """Return the choice under other, valid conditions."""
        problems = tuple(entry for entry in self.problems if entry[0] not in ("rounds", "budget"))
        return replace(self.with_rest(**changes), problems=problems)

    def with_field(self, name: str, text: str) -> Choice:
        """Return the choice with the text of a field: ``dataset``, ``rounds`` or ``budget``.

        An invalid text leaves the choice as it was and is kept as a problem of the field.
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
                    if not _exists(root):
                        raise UsageError(f"There is no '{root}'.")
                return self._with_data((text, *self.rest.datasets[1:]))
            case "rounds":
                # Python refuses to convert very long numbers.
                if not text.isdecimal() or len(text) > _MAX_DIGITS or int(text) < 1:
                    raise UsageError(f"Rounds are a whole number, 1 or more, not '{text}'.")
                return self.with_rest(rounds=int(text))
            case "budget":
                return self.with_rest(budget_s=None if text in ("", "none") else parse_duration(text))
        raise ValueError(f"no field '{name}'")


NO_CHOICE = Choice(Plan(), Plan(), (), frozenset())
"""Nothing ticked, nothing on offer."""


def _exists(root: Path) -> bool:
    try:
        return root.exists()
    except OSError as error:  # too long for a path, or in a folder that cannot be read
        raise UsageError(f"'{root}' cannot be reached: {error.strerror}.") from None


def dataset_text(text: str) -> str:
    """Return a dataset as the plan spells it: a bare path is a folder of pictures."""
    if not text.startswith(("/", "~", ".")):
        return text
    return f'folder:"{text}"' if "," in text else f"folder:{text}"


def available_specs() -> tuple[Spec, ...]:
    """Return every backend that can be used on this machine, with its defaults."""
    specs = []
    for backend in registry.sorted_backends():
        try:
            specs.append(registry.resolve_spec(backend.name))
        except ImgstoreError:
            # Its driver or that of its codec is missing: the list shows it as unavailable.
            continue
    return tuple(specs)


def first_plan() -> Plan:
    """Return the first plan: ``quick``, without what is not available here."""
    try:
        return named_plan("quick")
    except ImgstoreError:
        return Plan(specs=tuple(spec for spec in available_specs() if spec.backend in QUICK_SPECS), name="quick")


class PlanCycle:
    """Steps through the program's own plans, then the saved ones; skips one that failed the last time."""

    def __init__(self) -> None:
        self._tried = ""

    def after(self, name: str) -> Plan:
        """Return the plan after the one of a name, or after the one that could not be loaded.

        Raises:
            ImgstoreError: If that plan cannot be loaded; the next call tries the one after it.
        """
        names = [*PLAN_NAMES, *saved_plans()]
        last = self._tried or name
        index = names.index(last) if last in names else -1
        self._tried = names[(index + 1) % len(names)]
        plan = plan_by_name(self._tried)
        self._tried = ""
        return plan
