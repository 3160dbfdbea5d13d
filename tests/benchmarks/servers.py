"""Bulk against one by one on a real server: ``python -m tests.benchmarks.servers NAME [SPEC ...] [--rounds 6]``.

NAME is what ``imgstore-tui servers list`` calls a server; a node of it is started with the vendor's durable settings,
and ended. Each SPEC (by default the tuned preset) is measured as the instrument does, beside the preset ``plain`` or
``--base``: all images in, all out in order, all out shuffled, 64 a call. Rounds are interleaved and their order
alternates; every store is verified before it is read, and removed. Printed are medians in milliseconds and the median
of the ratios base / spec with its distribution-free 95 % interval; below six rounds it is the range seen. Client and
server share the cores of this machine.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
from pathlib import Path

from imgstore_tui.bench.processes.executor import ProcessExecutor
from imgstore_tui.bench.protocol.messages import Step, TrialRequest
from imgstore_tui.core import credentials
from imgstore_tui.core.operations import Operation, SyncLevel
from imgstore_tui.core.spec import Spec
from imgstore_tui.jobs.servers.catalogue import recipe
from imgstore_tui.plugins import registry
from imgstore_tui.stats.ratios import paired_ratio
from imgstore_tui.storekit.server import ServerBackend
from tests.benchmarks.pixels import make_pixels
from tests.support.nodes import running_node

OPERATIONS = (Operation.WRITE_MANY, Operation.READ_MANY, Operation.READ_RANDOM)
LONGEST_S = 1800


class Measured:
    """The specs on one server: seconds by operation, spec and round."""

    def __init__(self, kind: type[ServerBackend], specs: list[Spec], folder: Path, count: int, sync: SyncLevel) -> None:
        self._place, self._folder, self._count, self._sync = kind.address()[0], folder, count, sync
        self._executor = ProcessExecutor(specs)
        self.seconds: dict[Operation, dict[str, dict[int, float]]] = {
            operation: {spec.label: {} for spec in specs} for operation in OPERATIONS
        }

    def round(self, number: int, specs: list[Spec]) -> None:
        """Measure every spec once; the order alternates."""
        self._executor.begin_round()
        for spec in specs[:: -1 if number % 2 else 1]:
            location = str(self._place.child(f"imgstore_tui_benchmark_{number}"))
            try:
                self._trial(Operation.WRITE_MANY, spec, location, number)
                self._request(Step.VERIFY, Operation.WRITE_MANY, spec, location)
                for operation in OPERATIONS[1:]:
                    self._trial(operation, spec, location, number)
            finally:
                self._request(Step.DESTROY, Operation.WRITE_MANY, spec, location)

    def _trial(self, operation: Operation, spec: Spec, location: str, number: int) -> None:
        self.seconds[operation][spec.label][number] = self._request(Step.TRIAL, operation, spec, location)

    def _request(self, step: Step, operation: Operation, spec: Spec, location: str) -> float:
        request = TrialRequest(
            step, spec, operation, self._count, location, str(self._folder / "source"), str(self._folder),
            sync=self._sync, seed="s",
        )  # fmt: skip
        outcome = self._executor.run(request, LONGEST_S, lambda images: None, threading.Event())
        if not outcome.ok:
            raise SystemExit(f"{spec.label}, {step.value} {operation.value}: {outcome.reason}")
        return outcome.result.seconds or 0.0

    def close(self) -> None:
        """End the processes that measure."""
        self._executor.close()


def main() -> None:
    """Measure, and print a line for each operation and spec."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server")
    parser.add_argument("specs", nargs="*")
    parser.add_argument("--base")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--sync", type=SyncLevel, default=SyncLevel.BUFFERED)
    words = parser.parse_args()
    kind = registry.backends.get(recipe(words.server).backend)
    assert issubclass(kind, ServerBackend)
    raw = kind.name if kind.default_codec == "raw" else f"{kind.name}+raw"
    with running_node(recipe(words.server)) as node:
        credentials.hold(node.variables())
        base = registry.resolve_spec(words.base or f"{raw}:preset=plain")
        specs = [*map(registry.resolve_spec, words.specs or [raw]), base]
        with tempfile.TemporaryDirectory() as name:
            make_pixels(Path(name, "source"), words.size, words.count)
            facts = registry.with_defaults(kind).facts(kind.address()[0])
            print(f"{facts.product} {facts.version}, {words.count:,} x {words.size}x{words.size}x3, {words.sync.value}")
            measured = Measured(kind, specs, Path(name), words.count, words.sync)
            try:
                for number in range(words.rounds):
                    measured.round(number, specs)
            finally:
                measured.close()
        for operation, by_spec in measured.seconds.items():
            for spec in specs:
                took = by_spec[spec.label]
                line = f"{operation.value:12} {spec.label:34} {statistics.median(took.values()) * 1000:10,.1f} ms"
                ratio = paired_ratio(by_spec[base.label], took) if spec is not base else None
                print(line + (f" {ratio.median:7.1f}x [{ratio.low:.1f}, {ratio.high:.1f}]" if ratio else ""))


if __name__ == "__main__":
    main()
