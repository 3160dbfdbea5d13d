"""Runs a module of this folder as a script of its own: a fresh interpreter for every repeat."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[2]


class ScriptError(Exception):
    """A script failed, and its last word."""


def run_script(module: ModuleType, case: dict[str, Any], limit_s: float | None = None) -> list[float]:
    """Return the seconds that a script prints as a JSON list.

    Args:
        module: Is run with ``python -m``.
        case: Its one argument, as JSON.
        limit_s: It is ended after so many seconds.

    Raises:
        ScriptError: If it fails.
        subprocess.TimeoutExpired: If it takes longer than the limit.
    """
    words = [sys.executable, "-m", module.__name__, json.dumps(case)]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=limit_s, cwd=ROOT)
    if done.returncode:
        raise ScriptError(f"{module.__name__}: {(done.stderr.strip().splitlines() or ['no word'])[-1]}")
    seconds: list[float] = json.loads(done.stdout)
    return seconds
