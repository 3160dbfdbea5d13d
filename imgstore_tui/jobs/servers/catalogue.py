"""Finds the recipes: every class of the contract in a module of ``recipes``."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Sequence

from imgstore_tui.core.errors import UnavailableError, unknown_name
from imgstore_tui.jobs.servers import recipes
from imgstore_tui.jobs.servers.recipe import ServerRecipe


@functools.cache
def all_recipes() -> dict[str, ServerRecipe]:
    """Return the recipes by their names, in alphabetical order."""
    found: dict[str, ServerRecipe] = {}
    for module in pkgutil.iter_modules(recipes.__path__):
        loaded = importlib.import_module(f"{recipes.__name__}.{module.name}")
        for _, member in inspect.getmembers(loaded, inspect.isclass):
            if issubclass(member, ServerRecipe) and member.__module__ == loaded.__name__:
                found[member.name] = member()
    return dict(sorted(found.items()))


def recipe(name: str) -> ServerRecipe:
    """Return a recipe.

    Raises:
        UsageError: If there is none of this name.
    """
    if name not in all_recipes():
        raise unknown_name("server", name, all_recipes())
    return all_recipes()[name]


def installed(names: Sequence[str] = ()) -> list[ServerRecipe]:
    """Return the recipes of some names, or of all servers that are installed: one a backend, the better ones first.

    Raises:
        UsageError: If there is none of a name.
        UnavailableError: If one that is named is not installed, or nothing is.
    """
    for chosen in (named := [recipe(name) for name in dict.fromkeys(names)]):
        if chosen.programs() is None:
            raise UnavailableError(f"{chosen.title} is not installed: {chosen.how_to_get}.")
    if named:
        return named
    best: dict[str, ServerRecipe] = {}
    for candidate in sorted(all_recipes().values(), key=lambda found: found.for_tests):
        if candidate.backend not in best and candidate.programs() is not None:
            best[candidate.backend] = candidate
    if not best:
        raise UnavailableError("No server is installed here. How to get one: imgstore-tui servers list.")
    return sorted(best.values(), key=lambda found: found.name)
