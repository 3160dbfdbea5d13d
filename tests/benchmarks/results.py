"""Runs every command that RESULTS.md names, one after the other, and keeps what each prints.

``python -m tests.benchmarks.results [--section TEXT] [--into FOLDER] [--write]``, on a quiet machine: some hours.
``--list`` only prints the commands. ``--write`` puts what a command has printed into RESULTS.md, between the lines
``<!-- printed by NAME -->`` and ``<!-- end -->``, where NAME is that of its module, unless it has crashed; what is
printed as an error, such as the time it took, is kept apart. The exit code is 1 if a command ended with another code
than 0 or 3 (undecided).
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import shlex
import subprocess
import sys
import time
from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")


def commands(section: str = "") -> list[list[str]]:
    """Return the commands in the shell blocks of the sections whose title contains a text."""
    word_lists: list[list[str]] = []
    for part in RESULTS.read_text(encoding="utf-8").split("\n## ")[1:]:
        if section.lower() not in part.partition("\n")[0].lower():
            continue
        for block in part.split("```sh\n")[1:]:
            lines = block.partition("```")[0].replace("\\\n", " ").splitlines()
            word_lists += [words for line in lines if (words := shlex.split(line, comments=True))]
    return word_lists


def with_printed(page: str, name: str, printed: str) -> str:
    """Return a page with what a command has printed between its marks; unchanged if it has no marks.

    Raises:
        ValueError: If its first mark has no last one.
    """
    mark = f"<!-- printed by {name} -->\n"
    before, begun, rest = page.partition(mark)
    if not begun:
        return page
    _, end, after = rest.partition("<!-- end -->\n")
    if not end:
        raise ValueError(f"{mark.strip()} has no <!-- end --> after it")
    return f"{before}{mark}{printed.strip()}\n{end}{after}"


def main() -> int:
    """Run the commands and return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--section", default="")
    parser.add_argument("--into", type=Path, default=Path("results"))
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    failed = 0
    for number, words in enumerate(commands(arguments.section), 1):
        print(f"{number:2} {shlex.join(words)}", flush=True)
        if arguments.list:
            continue
        arguments.into.mkdir(parents=True, exist_ok=True)
        began, name = time.monotonic(), words[2].rpartition(".")[2]
        output = arguments.into / f"{number:02}-{name}.txt"
        with (
            output.open("w", encoding="utf-8") as file,
            output.with_suffix(".err").open("w", encoding="utf-8") as errors,
        ):
            done = subprocess.run([sys.executable, *words[1:]], stdout=file, stderr=errors, check=False)
        print(f"   exit code {done.returncode} after {time.monotonic() - began:.0f} s", flush=True)
        crashed = "Traceback" in output.with_suffix(".err").read_text(encoding="utf-8")
        if arguments.write and not crashed and (printed := output.read_text(encoding="utf-8").strip()):
            date = datetime.datetime.now(datetime.UTC).date()
            facts = f"Measured on {date}, {os.cpu_count()} cores, Python {platform.python_version()}"
            page = RESULTS.read_text(encoding="utf-8")
            shown = f"{facts}; exit code {done.returncode}.\n\n{printed}"
            RESULTS.write_text(with_printed(page, name, shown), encoding="utf-8")
        failed += done.returncode not in (0, 3)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
