"""Finds the recipes: every class of the contract in a module of ``recipes``."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil

from imgstore_tui.core.errors import unknown_name
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
