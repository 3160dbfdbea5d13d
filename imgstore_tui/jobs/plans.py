"""Saves and loads the user's plans by name: files as ``run --plan FILE`` reads them, in the program's folder."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from imgstore_tui.bench.plan.plans import PLAN_NAMES, dump_plan, is_utf8, load_plan, name_after_change, named_plan
from imgstore_tui.bench.system.app_folders import make_private, plans_folder
from imgstore_tui.core.errors import ImgstoreError, UnavailableError, UsageError, unknown_name
from imgstore_tui.core.model import Plan
from imgstore_tui.core.paths import absolute_path, expand_path
from imgstore_tui.core.spec import parse_dataset_text, spell_dataset
from imgstore_tui.storekit.atomic_write import write_atomic

SUFFIX = ".toml"
_NAME = re.compile(r"[^\W_][\w -]{0,38}[\w-]|[^\W_]")


def saved_plans() -> dict[str, Path]:
    """Return the files of saved plans by name, in alphabetical order; files whose names are not valid are ignored."""
    try:
        paths = sorted(plans_folder().glob(f"*{SUFFIX}"))
    except OSError:
        return {}
    return {path.stem: path for path in paths if _NAME.fullmatch(path.stem) and path.stem not in PLAN_NAMES}


def plan_by_name(name: str) -> Plan:
    """Return a plan by its name: ``quick``, ``article``, ``full`` or a saved one.

    Raises:
        UsageError: If there is no such plan, or its file is broken; the error names the file.
        UnavailableError: If the plan needs something that is not installed.
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
    """Save a plan under a name.

    Args:
        plan: The plan.
        name: Its name.
        overwrite: Whether an existing plan of that name may be replaced.

    Returns:
        The file, written atomically.

    Raises:
        UsageError: If the name is not valid, or is taken and may not be replaced.
        UnavailableError: If the file system refuses.
    """
    path = plan_path(name)
    if not is_utf8(plan):
        raise UsageError("A plan file cannot spell a path that is not UTF-8. Make a link to it, and choose that.")
    try:
        make_private(path.parent)
    except OSError as error:
        raise UnavailableError(f"Plans cannot be saved in {path.parent}: {error.strerror}.") from None
    write_atomic(path, dump_plan(replace(with_absolute_paths(plan), name=name)).encode(), overwrite=overwrite)
    return path


def plan_path(name: str) -> Path:
    """Return the file of the plan of a name; it need not exist.

    Raises:
        UsageError: If the name is not valid.
    """
    if name in PLAN_NAMES:
        raise UsageError(f"'{name}' is a plan of the program's own. Choose another name.")
    if not _NAME.fullmatch(name):
        raise UsageError("A plan's name has up to 40 letters, digits, spaces, - and _; the first is a letter or digit.")
    return plans_folder() / f"{name}{SUFFIX}"


def name_if_unchanged(plan: Plan) -> str:
    """Return the name of a plan if it still equals the plan of that name, else ``custom``."""
    try:
        return name_after_change(plan_by_name(plan.name), plan)
    except ImgstoreError:
        return "custom"


def with_absolute_paths(plan: Plan) -> Plan:
    """Return a plan with absolute paths, so that it means the same from every folder."""
    scratch = None if plan.scratch is None else _absolute(plan.scratch)
    return replace(plan, datasets=tuple(_with_absolute_path(text) for text in plan.datasets), scratch=scratch)


def _with_absolute_path(text: str) -> str:
    try:
        dataset = parse_dataset_text(text)
        if dataset.path is None or _absolute(dataset.path) == dataset.path:
            return text
        return spell_dataset(replace(dataset, path=_absolute(dataset.path)))
    except UsageError:
        # An invalid dataset is reported when the plan is used.
        return text


def _absolute(text: str) -> str:
    path = expand_path(text)
    return text if path.is_absolute() else str(absolute_path(path))
