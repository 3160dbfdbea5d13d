"""Names every private part of Textual and textual-serve that is in use, and looks for it in the installed versions.

A release that renames one of them fails here, with the name, and not somewhere in a screen. The names in use are found
in our source, so that the list below cannot fall behind: attributes with a leading underscore that are not our own,
attributes and methods of our classes that their foreign bases have, too, and names replaced in foreign modules.
"""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.metadata
import importlib.util
import inspect
import pkgutil
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import imgstore_tui.cli
import imgstore_tui.tui

SERVE = "textual_serve"
FOREIGN = ("textual", SERVE, "rich", "plotext")
METHOD, COROUTINE, ATTRIBUTE, REPLACED = "method", "coroutine", "attribute", "replaced in the module"

PRIVATE = {
    ("textual.app:App", "_exit_renderables"): ATTRIBUTE,
    ("textual.app:App", "_fatal_error"): METHOD,
    ("textual.app:App", "_print_error_renderables"): METHOD,
    ("textual.command:CommandPalette", "_action_command_list"): METHOD,
    ("textual.driver:Driver", "_app"): ATTRIBUTE,
    ("textual.driver:Driver", "_loop"): ATTRIBUTE,
    ("textual.drivers.linux_driver", "WriterThread"): REPLACED,
    ("textual.drivers.linux_driver", "getincrementaldecoder"): REPLACED,
    ("textual.drivers.linux_driver:LinuxDriver", "_writer_thread"): ATTRIBUTE,
    ("textual.drivers.web_driver:WebDriver", "_enable_bracketed_paste"): METHOD,
    ("textual.drivers.web_driver:WebDriver", "_enable_mouse_support"): METHOD,
    ("textual.drivers.web_driver:WebDriver", "_key_thread"): ATTRIBUTE,
    ("textual.drivers.web_driver:WebDriver", "_request_terminal_sync_mode_support"): METHOD,
    ("textual.drivers.web_driver:WebDriver", "_size"): ATTRIBUTE,
    ("textual.drivers.web_driver:WebDriver", "_write"): ATTRIBUTE,
    ("textual.message_pump:MessagePump", "_close_messages_no_wait"): METHOD,
    ("textual.message_pump:MessagePump", "_post_message"): COROUTINE,
    ("textual.timer:Timer", "_skip"): ATTRIBUTE,
    ("textual_serve.app_service:AppService", "_build_environment"): METHOD,
    ("textual_serve.app_service:AppService", "_download_manager"): ATTRIBUTE,
    ("textual_serve.app_service:AppService", "_open_app_process"): COROUTINE,
    ("textual_serve.app_service:AppService", "_process"): ATTRIBUTE,
    ("textual_serve.app_service:AppService", "_stdin"): ATTRIBUTE,
    ("textual_serve.app_service:AppService", "_task"): ATTRIBUTE,
}
"""What each name must be, by the class or module that has it. Private parts of other libraries are not in use."""
PACKED = ("css/xterm.css", "js/textual.js", "fonts/RobotoMono-VariableFont_wght.ttf")
"""Files of textual-serve that our own page loads."""

needs_serve = pytest.mark.skipif(
    importlib.util.find_spec(SERVE) is None, reason="textual-serve is not installed (extra web)"
)


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def our_modules() -> list[ModuleType]:
    """Return every module of ours that meets Textual or textual-serve."""
    packages = [imgstore_tui.tui]
    if importlib.util.find_spec(SERVE) is not None:
        packages.append(imgstore_tui.cli)
    names = [entry for package in packages for entry in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    return [module for module in (importlib.import_module(entry.name) for entry in names) if meets_them(module)]


def meets_them(module: ModuleType) -> bool:
    """Whether a module belongs to the screen, or imports Textual or textual-serve."""
    if module.__name__.startswith("imgstore_tui.tui."):
        return True
    imports = [node for node in ast.walk(tree_of(module)) if isinstance(node, ast.ImportFrom)]
    return any((node.module or "").partition(".")[0] in ("textual", SERVE) for node in imports)


@functools.cache
def tree_of(thing: Any) -> ast.Module:
    return ast.parse(textwrap.dedent(inspect.getsource(thing)))


@functools.cache
def names_of(kind: type) -> frozenset[str]:
    """Return what a class itself has: what is written in its body, and what its methods set on ``self``."""
    stored = {
        node.attr
        for node in ast.walk(tree_of(kind))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        if isinstance(node.value, ast.Name) and node.value.id == "self"
    }
    return frozenset(stored | set(vars(kind)) | set(inspect.get_annotations(kind)))


def owner_of(kind: type, name: str) -> str | None:
    """Return the foreign class from which a class has a name, as it is written in PRIVATE; None if from none."""
    for base in kind.__mro__:
        if base.__module__.partition(".")[0] in FOREIGN and name in names_of(base):
            return f"{base.__module__}:{base.__qualname__}"
    return None


def private_names_in(node: ast.AST) -> set[str]:
    """Return the private names that are read, set or defined as members in a piece of source."""
    names = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute):
            names.add(part.attr)
        elif isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(part.name)
        elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            names.add(part.id)
    return {name for name in names if is_private(name)}


