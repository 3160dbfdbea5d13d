"""Builds the command and the environment that start a module of this package in a child process.

Python puts the current folder first on its module path, and that is often the user's folder of pictures: a ``json.py``
there would be imported. Children are started with ``-P``, which leaves that folder out.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
# What is measured is storage, and a fork must find a single task.
SINGLE_THREADED = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
"""Variables that give each library one thread."""
_INSTALLED = ("site-packages", "dist-packages")


def command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of this package; it is started with ``environment``."""
    return [sys.executable, "-P", "-m", module, *arguments]


def environment(**variables: str) -> dict[str, str]:
    """Return the environment in which a child finds this package where this process has it.

    An installed package is on the module path anyway; the folder of a clone that runs in place has to be added.

    Args:
        **variables: Variables to set beside those of this process.
    """
    path = os.environ.get("PYTHONPATH", "")
    if _ROOT.name not in _INSTALLED and str(_ROOT) not in path.split(os.pathsep):
        variables["PYTHONPATH"] = os.pathsep.join([str(_ROOT), *([path] if path else [])])
    return {**os.environ, **variables}
