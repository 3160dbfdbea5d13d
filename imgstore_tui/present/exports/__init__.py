"""One file an export format, found by name: ours in this package, others' by the entry points ``imgstore_tui.exports``.

``imgstore_tui.registry`` does the same for backends, but lies below the exporters and cannot know them.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import importlib.util
import inspect
import pkgutil

from imgstore_tui.core.errors import UnavailableError, unknown_name
from imgstore_tui.core.exporter import Exporter
from imgstore_tui.core.installing import install_command

__all__ = ["ENTRY_POINTS", "Exporter", "all_exporters", "broken", "get", "how_to_get", "missing", "names"]

ENTRY_POINTS = "imgstore_tui.exports"


@functools.cache
def _found() -> tuple[dict[str, type[Exporter]], dict[str, str]]:
    classes: dict[str, type[Exporter]] = {}
    failed: dict[str, str] = {}
    for module in pkgutil.iter_modules(__path__):
        loaded = importlib.import_module(f"{__name__}.{module.name}")
        for _, member in inspect.getmembers(loaded, _is_exporter):
            if member.__module__ == loaded.__name__:
                classes[member.name] = member
    for point in importlib.metadata.entry_points(group=ENTRY_POINTS):
        try:
            member = point.load()
            if not _is_exporter(member):
                raise TypeError(f"{point.value} is not an exporter")
            if member.name in classes:
                raise ValueError(f"the name '{member.name}' is taken")
            classes[member.name] = member
        except Exception as error:  # a third party's package must not take the program down
            failed[point.name] = f"{type(error).__name__}: {error}"
    return dict(sorted(classes.items())), failed


def _is_exporter(member: object) -> bool:
    return (
        isinstance(member, type)
        and issubclass(member, Exporter)
        and not inspect.isabstract(member)
        and isinstance(getattr(member, "name", None), str)
    )


def all_exporters() -> dict[str, type[Exporter]]:
    """Return every exporter by name, available or not."""
    return dict(_found()[0])


def broken() -> dict[str, str]:
    """Return the exporters offered by other packages that could not be loaded, and why."""
    return dict(_found()[1])


def names() -> tuple[str, ...]:
    """Return the names of all exporters."""
    return tuple(_found()[0])


def missing(exporter: type[Exporter]) -> tuple[str, ...]:
    """Return the import names that ``exporter`` requires and this Python does not have."""
    return tuple(name for name in exporter.requires if importlib.util.find_spec(name) is None)


def how_to_get(exporter: type[Exporter]) -> str:
    """Return the command that makes ``exporter`` available."""
    return install_command(exporter.__module__.partition(".")[0], exporter.extra, exporter.requires)


def get(name: str) -> Exporter:
    """Return the exporter called ``name``, ready to be used.

    Raises:
        UsageError: If there is none; the nearest right name is given.
        UnavailableError: If a library is missing (with the command that installs it).
    """
    classes, failed = _found()
    if name in failed:
        raise UnavailableError(f"The export format '{name}' could not be loaded: {failed[name]}.")
    if name not in classes:
        raise unknown_name("export format", name, classes)
    absent = missing(classes[name])
    if absent:
        raise UnavailableError(f"'{name}' needs {', '.join(absent)}, not installed. Run: {how_to_get(classes[name])}")
    return classes[name]()
