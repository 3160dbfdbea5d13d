"""Plans that the user keeps under a name: files as ``run --plan FILE`` reads them, in the program's own folder."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from imgstore_tui.bench.plan.plans import PLAN_NAMES, can_be_spelled, dump_plan, load_plan, named_plan, true_name
from imgstore_tui.bench.results.journal import runs_folder
from imgstore_tui.core.errors import ImgstoreError, UnavailableError, UsageError, unknown_name
from imgstore_tui.core.model import Plan
from imgstore_tui.core.paths import absolute_path, expand_path
from imgstore_tui.core.spec import parse_dataset_text, spell_dataset
from imgstore_tui.storekit.atomic_write import write_atomic

SUFFIX = ".toml"
_NAME = re.compile(r"[^\W_][\w -]{0,38}[\w-]|[^\W_]")


def plans_folder() -> Path:
    """Return the folder of saved plans."""
    return runs_folder().parent / "plans"


def saved_plans() -> dict[str, Path]:
    """Return the files of saved plans by their names, in alphabetical order; what no plan can be called is no plan."""
    try:
        found = sorted(plans_folder().glob(f"*{SUFFIX}"))
    except OSError:
        return {}
    return {path.stem: path for path in found if _NAME.fullmatch(path.stem) and path.stem not in PLAN_NAMES}


def plan_by_name(name: str) -> Plan:
    """Return a plan by its name: ``quick``, ``article``, ``full`` or a saved one.

    Raises:
        UsageError: If there is none of that name, or its file is broken; the file is named.
        UnavailableError: If it asks for what is not installed here.
    """
    if name in PLAN_NAMES:
        return named_plan(name)
    saved = saved_plans()
    if name not in saved:
        raise unknown_name("plan", name, [*PLAN_NAMES, *saved])
    try:
        return replace(load_plan(saved[name]), name=name)
    except UnavailableError as error:
        raise UnavailableError(f"Plan file {saved[name]}: {error}") from None


def save_plan(plan: Plan, name: str, *, overwrite: bool = False) -> Path:
    """Keep a plan under a name.

    Returns:
        The file written, whole.

    Raises:
        UsageError: If nothing can be called so, or something is and may not be replaced.
        UnavailableError: If the file system refuses.
    """
    path = plan_path(name)
    if not can_be_spelled(plan):
        raise UsageError("A plan file cannot spell a path that is not UTF-8. Make a link to it, and choose that.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnavailableError(f"Plans cannot be saved in {path.parent}: {error.strerror}.") from None
    write_atomic(path, dump_plan(replace(with_absolute_paths(plan), name=name)).encode(), overwrite=overwrite)
    return path


def plan_path(name: str) -> Path:
    """Return the file of the plan of a name, whether it is there or not.

    Raises:
        UsageError: If no plan can be called so.
    """
    if name in PLAN_NAMES:
        raise UsageError(f"'{name}' is a plan of the program's own. Choose another name.")
    if not _NAME.fullmatch(name):
        raise UsageError("A plan's name has up to 40 letters, digits, spaces, - and _; the first is a letter or digit.")
    return plans_folder() / f"{name}{SUFFIX}"


def name_if_unchanged(plan: Plan) -> str:
    """Return the name that a plan goes by, if the plan of that name is what it was; ``custom`` if not."""
    try:
        return true_name(plan_by_name(plan.name), plan)
    except ImgstoreError:
        return "custom"


def with_absolute_paths(plan: Plan) -> Plan:
    """Return a plan whose paths mean the same wherever it is run."""
    scratch = None if plan.scratch is None else _absolute(plan.scratch)
    return replace(plan, datasets=tuple(_settled_data(text) for text in plan.datasets), scratch=scratch)


def _settled_data(text: str) -> str:
    try:
        words = parse_dataset_text(text)
        if words.path is None or _absolute(words.path) == words.path:
            return text
        return spell_dataset(replace(words, path=_absolute(words.path)))
    except UsageError:
        # What is no dataset is said when it is to be used.
        return text


def _absolute(path: str) -> str:
    known = expand_path(path)
    return path if known.is_absolute() else str(absolute_path(known))
