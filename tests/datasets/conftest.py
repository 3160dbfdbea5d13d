from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest


@pytest.fixture
def fresh_modules() -> Callable[[str], set[str]]:
    """Return a function that runs a statement in a fresh interpreter and tells which modules it imported."""

    def run(statement: str) -> set[str]:
        code = f"{statement}; import sys; print(*sys.modules)"
        return set(
            subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
        )

    return run
