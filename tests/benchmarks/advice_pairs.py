"""Runs the quick plan twice a pair, and compares the answers: ``python -m tests.benchmarks.advice_pairs [--pairs 10]``.

Each run is ``imgstore-tui run -b disk lmdb hdf5``; the second of a pair knows what the first cost, as a user's does.
The answer is that of the program: its headline, read back from the saved run. Two answers are opposite if no method
is in both, as *Take lmdb* and *Take hdf5* are; *lmdb or hdf5, either will do* beside *Take lmdb* is no contradiction.
The same is asked of the verdict of each operation at each number of images.

Exit code 1 if an answer was opposite, or a verdict named another winner; 3 if a run gave no answer to compare.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from imgstore_tui.bench.results.journal import read_journal
from imgstore_tui.core.model import Cell
from imgstore_tui.present.results import build_results
from imgstore_tui.present.text.recommendation import recommendation_lines
from tests.support.program import program

METHODS = ("disk", "lmdb", "hdf5")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a run said."""

    headline: str
    """Empty where it said nothing."""
    firsts: dict[Cell, frozenset[str]]
    """The methods that share the first place of each contest with a verdict."""

    @property
    def methods(self) -> frozenset[str]:
        """The methods that the headline lets the user take."""
        taken = self.headline.partition(":")[0].replace(",", " ").split()
        return frozenset(taken) & frozenset(METHODS)


def answer_of(path: Path) -> Answer:
    """Return the answer of a saved run.

    Args:
        path: Its journal.
    """
    results = build_results(read_journal(path))
    headlines = [line.text for line in recommendation_lines(results) if line.headline]
    firsts = {verdict.contest: frozenset(verdict.best) for verdict in results.verdicts if verdict.best}
    return Answer(headlines[0] if headlines else "", firsts)


def contradictions(one: Answer, other: Answer) -> list[str]:
    """Return what two answers contradict each other in: the headline, and the verdicts, each as a line."""
    found = []
    if one.methods and other.methods and not one.methods & other.methods:
        found.append(f"opposite advice: {one.headline} | {other.headline}")
    for contest in one.firsts.keys() & other.firsts.keys():
        first, second = one.firsts[contest], other.firsts[contest]
        if not first & second:
            named = " | ".join(", ".join(sorted(names)) for names in (first, second))
            found.append(f"opposite verdicts of {contest.operation}, {contest.cutoff} images: {named}")
    return found


def measured(home: Path) -> Answer:
    """Run the plan once and return its answer.

    Args:
        home: Folder of the saved runs.
    """
    before = set(home.rglob("*.jsonl"))
    done = program(
        "run", "-b", *METHODS, "--quiet", timeout=600, IMGSTORE_TUI_HOME=str(home), IMGSTORE_TUI_LOCK=str(home / "lock")
    )
    if done.returncode:
        sys.exit(f"exit code {done.returncode}: {done.stderr.strip()}")
    (path,) = set(home.rglob("*.jsonl")) - before
    return answer_of(path)


def main() -> int:
    """Print both answers of each pair, then how many contradicted each other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10)
    pairs = parser.parse_args().pairs
    contradicted = silent = 0
    for number in range(1, pairs + 1):
        with tempfile.TemporaryDirectory() as home:
            one, other = (measured(Path(home)) for _ in range(2))
        print(f"{number:2}  {one.headline or 'no answer'}\n    {other.headline or 'no answer'}", flush=True)
        found = contradictions(one, other)
        for line in found:
            print(f"    {line}", flush=True)
        contradicted += bool(found)
        silent += not (one.methods and other.methods)
    print(f"{pairs} pairs: {contradicted} contradicted themselves, {silent} had a run without an answer.")
    return 1 if contradicted else 3 if silent else 0


if __name__ == "__main__":
    sys.exit(main())
