"""Starting our own modules in processes of their own, from wherever the user stands.

Python puts the folder it is started in first on its path, and that is often the user's folder of pictures: a
``json.py`` that lies there would be run. Children are started with ``-P``, which leaves that folder out.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_INSTALLED = ("site-packages", "dist-packages")


def command(module: str, *words: str) -> list[str]:
    """Return the command that runs a module of this package, to be started with ``environment``."""
    return [sys.executable, "-P", "-m", module, *words]


def environment(**more: str) -> dict[str, str]:
    """Return the environment in which children find this package where this process has it.

    A package that is installed is found by itself; the folder of a clone that is run in place has to be named.
    """
    path = os.environ.get("PYTHONPATH", "")
    if _ROOT.name not in _INSTALLED and str(_ROOT) not in path.split(os.pathsep):
        more["PYTHONPATH"] = os.pathsep.join([str(_ROOT), *([path] if path else [])])
    return {**os.environ, **more}
