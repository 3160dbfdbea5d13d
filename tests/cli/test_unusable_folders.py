"""The program started in a folder in which modules lie that are called like those it uses."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
from PIL import Image

from imgstore_tui.storekit import child_python

MODULES = ("json", "random", "lmdb", "numpy", "secrets", "struct")


def start(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        child_python.command("imgstore_tui", *words), capture_output=True, text=True, check=False,
        env=child_python.environment(),
    )  # fmt: skip


def test_code_among_the_pictures_is_never_run(tmp_path: Path) -> None:
    here = Path.cwd()
    for name in MODULES:
        (here / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write({name!r})")
    for number in range(3):
        Image.fromarray(np.full((8, 8, 3), number, np.uint8)).save(here / f"{number}.png")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    words = ["-b", "lmdb", "-n", "2", "--rounds", "1", "--quiet", "--scratch", str(scratch)]
    done = start("run", "-d", "folder:.", *words)
    assert done.returncode == 0, done.stderr
    done = start("convert", "folder:.", "npy", str(tmp_path / "store"))
    assert done.returncode == 0, done.stderr
    done = start("run", "-d", f"store:{tmp_path / 'store'}", *words)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "ran").exists()
