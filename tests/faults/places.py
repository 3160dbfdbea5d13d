"""File systems made for a test in a mount name space of their own: they vanish with the process, even when killed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def run_on(options: str, folder: Path, script: str, *words: str) -> str:
    """Run a Python script with a tmpfs of these options mounted on ``folder``; return what it printed.

    Skips where the machine cannot mount.
    """
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("mounting needs root and unshare: run as root")
    folder.mkdir(exist_ok=True)
    mount = f'mount -t tmpfs -o {options} tmpfs "{folder}" || exit 99\nexec "$0" "$@"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", mount, sys.executable, "-c", script, *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    if done.returncode == 99:
        pytest.skip(f"a tmpfs cannot be mounted here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return done.stdout
