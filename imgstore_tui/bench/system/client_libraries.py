"""Tells whether the libraries are installed that run several clients, and how to get them."""

from __future__ import annotations

import importlib.util

from imgstore_tui.core.install_hint import install_command

REQUIRES = ("distributed", "cryptography")
"""Import names of the libraries that run several clients."""


def how_to_get() -> str:
    """Return the command that installs what is missing; empty if nothing is missing."""
    if all(importlib.util.find_spec(name) is not None for name in REQUIRES):
        return ""
    return install_command("imgstore_tui", "cluster", REQUIRES)
