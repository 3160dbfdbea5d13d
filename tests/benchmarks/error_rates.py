"""How often verdicts err, and what they miss: ``python -m tests.benchmarks.error_rates [--runs 200]``.

Simulated runs, seeded, judged by the package's own functions. Equal methods, 5 % noise, 17 cells that hold together, 12
rounds: in what share of runs any method of any cell is called slower, or a lone winner is named, at any look. Then
power: in what share of plans a method that takes 1.20 times as long as the others is called slower, beyond the margin
of 5 %; by the verdict of its cell alone, and by the headline of a run of nine cells, in the cell that decides what is
recommended and in another. Noise is the standard deviation of a trial; what a round does to all methods (10 %) comes
on top.

Exit code 1 if a false rate is above 5 % by more than chance, or the power of a verdict alone or of the deciding cell is
below 90 %.
"""

from __future__ import annotations

import argparse
import math
import sys

from imgstore_tui.bench.plan.error_parts import error_parts
from tests.support.simulated_rounds import contests_of, false_rates, share_found

LEVEL, POWER = 0.05, 0.90
CELLS, HEADLINE_CELLS = 17, 9


def main() -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    runs = parser.parse_args().runs
    well = True
    print(f"Equal methods, {CELLS} cells, 12 rounds, 5 % noise, {runs} runs:")
    print(f"{'methods':>8} {'false slower':>13} {'false lone winner':>18} {'told apart at all':>18}")
    bound = LEVEL + 2 * math.sqrt(LEVEL * (1 - LEVEL) / runs)
    for methods in (3, 5, 10):
        rates = false_rates(methods, CELLS, 12, 0.05, runs)
        well &= max(rates.slower, rates.lone, rates.little_slower) <= bound * runs
        print(
            f"{methods:8} {rates.slower / runs:13.1%} {rates.lone / runs:18.1%} {rates.little_slower / runs:18.1%}",
            flush=True,
        )
    parts = list(error_parts(contests_of(HEADLINE_CELLS)).values())
    plans = 2 * runs
    print(f"\nA method that takes 1.20 times as long, {plans} plans, called slower beyond 5 %:")
    print(f"{'methods':>8} {'noise':>6} {'rounds':>7} {'one cell':>9} {'decides, of 9':>14} {'other, of 9':>12}")
    for noise, rounds in ((0.05, 12), (0.10, 25)):
        for methods in (3, 5):
            alone, deciding, other = (
                share_found(methods, rounds, noise, plans, part) for part in (1.0, parts[0], parts[-1])
            )
            well &= min(alone, deciding) >= POWER
            print(f"{methods:8} {noise:6.0%} {rounds:7} {alone:9.1%} {deciding:14.1%} {other:12.1%}", flush=True)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
