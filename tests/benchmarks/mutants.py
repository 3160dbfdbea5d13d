"""Breaks the rules one by one, and sees the tests fail: ``python -m tests.benchmarks.mutants [WORD ...] [--jobs 2]``.

``mutants.toml`` lists the mutants: of the rules by which the instrument checks what it times, of those of verdicts and
comparisons, and of those by which rounds stop. Each has the file, the text that is replaced, its replacement, and the
tests that cover it. Each is applied in a copy of the tree, never in the tree itself, and its tests are run there, slow
ones too. First all of these tests run in a copy without a change, where they must pass. WORD limits the mutants to
those with it in name or file.

Exit code 1 if a mutant survives, 2 if a text does not stand exactly once in its file, or a test fails without a change.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIST = Path(__file__).with_name("mutants.toml")
COPIED = ("imgstore_tui", "tests", "pyproject.toml", "README.md")
LONGEST_S = 600
_FAILED = 1
"""Exit code of pytest if a test failed; any other says that the tests did not run."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One replacement."""

    file: str
    """Path from the root of the tree."""
    text: str
    """What is replaced; it stands in the file exactly once."""
    replacement: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """A rule that does not hold any more."""

    name: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]
    """Arguments of pytest; one of these tests must fail."""


def read_mutants() -> list[Mutant]:
    """Return all mutants of the list."""
    entries = tomllib.loads(LIST.read_text())["mutant"]
    return [
        Mutant(
            entry["name"],
            tuple(Edit(edit["file"], edit["text"], edit["replacement"]) for edit in (entry, *entry.get("also", ()))),
            tuple(entry["tests"]),
        )
        for entry in entries
    ]


def problems_of(mutant: Mutant) -> list[str]:
    """Return why a mutant cannot be applied; empty where it can."""
    problems = []
    for edit in mutant.edits:
        count = (ROOT / edit.file).read_text().count(edit.text)
        if count != 1:
            problems.append(f"{mutant.name}: its text stands {count} times in {edit.file}: {edit.text!r}")
        if edit.text == edit.replacement:
            problems.append(f"{mutant.name}: its replacement changes nothing")
    return problems + [
        f"{mutant.name}: there is no {test}" for test in mutant.tests if not (ROOT / test.partition("::")[0]).exists()
    ]


def copy_tree(folder: Path, root: Path = ROOT) -> None:
    """Copy the tree. Compiled files stay valid, but for those of files that are changed later."""
    for name in COPIED:
        source = root / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, folder / name)


def run_tests(folder: Path, tests: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run tests in a copy of the tree, whose package is that of all processes that they start."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "--full", "-p", "no:cacheprovider", *tests],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST_S,
    )


def is_killed(mutant: Mutant, root: Path) -> tuple[bool, str]:
    """Apply a mutant to a copy of a tree; return whether a test fails there, and the test or what went wrong."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy_tree(folder, root)
        for edit in mutant.edits:
            path = folder / edit.file
            path.write_text(path.read_text().replace(edit.text, edit.replacement))
        try:
            done = run_tests(folder, mutant.tests)
        except subprocess.TimeoutExpired:
            return True, f"the tests did not end within {LONGEST_S} s"
    failed = next((line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))), "")
    if done.returncode not in (0, _FAILED):
        return False, f"pytest ended with exit code {done.returncode}: {done.stdout[-400:]}"
    return done.returncode == _FAILED, failed


def main() -> int:
    """Apply all mutants, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", metavar="WORD")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--no-check", action="store_true", help="do not run the tests without a change first")
    arguments = parser.parse_args()
    mutants = [
        mutant
        for mutant in read_mutants()
        if not arguments.words or any(word in mutant.name or word in mutant.edits[0].file for word in arguments.words)
    ]
    if problems := [problem for mutant in mutants for problem in problems_of(mutant)]:
        print(*problems, sep="\n")
        return 2
    began = time.monotonic()
    survived = 0
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(arguments.jobs) as pool:
        root = Path(name)
        copy_tree(root)
        if not arguments.no_check:
            done = run_tests(root, sorted({test for mutant in mutants for test in mutant.tests}))
            if done.returncode:
                print(f"The tests fail without a change:\n{done.stdout[-3000:]}")
                return 2
            print(f"without a change: {done.stdout.splitlines()[-1].strip('= ')}", flush=True)
        for mutant, (killed, what) in zip(mutants, pool.map(partial(is_killed, root=root), mutants), strict=True):
            survived += not killed
            print(f"{'killed  ' if killed else 'SURVIVED'}  {mutant.name}{f'  ({what})' if what else ''}", flush=True)
    minutes = (time.monotonic() - began) / 60
    print(f"{len(mutants)} mutants: {len(mutants) - survived} killed, {survived} survived, in {minutes:.0f} min.")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
