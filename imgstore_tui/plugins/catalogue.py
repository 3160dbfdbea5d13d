"""Finds the plug-ins of one kind by name, ours and third parties' alike, and says which of them can be used here.

A plug-in is one module of a package of ours or one entry point of its group; either way it is one class that declares
what its contract in ``core`` asks for. No driver is imported to find out whether it is there.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import importlib.util
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeGuard, TypeVar

from imgstore_tui.core.errors import UnavailableError, unknown_name
from imgstore_tui.core.install_hint import install_command


class Pluggable(Protocol):
    """What a class declares of itself whatever it plugs in as."""

    name: ClassVar[str]
    requires: ClassVar[tuple[str, ...]]
    """Import names of libraries; all must be found for it to be available."""
    extra: ClassVar[str | None]
    """Name of the extra of its distribution that installs them; None where there is none."""


Plugin = TypeVar("Plugin", bound=Pluggable)


@dataclass(frozen=True, slots=True)
class FailedPlugin:
    """A plug-in that could not be loaded, and why."""

    name: str
    reason: str


class Catalogue(Generic[Plugin]):
    """All plug-ins of one kind, found once."""

    def __init__(
        self,
        kind: str,
        package: str,
        contract: Any,
        group: str | None = None,
        adapt: Callable[[type], type] = lambda member: member,
    ) -> None:
        """Make a catalogue; nothing is looked for before it is asked.

        Args:
            kind: What its plug-ins are, for sentences.
            package: The package whose modules have ours.
            contract: The class that all of them inherit.
            group: Entry points that offer others' plug-ins; None for a group called like the package.
            adapt: Makes of another's class one that fulfils the contract as it is today.
        """
        self.kind = kind
        self._package = package
        self._contract = contract
        self._group = group or package
        self._adapt = adapt

    @functools.cached_property
    def _found(self) -> tuple[dict[str, type[Plugin]], tuple[FailedPlugin, ...]]:
        classes: dict[str, type[Plugin]] = {}
        broken: list[FailedPlugin] = []
        package = importlib.import_module(self._package)
        for module in pkgutil.iter_modules(package.__path__):
            loaded = importlib.import_module(f"{self._package}.{module.name}")
            for _, member in inspect.getmembers(loaded, inspect.isclass):
                if self._is_plugin(member) and member.__module__ == loaded.__name__:
                    classes[member.name] = member
        for point in importlib.metadata.entry_points(group=self._group):
            try:
                member = point.load()
                if isinstance(member, type):
                    member = self._adapt(member)
                if not self._is_plugin(member):
                    raise TypeError(f"{point.value} is not a {self.kind}")
                if member.name in classes:
                    raise ValueError(f"the name '{member.name}' is taken")
                classes[member.name] = member
            except Exception as error:  # a third party's package must not take the program down
                broken.append(FailedPlugin(point.name, f"{type(error).__name__}: {error}"))
        return classes, tuple(broken)

    def _is_plugin(self, member: Any) -> TypeGuard[type[Plugin]]:
        return (
            isinstance(member, type)
            and issubclass(member, self._contract)
            and not inspect.isabstract(member)
            and isinstance(getattr(member, "name", None), str)
        )

    def all(self) -> dict[str, type[Plugin]]:
        """Return every plug-in by name, available or not."""
        return dict(self._found[0])

    def failed(self) -> tuple[FailedPlugin, ...]:
        """Return the plug-ins offered by other packages that could not be loaded."""
        return self._found[1]

    def get(self, name: str) -> type[Plugin]:
        """Return the plug-in called ``name``, available or not.

        Raises:
            UsageError: If there is none; the nearest right name is given.
            UnavailableError: If another package offers it and it cannot be loaded.
        """
        classes = self._found[0]
        if name not in classes:
            for entry in self._found[1]:
                if entry.name == name:
                    raise UnavailableError(f"The {self.kind} '{name}' could not be loaded: {entry.reason}.")
            raise unknown_name(self.kind, name, classes)
        return classes[name]


def missing_imports(plugin: type[Pluggable]) -> tuple[str, ...]:
    """Return the import names that a plug-in requires and this Python does not have."""
    return tuple(name for name in plugin.requires if not _is_here(name))


def _is_here(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def how_to_get(plugin: type[Pluggable]) -> str:
    """Return the command that makes a plug-in available."""
    return install_command(plugin.__module__.partition(".")[0], plugin.extra, plugin.requires)


def missing_requirement(plugin: type[Pluggable]) -> str:
    """Return what keeps a plug-in from being used, and what helps; empty where nothing does.

    Whoever tells it says first who needs it: ``'qoi'`` ``needs qoi, not installed. Run: python -m pip install qoi``.
    """
    if lack := _missing_library(plugin):
        return lack
    setting = missing_setting(plugin)
    return f"needs a server: {setting}" if setting else ""


def missing_setting(plugin: type[Pluggable]) -> str:
    """Return what else must be set before a plug-in can be used, in words for the user; empty where nothing must."""
    ask: Callable[[], str] | None = getattr(plugin, "missing_setting", None)
    return "" if ask is None else ask()


def way_to_use(plugin: type[Pluggable]) -> str:
    """Return the command or the setting that makes a plug-in available; empty where it is."""
    return how_to_get(plugin) if missing_imports(plugin) else missing_setting(plugin)


def _missing_library(plugin: type[Pluggable]) -> str:
    absent = missing_imports(plugin)
    return f"needs {', '.join(absent)}, not installed. Run: {how_to_get(plugin)}" if absent else ""


def check_installed(plugin: type[Pluggable]) -> None:
    """Raise UnavailableError, with what helps, if a library of a plug-in is missing; what it needs beside is left."""
    if lack := _missing_library(plugin):
        raise UnavailableError(f"'{plugin.name}' {lack}")


def check_available(plugin: type[Pluggable]) -> None:
    """Raise UnavailableError, with what helps, if a plug-in cannot be used here."""
    if lack := missing_requirement(plugin):
        raise UnavailableError(f"'{plugin.name}' {lack}")