def classes_in(module: ModuleType) -> list[type]:
    """Return the classes that a module defines, those within others included."""
    names, todo = [], list(vars(module).values())
    while todo:
        kind = todo.pop()
        if inspect.isclass(kind) and kind.__module__ == module.__name__ and kind not in names:
            names.append(kind)
            todo += vars(kind).values()
    return names


def names_by_inheritance() -> set[tuple[str, str]]:
    """Return private names of foreign bases that our classes use, replace or happen to share."""
    return {
        (owner, name)
        for module in our_modules()
        for kind in classes_in(module)
        for name in private_names_in(tree_of(kind))
        if (owner := owner_of(kind, name)) is not None
    }


def names_not_ours() -> set[str]:
    """Return private attributes that nothing in our modules defines or sets on ``self``."""
    used: set[str] = set()
    ours: set[str] = set()
    for module in our_modules():
        for node in ast.walk(tree_of(module)):
            if isinstance(node, ast.Attribute) and is_private(node.attr):
                on_self = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
                (ours if on_self and isinstance(node.ctx, ast.Store) else used).add(node.attr)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                ours.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                ours.add(node.id)
    return used - ours


def names_replaced() -> set[str]:
    """Return what is written into the names of another module: ``vars(module)["name"] = ...``."""
    return {
        node.slice.value
        for module in our_modules()
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)
        if isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") == "vars"
        if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str)
    }


@needs_serve
def test_every_private_name_in_use_is_listed() -> None:
    by_inheritance = names_by_inheritance()
    assert by_inheritance - set(PRIVATE) == set()
    assert names_not_ours() - {name for _, name in PRIVATE} == set()
    assert names_replaced() == {name for (_, name), kind in PRIVATE.items() if kind == REPLACED}


@needs_serve
def test_every_listed_name_is_in_use() -> None:
    used = {name for _, name in names_by_inheritance()} | names_not_ours() | names_replaced()
    used |= {name for module in our_modules() for node in ast.walk(tree_of(module)) for name in stored_elsewhere(node)}
    assert {name for _, name in PRIVATE} - used == set()


def stored_elsewhere(node: ast.AST) -> list[str]:
    """Return the private attribute of something else than ``self`` that is set here, if one is."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_private(node.attr):
        return [] if isinstance(node.value, ast.Name) and node.value.id == "self" else [node.attr]
    return []


def test_imports_of_private_modules_and_names_are_none() -> None:
    for module in our_modules():
        for node in ast.walk(tree_of(module)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in FOREIGN:
                parts = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
                assert [part for part in parts if is_private(part)] == [], module.__name__


@pytest.mark.parametrize(("place", "name"), PRIVATE, ids=lambda value: value)
def test_the_installed_version_has_it(place: str, name: str) -> None:
    path, _, kind = place.partition(":")
    if path.startswith(SERVE):
        pytest.importorskip(SERVE, reason="textual-serve is not installed (extra web)")
    distribution = path.partition(".")[0].replace("_", "-")
    version = f"{distribution} {importlib.metadata.version(distribution)} has no {place} {name}"
    expected = PRIVATE[place, name]
    module = importlib.import_module(path)
    if expected == REPLACED:
        assert callable(getattr(module, name, None)), version
        return
    owner = getattr(module, kind)
    assert name in names_of(owner), version
    member = inspect.getattr_static(owner, name, None)
    assert inspect.iscoroutinefunction(member) is (expected == COROUTINE), f"{version} that is a {expected}"
    assert inspect.isfunction(member) is (expected in (METHOD, COROUTINE)), f"{version} that is a {expected}"


@needs_serve
def test_what_replaces_a_private_method_takes_what_it_takes() -> None:
    replaced = 0
    for module in our_modules():
        for kind in classes_in(module):
            for name in filter(is_private, vars(kind)):
                own, bases = vars(kind)[name], kind.__mro__[1:]
                base = next((vars(base)[name] for base in bases if name in vars(base)), None)
                if inspect.isfunction(own) and inspect.isfunction(base) and owner_of(kind, name):
                    assert list(inspect.signature(own).parameters) == list(inspect.signature(base).parameters), name
                    replaced += 1
    assert replaced == 3


@needs_serve
def test_files_that_our_page_loads_are_in_the_package() -> None:
    from imgstore_tui.cli.web_server import STATIC

    assert [name for name in PACKED if not (Path(STATIC) / name).is_file()] == []


def test_libraries_whose_private_parts_are_in_use_have_an_upper_bound() -> None:
    lines = importlib.metadata.requires("imgstore-tui") or []
    for library in ("textual", "textual-serve", "plotext", "rich"):
        named = [line for line in lines if line.partition(";")[0].rstrip("0123456789.<>=, ") == library]
        assert named, library
        assert all("<" in line.partition(";")[0] for line in named), named
