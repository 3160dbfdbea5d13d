"""Runs every command that RESULTS.md names, one after the other, and keeps what each prints.

``python -m tests.benchmarks.results [--section TEXT] [--into FOLDER]``, on a quiet machine: some hours. ``--list`` only
prints the commands. The exit code is 1 if a command ended with another code than 0 or 3 (undecided).
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import time
from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")


def commands(section: str = "") -> list[list[str]]:
    """Return the commands in the shell blocks of the sections whose title contains a text."""
    found: list[list[str]] = []
    for part in RESULTS.read_text(encoding="utf-8").split("\n## ")[1:]:
        if section.lower() not in part.partition("\n")[0].lower():
            continue
        for block in part.split("```sh\n")[1:]:
            lines = block.partition("```")[0].replace("\\\n", " ").splitlines()
            found += [words for line in lines if (words := shlex.split(line, comments=True))]
    return found


def main() -> int:
    """Run the commands and return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--section", default="")
    parser.add_argument("--into", type=Path, default=Path("results"))
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    failed = 0
    for number, words in enumerate(commands(arguments.section), 1):
        print(f"{number:2} {shlex.join(words)}", flush=True)
        if arguments.list:
            continue
        arguments.into.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        with (arguments.into / f"{number:02}-{words[2].rpartition('.')[2]}.txt").open("w", encoding="utf-8") as file:
            file.write(f"$ {shlex.join(words)}\n")
            file.flush()
            done = subprocess.run([sys.executable, *words[1:]], stdout=file, stderr=subprocess.STDOUT, check=False)
        print(f"   exit code {done.returncode} after {time.monotonic() - began:.0f} s", flush=True)
        failed += done.returncode not in (0, 3)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
