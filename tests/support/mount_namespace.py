"""Runs code in a mount namespace of its own, for tests that mount."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


def in_mount_namespace(mounts: str, code: str, *arguments: str) -> str:
    """Run mounts, then Python code, in a new mount namespace; return what the code printed."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root: run as root")
    script = f'{mounts} || exit 99; exec "{sys.executable}" -c "$0" "$@"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, code, *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip(f"mounting is not possible here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return done.stdout
