"""Several clients: ``python -m tests.benchmarks.clients agree|scale SPEC ... [--server NAME]``.

``agree``: does one client through Dask read as fast as the ordinary trial? For each SPEC, pairs of one trial by the
instrument and one client that makes one pass, both shuffled over the same verified store; the order within a pair
alternates. Printed is the median of the ratios client / trial of the images per second with its 95 % interval:
*agrees* if all of the interval lies within 5 % of 1, *differs* if all of it lies outside, else *undecided*; and how
late the clients began. The exit code is 1 if one differs, else 3 if one is undecided, else 0.

``scale``: the rounds of 1, 2 and 4 clients (``--clients``) of a run, for folders, or for the specs of a server that is
started for it (``--server`` as in ``imgstore-tui servers list``). Printed are the medians over rounds of the images per
second of all clients with the least and the most, latencies, fairness, and the worst start spread. Clients and server
share the cores of this machine: nothing of it is a claim of scaling.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from imgstore_tui.bench.processes.client_executor import ClientExecutor
from imgstore_tui.bench.processes.executor import ProcessExecutor
from imgstore_tui.bench.protocol.client_messages import ClientRequest
from imgstore_tui.bench.protocol.messages import Step, TrialRequest, TrialResult
from imgstore_tui.bench.run.runner import run_plan
from imgstore_tui.core import credentials
from imgstore_tui.core.client_round import ClientRound, ClientWork
from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import CacheState, Operation, Status
from imgstore_tui.core.spec import Spec
from imgstore_tui.jobs.servers.catalogue import recipe
from imgstore_tui.plugins import registry
from imgstore_tui.stats.ratios import paired_ratio
from tests.benchmarks.markdown import row_of, table_head
from tests.benchmarks.pixels import make_pixels
from tests.support.nodes import running_node

AGREES = 0.05
LIMIT_S = 600
NEVER = threading.Event()


class Pairs:
    """Trials and clients of one method on one store."""

    def __init__(self, spec: Spec, folder: Path, count: int, size: int) -> None:
        self._folder, self._spec, self._count = folder, spec, count
        if not (folder / "source").exists():
            make_pixels(folder / "source", size, count)
        self._trials = ProcessExecutor([spec])
        backend = registry.backends.get(spec.backend)
        self._clients = ClientExecutor(None, 1, folder / "cluster", list(backend.imports_for(dict(spec.options))))
        self.late_s: list[float] = []

    def measure(self, rounds: int) -> tuple[dict[int, float], dict[int, float]]:
        """Return the images per second of the clients and of the trials by round."""
        clients, trials = dict[int, float](), dict[int, float]()
        self._trials.begin_round()
        for step in (Step.PREPARE, Step.VERIFY):
            self._trial(step)
        self._clients.start(1, NEVER)
        try:
            for number in range(rounds):
                for is_client in (True, False) if number % 2 else (False, True):
                    if is_client:
                        clients[number] = self._client_rate(number)
                    else:
                        trials[number] = self._trial_rate(number)
        finally:
            self._trial(Step.DESTROY)
            self._trials.close()
            self._clients.close()
        return clients, trials

    def _request(self, step: Step, number: int = 0) -> TrialRequest:
        suffix = getattr(registry.backends.get(self._spec.backend), "file_suffix", "")
        return TrialRequest(
            step, self._spec, Operation.READ_RANDOM, self._count, str(self._folder / f"store{suffix}"),
            str(self._folder / "source"), str(self._folder), cache=CacheState.HOT, seed=str(number),
        )  # fmt: skip

    def _trial(self, step: Step, number: int = 0) -> TrialResult:
        outcome = self._trials.run(self._request(step, number), LIMIT_S, lambda _: None, NEVER)
        if not outcome.ok:
            raise SystemExit(f"{self._spec.label}, {step.value}: {outcome.reason}")
        return outcome.result

    def _trial_rate(self, number: int) -> float:
        result = self._trial(Step.TRIAL, number)
        # A client opens and closes its store off the clock.
        return self._count / ((result.storage_s or 0.0) + (result.codec_s or 0.0))

    def _client_rate(self, number: int) -> float:
        request = ClientRequest(self._request(Step.TRIAL, number), 0, 1, ClientWork.ALL, 0.0)
        (outcome,) = self._clients.run((request,), LIMIT_S, NEVER)
        if outcome.figures is None:
            raise SystemExit(f"{self._spec.label}, a client: {outcome.reason}")
        self.late_s.append(outcome.figures.late_s)
        return outcome.figures.images / outcome.figures.seconds


def agree(words: argparse.Namespace) -> int:
    """Compare one client with the ordinary trial; return the exit code."""
    print(f"{words.count:,} x {words.size}x{words.size}x3, {words.rounds} pairs, read-random, one pass")
    print(table_head(["method", "client / trial", "trial img/s", "worst start, ms late", ""]))
    verdicts = set()
    for text in words.specs:
        spec = registry.resolve_spec(text)
        with tempfile.TemporaryDirectory() as name:
            pairs = Pairs(spec, Path(name), words.count, words.size)
            clients, trials = pairs.measure(words.rounds)
        ratio = paired_ratio(clients, trials)
        assert ratio is not None
        verdict = "undecided"
        if ratio.low >= 1 - AGREES and ratio.high <= 1 + AGREES:
            verdict = "agrees"
        elif ratio.low > 1 + AGREES or ratio.high < 1 - AGREES:
            verdict = "differs"
        verdicts.add(verdict)
        rate = f"{statistics.median(trials.values()):,.0f}"
        interval = f"{ratio.median:.3f} [{ratio.low:.3f}, {ratio.high:.3f}]"
        print(row_of([spec.label, interval, rate, f"{max(pairs.late_s) * 1000:.2f}", verdict]), flush=True)
    return 1 if "differs" in verdicts else 3 if "undecided" in verdicts else 0


def scale(words: argparse.Namespace) -> int:
    """Print what several clients reach together; return the exit code."""
    with _server(words.server) as title, tempfile.TemporaryDirectory() as scratch:
        plan = Plan(
            datasets=(f"synthetic,size={words.size}",),
            specs=tuple(map(registry.resolve_spec, words.specs)),
            cutoffs=(words.count,),
            operations=(Operation.READ_RANDOM, Operation.GET_ONE),
            rounds=words.rounds,
            budget_s=None,
            clients=tuple(int(part) for part in words.clients.split(",")),
            client_window_s=words.window,
            scratch=scratch,
        )
        run = run_plan(plan)
    head = f"{words.count:,} x {words.size}x{words.size}x3, {words.rounds} rounds, window {words.window:g} s"
    print(f"{title}{head}, {run.environment.cores} cores")
    columns = ["method", "operation", "work", "K", "img/s (least to most)", "times K=1", "p50 ms", "p99 ms", "fairness"]
    print(table_head([*columns, "worst start spread, ms", "shares cores", "thrown away or failed"]))
    cells: dict[tuple[object, ...], list[ClientRound]] = {}
    for entry in run.client_rounds:
        cells.setdefault((entry.spec, entry.operation, entry.work, entry.clients), []).append(entry)
    for key in sorted(cells, key=str):
        print(row_of(_cells(key, cells[key], cells.get((*key[:3], 1), []))))
    failed = [entry for entry in run.client_rounds if entry.status is Status.FAILED]
    for entry in failed:
        print(f"{entry.spec} {entry.operation} x{entry.clients}: {entry.reason}", file=sys.stderr)
    return 1 if failed else 0


def _cells(key: Sequence[object], rounds: Sequence[ClientRound], single: Sequence[ClientRound]) -> Iterator[str]:
    good = [entry for entry in rounds if entry.images_per_s]
    yield from map(str, key)
    rates = [entry.images_per_s or 0.0 for entry in good]
    if not rates:
        yield from ["-"] * 7
    else:
        yield f"{statistics.median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"
        base = {entry.round: entry.images_per_s or 0.0 for entry in single if entry.images_per_s}
        ratio = paired_ratio({entry.round: entry.images_per_s or 0.0 for entry in good}, base)
        yield "-" if ratio is None else f"{ratio.median:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"
        for name in ("p50", "p99"):
            values = [result.latency_s[name] for entry in good for result in entry.results if name in result.latency_s]
            yield f"{statistics.median(values) * 1000:.3f}" if values else "-"
        yield f"{statistics.median(entry.fairness or 0.0 for entry in good):.3f}"
        yield f"{max(entry.start_spread_s or 0.0 for entry in good) * 1000:.1f}"
        yield "yes" if all(entry.shares_cores for entry in good) else "no"
    yield str(len(rounds) - len(good))


@contextlib.contextmanager
def _server(name: str | None) -> Iterator[str]:
    """Start a server, if one is named; yield what to call it."""
    if name is None:
        yield ""
        return
    with running_node(recipe(name)) as node:
        credentials.hold(node.variables())
        yield f"{recipe(name).title}, "


def main() -> int:
    """Run one of the two comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("comparison", choices=["agree", "scale"])
    parser.add_argument("specs", nargs="+")
    parser.add_argument("--server")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--clients", default="1,2,4")
    parser.add_argument("--window", type=float, default=10.0)
    words = parser.parse_args()
    return agree(words) if words.comparison == "agree" else scale(words)


if __name__ == "__main__":
    raise SystemExit(main())
