"""Keeps the public path of the plug-in registry, which lives in ``imgstore_tui.plugins.registry``."""

from imgstore_tui.plugins.registry import *  # noqa: F403  the names that plug-ins of third parties may import
from imgstore_tui.plugins.registry import __all__ as __all__
from imgstore_tui.plugins.registry import missing_imports as missing  # noqa: F401  a former name
from imgstore_tui.plugins.registry import missing_requirement as lacking  # noqa: F401  a former name
