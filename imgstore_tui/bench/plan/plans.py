"""Defines the named plans, reads and writes plan files (TOML), and checks that a plan can be run."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from imgstore_tui.bench.plan.client_grid import check_clients
from imgstore_tui.bench.plan.grid import plan_cells
from imgstore_tui.bench.plan.use_plans import USE_PLAN_NAMES, use_plan, use_specs
from imgstore_tui.core.errors import ImgstoreError, UnavailableError, UsageError, unknown_name
from imgstore_tui.core.json_values import LARGEST_NUMBER, from_json, to_json
from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import SYNC_LEVELS, Operation, Payload, SyncLevel
from imgstore_tui.core.spec import Spec
from imgstore_tui.core.text import escaped_text
from imgstore_tui.core.units import parse_duration
from imgstore_tui.plugins import registry

QUICK_SPECS = ("disk", "lmdb", "hdf5")
MOST_WORKERS = 64
MOST_ROUNDS = 10_000
LARGEST_FILE = 1 << 20
"""Largest size of a plan file, bytes; a device may be endless."""
PLAN_VERSION = 2
"""Version of the plan ``quick``, whose fields fill in what a plan file of this version leaves out. Version 1 is a
``Plan`` without changes: five operations at 1 to 1,000 images, six rounds without looks."""
PLAN_NAMES = ("quick", "article", "full", "systems", *USE_PLAN_NAMES)

SYSTEMS = ("disk", "lmdb", "hdf5", "tfrecord", "mysql", "postgres", "mongodb", "cassandra", "s3", "gcs", "azure")
"""The systems that the article names, by their backends, in its order."""

ARTICLE_DATA = "synthetic"
"""Replaces CIFAR-10 until the user names its folder."""
LARGER_IMAGES = ("synthetic,size=256,upto=1000", "synthetic,size=512,upto=100")
"""For what the article claims about larger images without measuring it. No store of them holds more pixels than
100,000 of its own images."""
_CHANGEABLE = {
    **dict.fromkeys(USE_PLAN_NAMES, frozenset({"datasets", "cutoffs", "rounds", "budget_s", "scratch", "seed"})),
    "article": frozenset({"datasets", "cutoffs", "rounds", "budget_s", "scratch", "seed"}),
    "systems": frozenset({"datasets", "cutoffs", "rounds", "budget_s", "scratch", "seed", "sync", "operations"}),
}
"""Fields of these plans that may change without changing what their tables, figures and claims mean."""


def named_plan(name: str) -> Plan:
    """Return a plan of this program by its name, one of ``PLAN_NAMES``.

    Raises:
        UsageError: If no plan has that name.
    """
    if name == "quick":
        return Plan(
            specs=tuple(registry.resolve_spec(spec, require_available=False) for spec in QUICK_SPECS),
            cutoffs=(10, 100, 1000),
            operations=(Operation.WRITE_MANY, Operation.READ_MANY, Operation.READ_RANDOM),
            rounds=12,
            name=name,
            looks=True,
            ceilings=True,
            version=PLAN_VERSION,
        )
    if name == "full":
        return Plan(
            specs=tuple(
                registry.resolve_spec(backend.name)
                for backend in registry.sorted_backends()
                if not backend.capabilities.server and not registry.missing_imports(backend)
            ),
            cutoffs=(1, 10, 100, 1000, 10_000),
            operations=tuple(Operation),
            budget_s=None,
            ceilings=True,
            name=name,
        )
    if name == "article":
        return Plan(
            datasets=(ARTICLE_DATA, *LARGER_IMAGES),
            specs=tuple(registry.resolve_spec(f"{spec}:preset=article") for spec in QUICK_SPECS),
            cutoffs=(1, 10, 100, 1000, 10_000, 100_000),
            operations=(Operation.WRITE_ONE, Operation.WRITE_MANY, Operation.READ_ONE, Operation.READ_MANY),
            sync=(SyncLevel.BUFFERED, SyncLevel.END),
            budget_s=None,
            name=name,
            probes=True,
        )
    if name == "systems":
        return Plan(
            specs=tuple(registry.resolve_spec(backend) for backend in SYSTEMS if not _way_to_use(backend)),
            cutoffs=(1, 10, 100, 1000, 10_000, 100_000),
            operations=(
                Operation.WRITE_ONE, Operation.WRITE_MANY, Operation.READ_ONE, Operation.READ_MANY,
                Operation.READ_RANDOM,
            ),
            budget_s=None,
            name=name,
        )  # fmt: skip
    if name in USE_PLAN_NAMES:
        return use_plan(name, PLAN_VERSION)
    raise unknown_name("plan", name, PLAN_NAMES)


def missing_systems() -> dict[str, str]:
    """Return what the plan ``systems`` leaves out here, by backend, and the command or setting that would add it."""
    return {backend: way for backend in SYSTEMS if (way := _way_to_use(backend))}


def _way_to_use(backend: str) -> str:
    """Return what makes a backend available, empty where it is."""
    return registry.way_to_use(registry.backends.get(backend))


def changed_plan(plan: Plan, **changes: Any) -> Plan:
    """Return a plan with some fields changed, and named accordingly.

    A single dataset given to the plan ``article`` replaces CIFAR-10 beside the larger images; several are taken as they
    are.
    """
    if plan.name == "article" and len(changes.get("datasets", ())) == 1:
        changes["datasets"] = (*changes["datasets"], *LARGER_IMAGES)
    if "specs" not in changes and plan.name in USE_PLAN_NAMES and "datasets" in changes:
        changes["specs"] = _specs_for_data(plan, changes["datasets"])
    changed = replace(plan, **changes)
    return replace(changed, name=name_after_change(plan, changed))


def _specs_for_data(plan: Plan, datasets: Sequence[str]) -> tuple[Spec, ...]:
    """Return the methods of the plan of a use for other data; those of a plan whose methods were changed stay."""
    usual = {with_files: use_specs(plan.name, with_files=with_files) for with_files in (False, True)}
    return usual[_all_files(datasets)] if plan.specs in usual.values() else plan.specs


def _all_files(datasets: Sequence[str]) -> bool:
    """Return whether the images of all datasets are files of the user, stored as they are shown."""
    try:
        return all(registry.make_dataset(text).has_originals for text in datasets)
    except ImgstoreError:  # what is wrong with a dataset is said where it is scanned
        return False


def name_after_change(before: Plan, after: Plan) -> str:
    """Return the name of a plan after a change.

    A changed plan is ``custom``, except ``article`` and ``systems``, which stay the same experiment on other images
    and numbers of images.
    """
    if before.name in USE_PLAN_NAMES:
        before = replace(before, specs=_specs_for_data(before, after.datasets))
    changed = {name for name in Plan.__dataclass_fields__ if getattr(before, name) != getattr(after, name)}
    same_experiment = not changed or changed <= _CHANGEABLE.get(before.name, frozenset())
    return before.name if same_experiment else "custom"


def load_plan(path: Path) -> Plan:
    """Read a plan file (TOML, as ``dump_plan`` writes it); omitted fields are as in ``quick`` of the file's version.

    A file without ``version`` was written before there was a second one: what it leaves out is as in version 1.

    Raises:
        UsageError: If the file cannot be read, is not TOML, or has an unknown key or value; it is named.
    """
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_FILE + 1)
        if len(text) > LARGEST_FILE:
            raise UsageError("It is larger than any plan.")
        return parse_plan(text.decode("utf-8"))
    except OSError as error:
        raise UsageError(f"Plan file {path}: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"Plan file {path} is not TOML: {error}.") from None
    except UsageError as error:
        raise UsageError(f"Plan file {path}: {error}") from None


def parse_plan(text: str) -> Plan:
    """Read a plan from TOML, as ``load_plan`` does from a file.

    Raises:
        UsageError: If it is not TOML, or has an unknown key or value.
        UnavailableError: If it needs something that is not installed.
    """
    try:
        return _plan_from_values(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"It is not TOML: {error}.") from None
    except (TypeError, ValueError) as error:
        raise UsageError(f"{error}.") from None


def _plan_from_values(values: dict[str, Any]) -> Plan:
    names = set(Plan.__dataclass_fields__)
    for key, value in values.items():
        if key not in names:
            raise unknown_name("key", key, names)
        if key == "budget_s" and isinstance(value, str):
            values[key] = None if value == "none" else parse_duration(value)
    version = values.get("version", 1)
    if version not in (1, PLAN_VERSION):
        raise ValueError(f"version: this program knows plans of version 1 and {PLAN_VERSION}, not {version!r}")
    quick = named_plan("quick")
    base = to_json(quick if version == PLAN_VERSION else Plan(specs=quick.specs))
    merged = {**base, "name": "custom", **values}
    specs = merged.pop("specs")
    plan: Plan = from_json(Plan, {**merged, "specs": []})
    if "specs" not in values:
        return replace(plan, specs=quick.specs)
    if not isinstance(specs, list) or not all(isinstance(spec, str) for spec in specs):
        raise TypeError("specs: expected a list of texts such as 'lmdb+png'")
    return replace(plan, specs=tuple(registry.resolve_spec(spec) for spec in specs))


def dump_plan(plan: Plan) -> str:
    """Return the plan as TOML, specs by their labels; only a plan that ``is_utf8`` can be saved as a file."""
    lines = []
    for key, value in to_json(plan).items():
        if key == "specs":
            written: Any = [spec.label for spec in plan.specs]
        elif key == "budget_s" and value is None:
            written = "none"
        elif value is None:
            continue
        else:
            written = value
        # JSON texts, numbers and lists of them are also TOML, except for control characters that JSON leaves.
        lines.append(f"{key} = {escaped_text(json.dumps(written, ensure_ascii=False))}")
    return "\n".join(lines) + "\n"


def is_utf8(plan: Plan) -> bool:
    """Return whether a file can hold the plan: TOML is UTF-8, and a path need not be."""
    return not any("\ud800" <= letter <= "\udfff" for letter in "".join((*plan.datasets, plan.scratch or "")))


def check_plan(plan: Plan) -> None:
    """Check that a plan can be run.

    Raises:
        UsageError: If a list of the plan is empty or names one thing twice, or a number is out of range.
        UnsupportedError: If it needs what a backend or this version does not support.
    """
    for what, values in (
        ("dataset", plan.datasets), ("storage method", plan.specs), ("cutoff", plan.cutoffs),
        ("operation", plan.operations), ("cache state", plan.cache), ("sync level", plan.sync),
    ):  # fmt: skip
        if not values:
            raise UsageError(f"The plan has no {what}. Choose at least one.")
        if len(set(values)) != len(values):
            twice = next(value for value in values if list(values).count(value) > 1)
            raise UsageError(f"The plan names the {what} '{twice}' twice. Name it once.")
    if min(plan.cutoffs) < 1:
        raise UsageError(f"A cutoff must be 1 or more, not {min(plan.cutoffs)}.")
    if plan.rounds < 1:
        raise UsageError(f"A plan needs 1 round or more, not {plan.rounds}.")
    if plan.budget_s is not None and not 0 < plan.budget_s < math.inf:
        raise UsageError(f"A time budget must be a number of seconds above 0, not {plan.budget_s}. Or write none.")
    if plan.rounds > MOST_ROUNDS:
        raise UsageError(f"A plan takes at most {MOST_ROUNDS:,} rounds, not {plan.rounds:,}.")
    for name, number in (("seed", plan.seed), ("batch", plan.batch), ("cutoff", max(plan.cutoffs))):
        if abs(number) >= LARGEST_NUMBER:
            raise UsageError(f"The {name} has too many digits. Take a number below {LARGEST_NUMBER:,}.")
    if plan.batch < 1:
        raise UsageError(f"A batch needs 1 image or more, not {plan.batch}.")
    if not 1 <= plan.workers <= MOST_WORKERS:
        raise UsageError(f"A plan takes 1 to {MOST_WORKERS} workers, not {plan.workers}.")
    for sync in plan.sync:
        if sync not in SYNC_LEVELS:
            raise UsageError(f"The sync level '{sync}' cannot be asked for. Use buffered, end or batch.")
    check_clients(plan)
    if not plan_cells(plan):
        raise UsageError("The plan has nothing to do: the option upto of its datasets leaves no cutoff.")
    for spec in plan.specs:
        backend = registry.backends.get(spec.backend)
        registry.check_available(backend, dict(spec.options))
        registry.check_available(registry.codecs.get(spec.codec))
        if plan.payload is Payload.RAW and registry.codecs.get(spec.codec).from_file:
            raise UnavailableError(f"'{spec}' stores original files, which the payload 'raw' rules out.")
