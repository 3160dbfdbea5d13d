"""Lets plug-ins that were written for an older contract declare attributes under their former names."""

from __future__ import annotations

from collections.abc import Mapping


def adopt_former_names(plugin: type, former_names: Mapping[str, str]) -> None:
    """Give a subclass the attributes that its own body declares under former names, under the present names.

    Args:
        plugin: The subclass, as ``__init_subclass__`` receives it.
        former_names: The present name of an attribute or method by its former name.
    """
    for former, name in former_names.items():
        if former in vars(plugin) and name not in vars(plugin):
            setattr(plugin, name, vars(plugin)[former])
