"""Compares our reading of tars with what GNU tar unpacks: ``python -m tests.benchmarks.fuzz_tars [--count 150]``.

Each archive is made by GNU tar of a random tree: dialects, names with dots and letters of all scripts, long names, hard
and symbolic links, files with holes, compression. Every file that ``tar -x`` gives must be a picture of the same bytes
here, or be left out by name.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from imgstore_tui.backends.webdataset.foreign import TarImages
from imgstore_tui.core.errors import StoreError

_DIALECTS, _SHORT_NAMES = ("gnu", "posix", "oldgnu"), ("ustar", "v7")
_PICTURE = b"\x89PNG\r\n\x1a\n"


def main() -> int:
    """Print how many archives and pictures were compared, and each that differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    pictures = left_out = differ = 0
    for seed in range(arguments.seed, arguments.seed + arguments.count):
        with tempfile.TemporaryDirectory() as folder:
            equal, excluded, fault = _compare(Path(folder), random.Random(seed))
        pictures, left_out, differ = pictures + equal, left_out + excluded, differ + bool(fault)
        if fault:
            print(f"seed {seed}: {fault}")
    print(
        f"{arguments.count} tars of GNU tar: {pictures} pictures equal to what tar -x gives, {left_out} left out by "
        f"name, {differ} archives differ"
    )
    return 1 if differ else 0


def _compare(folder: Path, choice: random.Random) -> tuple[int, int, str]:
    tar = _make(folder, choice)
    unpacked = folder / "unpacked"
    unpacked.mkdir()
    subprocess.run(["tar", "-xf", tar, "-C", unpacked], check=True)
    theirs = {
        str(path.relative_to(unpacked)): path.read_bytes() if path.exists() else b""
        for path in unpacked.rglob("*") if path.is_symlink() or path.is_file()
    }  # fmt: skip
    try:
        files = TarImages(tar)
    except StoreError as error:
        return 0, 0, str(error)
    ours = {os.path.normpath(name): files.payload(number) for number, name in enumerate(files.names)}
    excluded = {os.path.normpath(entry.name) for entry in files.excluded}
    files.close()
    wrong = [name for name, data in ours.items() if theirs.get(name) != data]
    missing = set(theirs) ^ (set(ours) | excluded)
    return len(ours), len(excluded), f"other bytes {wrong}, other names {sorted(missing)}" if wrong or missing else ""


def _make(folder: Path, choice: random.Random) -> Path:
    """Make a tree, and the archive of it."""
    tree, names, longest = folder / "tree", list[str](), 0
    for number in range(choice.randint(1, 8)):
        below = choice.choice(["", "a/", "b.c/", "é/", "d" * 120 + "/"])
        leaf = choice.choice([f"{number}", f"x.{number}", f"track {number}.0", f"n{'m' * 110}{number}"])
        name = f"{below}{leaf}{choice.choice(['.png', '.PNG', '.jpg'])}"
        path, kind = tree / name, choice.random()
        longest = max(longest, len(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        if names and kind < 0.15:
            path.hardlink_to(tree / choice.choice(names))
        elif names and kind < 0.3:
            path.symlink_to(os.path.relpath(tree / choice.choice(names), path.parent))
        else:
            with path.open("wb") as file:
                file.write(_PICTURE + choice.randbytes(90))
                if choice.random() < 0.4:
                    file.seek(choice.randint(1, 20) * 4096)
                    file.write(b"end")
            names.append(name)
    dialect = choice.choice((*_DIALECTS, *_SHORT_NAMES) if longest < 90 else _DIALECTS)
    options = ["-S"] if dialect in _DIALECTS and choice.random() < 0.5 else []
    if dialect == "posix" and options:
        options.append(f"--sparse-version={choice.choice(['0.0', '0.1', '1.0'])}")
    tar = folder / "a.tar"
    subprocess.run(["tar", "-c", *options, f"--format={dialect}", "-f", tar, "-C", tree, "."], check=True)
    if choice.random() < 0.3:
        subprocess.run(["gzip", tar], check=True)
        tar = folder / "a.tar.gz"
    return tar


if __name__ == "__main__":
    sys.exit(main())
