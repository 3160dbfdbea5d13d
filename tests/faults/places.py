"""File systems made for a test in a mount name space of their own: they vanish with the process, even when killed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
CANNOT = 99
"""Exit status of a script where the machine cannot do what is asked; why stands on standard error."""


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


def tmpfs(options: str) -> str:
    """Return the shell's words that mount a file system in memory on ``$1``."""
    return f'mount -t tmpfs -o {options} tmpfs "$1"'


def loop(kind: str, megabytes: int) -> str:
    """Return the shell's words that make a file system of a kind in a file beside ``$1`` and mount it there."""
    quiet = "-qF -b 4096" if kind == "ext4" else "-qf"
    return (
        f'truncate -s {megabytes}M "$1.img" && mkfs.{kind} {quiet} "$1.img" >/dev/null && mount -o loop "$1.img" "$1"'
    )


def run_in(place: Path, mount: str, *words: str, timeout: float = 150) -> str:
    """Run Python with words in a mount name space where ``mount`` was done on ``place``; return what it printed.

    Whatever a fault has left there is mended afterwards. Skips where the machine cannot do it, with what it says.
    """
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("mounting needs root and unshare: run as root")
    place.mkdir(parents=True, exist_ok=True)
    mend = 'fsfreeze -u "$1" 2>/dev/null; chattr -R -i "$1" 2>/dev/null; umount -l "$1" 2>/dev/null'
    script = f'{mount or "true"} || exit 98; place="$1"; shift; "$@"; code=$?; set -- "$place"; {mend}; exit $code'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", str(place), sys.executable, *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
        cwd=HOUSE,
    )
    if done.returncode == 98:
        pytest.skip(f"such a file system cannot be mounted here: {done.stderr.strip()}")
    if done.returncode == CANNOT:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr
    return done.stdout
