"""Keeps the public path of the plug-in registry, which lives in ``imgstore_tui.plugins.registry``."""

from imgstore_tui.plugins.registry import *  # noqa: F403  the names that plug-ins of third parties may import
from imgstore_tui.plugins.registry import __all__ as __all__
