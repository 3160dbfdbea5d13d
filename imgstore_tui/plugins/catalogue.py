"""Finds the plug-ins of one kind by name, built-in and third-party, and tells which of them are available.

A plug-in is a module of a package here or an entry point of its group; it is one class that fulfils its contract in
``core``. No driver is imported to find out whether it is installed.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import importlib.util
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeGuard, TypeVar

from imgstore_tui.core.errors import UnavailableError, unknown_name
from imgstore_tui.core.install_hint import install_command
from imgstore_tui.core.options import OptionValue


class Pluggable(Protocol):
    """What the class of every kind of plug-in declares."""

    name: ClassVar[str]
    requires: ClassVar[tuple[str, ...]]
    """Import names of libraries; the plug-in is available if all exist."""
    extra: ClassVar[str | None]
    """Name of the extra of its distribution that installs them; None if there is none."""


Plugin = TypeVar("Plugin", bound=Pluggable)


@dataclass(frozen=True, slots=True)
class FailedPlugin:
    """A plug-in that could not be loaded, and why."""

    name: str
    reason: str


class Catalogue(Generic[Plugin]):
    """All plug-ins of one kind, discovered once."""

    def __init__(
        self,
        kind: str,
        package: str,
        contract: Any,
        group: str | None = None,
        adapt: Callable[[type], type] = lambda member: member,
    ) -> None:
        """Define a catalogue; plug-ins are discovered on first use.

        Args:
            kind: What a plug-in is called, for messages.
            package: The package whose modules are the built-in plug-ins.
            contract: The base class of all plug-ins.
            group: Group of entry points of third-party plug-ins; None for the name of the package.
            adapt: Turns a class that fulfils an older contract into one that fulfils the present one.
        """
        self.kind = kind
        self._package = package
        self._contract = contract
        self._group = group or package
        self._adapt = adapt

    @functools.cached_property
    def _plugins(self) -> tuple[dict[str, type[Plugin]], tuple[FailedPlugin, ...]]:
        classes: dict[str, type[Plugin]] = {}
        failed: list[FailedPlugin] = []
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
            except Exception as error:  # a third-party package must not stop the program
                failed.append(FailedPlugin(point.name, f"{type(error).__name__}: {error}"))
        return classes, tuple(failed)

    def _is_plugin(self, member: Any) -> TypeGuard[type[Plugin]]:
        return (
            isinstance(member, type)
            and issubclass(member, self._contract)
            and not inspect.isabstract(member)
            and isinstance(getattr(member, "name", None), str)
        )

    def all(self) -> dict[str, type[Plugin]]:
        """Return every plug-in by name, available or not."""
        return dict(self._plugins[0])

    def failed(self) -> tuple[FailedPlugin, ...]:
        """Return the third-party plug-ins that could not be loaded."""
        return self._plugins[1]

    def get(self, name: str) -> type[Plugin]:
        """Return the plug-in called ``name``, available or not.

        Raises:
            UsageError: If there is none; the message names the most similar one.
            UnavailableError: If it is third-party and cannot be loaded.
        """
        classes = self._plugins[0]
        if name not in classes:
            for entry in self._plugins[1]:
                if entry.name == name:
                    raise UnavailableError(f"The {self.kind} '{name}' could not be loaded: {entry.reason}.")
            raise unknown_name(self.kind, name, classes)
        return classes[name]


def missing_imports(plugin: type[Pluggable], values: Mapping[str, OptionValue] | None = None) -> tuple[str, ...]:
    """Return the import names that a plug-in requires and that are not installed.

    Args:
        plugin: The plug-in.
        values: Its options, of which one may do without a library; None for the defaults.
    """
    imports_for: Callable[[Mapping[str, OptionValue]], tuple[str, ...]] | None = getattr(plugin, "imports_for", None)
    names = plugin.requires if imports_for is None else imports_for(values or {})
    return tuple(name for name in names if not _is_here(name))


def _is_here(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def how_to_get(plugin: type[Pluggable]) -> str:
    """Return the command that makes a plug-in available."""
    return install_command(plugin.__module__.partition(".")[0], plugin.extra, plugin.requires)


def missing_requirement(plugin: type[Pluggable], values: Mapping[str, OptionValue] | None = None) -> str:
    """Return why a plug-in cannot be used, and what helps; empty if it can.

    The text follows the name of the plug-in: ``'qoi'`` ``needs qoi, not installed. Run: python -m pip install qoi``.
    """
    if requirement := _missing_library(plugin, values):
        return requirement
    setting = missing_setting(plugin)
    return f"needs a server: {setting}" if setting else ""


def missing_setting(plugin: type[Pluggable]) -> str:
    """Return which setting a plug-in needs before it can be used, for the user; empty if none is missing."""
    check: Callable[[], str] | None = getattr(plugin, "missing_setting", None)
    return "" if check is None else check()


def way_to_use(plugin: type[Pluggable]) -> str:
    """Return the command or the setting that makes a plug-in available; empty if it is available."""
    return how_to_get(plugin) if missing_imports(plugin) else missing_setting(plugin)


def _missing_library(plugin: type[Pluggable], values: Mapping[str, OptionValue] | None = None) -> str:
    absent = missing_imports(plugin, values)
    return f"needs {', '.join(absent)}, not installed. Run: {how_to_get(plugin)}" if absent else ""


def check_installed(plugin: type[Pluggable], values: Mapping[str, OptionValue] | None = None) -> None:
    """Raise UnavailableError, with what helps, if a library of a plug-in is missing; settings are not checked."""
    if requirement := _missing_library(plugin, values):
        raise UnavailableError(f"'{plugin.name}' {requirement}")


def check_available(plugin: type[Pluggable], values: Mapping[str, OptionValue] | None = None) -> None:
    """Raise UnavailableError, with what helps, if a plug-in cannot be used here with these options."""
    if requirement := missing_requirement(plugin, values):
        raise UnavailableError(f"'{plugin.name}' {requirement}")
