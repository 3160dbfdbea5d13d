"""How much faster than the article's own code? ``python -m tests.benchmarks.speed [--pairs 6] [--only TEXT ...]``.

Prints two tables in Markdown, each with the code that ours is compared with.

*The tutorial's own code, unchanged* is ``reference.py``: what article.md describes, to the letter, and nothing that it
does not have: write one, write many, read one, read many. Both sides deliver the same: a closed store with every image
in it, or all images and labels in memory, as the article's readers return them (two lists; for HDF5 two arrays).

*A first program's loop* is ``first_loop.py``: over the stores of the article, with handles kept. Both sides hand over
one batch after the other in new memory, and keep none.

Ours reads with ``imgstore_tui.open``, as a program does (``open_reads.py``). Writes, single images from a closed store,
and reads by two processes are trials of the instrument, which verifies every store that it has written; two processes
read each into memory of its own, so nothing is returned together. All run in a fresh interpreter for each repeat, or a
fresh process, from memory. Rounds are interleaved, their order alternates. *First* compares the first passes of the
processes, in which both sides wait for memory that nobody has used before; *best of 5* the best of five in each.

The sync level is the same on both sides: LMDB's commit forces data to the device in the reference, so both are measured
at the level ``end``, where folders are forced too; PNG and HDF5 force nothing, and neither do ours (``buffered``).

A figure is the median of the ratios reference / ours with its distribution-free 95 % interval. A row is *ok* if the
medians reach its target (0.9 if it has no other), *below* if an interval lies under it, *unsure* if only a median does.
A goal is shown, and decides nothing. The exit code is 0 if all rows are ok, 1 if one is below, 3 if one is unsure.
"""

from __future__ import annotations

import argparse
import inspect
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from imgstore_tui.bench.processes.executor import ProcessExecutor
from imgstore_tui.bench.protocol.messages import Step, TrialRequest
from imgstore_tui.bench.system.ext4_placement import spread_folders, unique_name, warm_directory
from imgstore_tui.core.operations import Operation, Payload, SyncLevel
from imgstore_tui.plugins import registry
from imgstore_tui.plugins.saved_specs import access_of
from imgstore_tui.stats.ratios import paired_ratio
from imgstore_tui.testing.store_material import remove_store
from tests.benchmarks import first_loop, open_reads, reference
from tests.benchmarks.markdown import code_block, row_of, table_head
from tests.benchmarks.passes import PASSES
from tests.benchmarks.pixels import make_pixels
from tests.benchmarks.scripts import run_script
from tests.benchmarks.verdicts import FLOOR, exit_code, verdict_of, worst

O = Operation  # noqa: E741
SHUFFLED, IN_ORDER = 64, 256
"""Images of a call."""


@dataclass(frozen=True)
class Side:
    """A way of ours that a reference is compared with."""

    spec: str
    workers: int = 1
    target: float = FLOOR
    goal: float | None = None


@dataclass(frozen=True)
class Case:
    """Rows that share a reference and its rounds."""

    method: str
    operation: Operation
    sides: tuple[Side, ...]
    count: int | None = None
    """None for all images of the set."""
    loop: bool = False
    """Whether it is compared with a first program's loop; else with the article's own code."""
    mode: str = ""
    """How the loop opens HDF5, if not as it should."""

    @property
    def what(self) -> str:
        """What is done, in words."""
        if self.operation is O.WRITE_MANY:
            return "write all"
        if self.operation is O.READ_MANY:
            return f"in order, {IN_ORDER} a call" if self.loop else "read all"
        if self.operation is O.READ_RANDOM:
            return f"shuffled, {SHUFFLED} a call"
        return {O.WRITE_ONE: "write one", O.READ_ONE: "read one", O.GET_ONE: "one of an open store"}[self.operation]

    def delivered(self, side: Side) -> str:
        """What both sides deliver."""
        if self.operation.writes:
            return "closed store"
        if self.operation in (O.READ_ONE, O.GET_ONE):
            return "one image and its label"
        if side.workers > 1:
            return "batches, by two processes"
        if self.loop:
            return "batches, none kept"
        return "all in two arrays" if self.method == "hdf5" else "all in two lists"


def _sets(png_fast: bool) -> dict[str, tuple[int, int, list[Case]]]:
    fast = (Side("disk+png-fast"),) if png_fast else ()
    fast_twice = (*fast, Side("disk+png-fast", 2)) if png_fast else ()
    hdf5, direct = Side("hdf5"), Side("hdf5:access=direct")
    both = (hdf5, direct)
    goal_in_order, goal_shuffled = (Side("hdf5", goal=2), direct), (Side("hdf5", goal=5), direct)
    article = [
        Case("lmdb", O.WRITE_MANY, (Side("lmdb"),)),
        Case("lmdb", O.READ_MANY, (Side("lmdb"),)),
        Case("hdf5", O.WRITE_MANY, both),
        Case("hdf5", O.READ_MANY, goal_in_order),
        Case("disk", O.WRITE_MANY, (Side("disk"), Side("disk", 2), *fast_twice)),
        Case("disk", O.READ_MANY, (Side("disk"), *fast)),
    ]
    one = [
        Case(name, operation, sides, count=1)
        for name, sides in (("disk", (Side("disk"),)), ("lmdb", (Side("lmdb"),)), ("hdf5", both))
        for operation in (O.WRITE_ONE, O.READ_ONE)
    ]
    loop = [
        Case("lmdb", O.READ_RANDOM, (Side("lmdb"),), loop=True),
        Case("lmdb", O.GET_ONE, (Side("lmdb"),), loop=True),
        Case("hdf5", O.READ_MANY, (*goal_in_order, Side("hdf5", 2), Side("hdf5:access=direct", 2)), loop=True),
        Case("hdf5", O.READ_RANDOM, goal_shuffled, loop=True),
        Case("hdf5", O.GET_ONE, both, loop=True),
    ]
    small = [
        Case("hdf5", O.READ_RANDOM, goal_shuffled, loop=True, mode="r+"),
        Case("disk", O.READ_RANDOM, (Side("disk"),), loop=True),
        Case("disk", O.GET_ONE, (Side("disk"),), loop=True),
    ]
    by_two = [Case("disk", O.READ_MANY, (Side("disk+png-fast", 2),), loop=True)] if png_fast else []
    return {
        "10,000 x 32x32x3": (32, 10_000, [*article, *one, *loop, *small, *by_two]),
        "200 x 512x512x3": (512, 200, [*article, *loop, *by_two]),
    }


TABLES = {
    False: (
        "The tutorial's own code, unchanged",
        reference,
        (reference.CifarImage, reference.write_disk, reference.read_disk, reference.write_lmdb, reference.read_lmdb,
         reference.write_hdf5, reference.read_hdf5),
    ),
    True: (
        "A first program's loop",
        first_loop,
        (first_loop.open_disk, first_loop.open_lmdb, first_loop.open_hdf5),
    ),
}  # fmt: skip
"""Title, module and code of the references, by whether they are loops."""
COLUMNS = (
    "images", "method", "operation", "access", "both deliver", "sync", "workers", "reference ms", "ours ms",
    "times as fast, first", f"best of {PASSES}", "wanted", "verdict",
)  # fmt: skip


@dataclass
class Durations:
    """Seconds by round: of the first pass, and of the best."""

    first: dict[int, float] = field(default_factory=dict)
    best: dict[int, float] = field(default_factory=dict)

    def add(self, number: int, seconds: list[float], *, passes: bool) -> None:
        """Add a round; without passes the seconds are samples, of which the median counts."""
        self.first[number] = seconds[0] if passes else statistics.median_low(seconds)
        if passes:
            self.best[number] = min(seconds)


@dataclass(frozen=True)
class ImageSet:
    """One set of images, and the folder in which both sides have their stores."""

    folder: Path
    title: str
    size: int
    count: int

    @property
    def source(self) -> Path:
        """The images as the trials read them."""
        return self.folder / "source"

    def make(self) -> None:
        """Make the images."""
        spread_folders(self.folder)
        make_pixels(self.source, self.size, self.count)


class Comparison:
    """The rounds of a case: the reference, and each of our sides."""

    def __init__(self, case: Case, images: ImageSet) -> None:
        self._case, self._images = case, images
        self._count = case.count or images.count
        self._sync = SyncLevel.END if case.method == "lmdb" else SyncLevel.BUFFERED
        self._executor = ProcessExecutor([registry.resolve_spec(side.spec) for side in case.sides])
        self._suffix = {kind.name: kind.file_suffix for kind in registry.local_backends()}[case.method]
        folder = images.folder
        self._stores = [folder / "theirs", *(folder / f"ours-{n}{self._suffix}" for n in range(len(case.sides)))]
        """The store that is read: of the reference, then of each side."""
        self._dummies: dict[int, Path] = {}
        """The store on which a script of ours warms up, by the number of its side, from 1."""
        self._facts = {
            "count": self._count, "seed": "s", "source": str(images.source), "level": self._sync.value,
            "passes": PASSES, "batch": SHUFFLED if case.operation is O.READ_RANDOM else IN_ORDER, "method": case.method,
        }  # fmt: skip

    def rows(self, pairs: int) -> list[tuple[str, str]]:
        """Run so many rounds, and return the rows of the sides, each with its verdict."""
        if not self._case.operation.writes:
            self._make_stores()
        durations = [Durations() for _ in self._stores]
        new_stores: list[Path] = []
        for number in range(pairs):
            self._executor.begin_round()
            for who in range(len(self._stores))[:: 1 if number % 2 else -1]:
                store = self._stores[who]
                if self._case.operation.writes:
                    store = self._new_place(who, number)
                    new_stores.append(store.parent)
                durations[who].add(number, self._seconds(who, store), passes=self._by_passes(who))
                if who and self._case.operation is O.WRITE_MANY:
                    self._trial(who, store, Step.VERIFY)
        self._executor.close()
        # Not earlier: deleting many files slows the next that are made.
        for store in (*new_stores, *self._stores[1:], *self._dummies.values(), self._stores[0]):
            remove_store(store)
        return [self._row(side, durations[0], ours) for side, ours in zip(self._case.sides, durations[1:], strict=True)]

    def _make_stores(self) -> None:
        """Write the stores that are read, and the dummies of those that a script reads."""
        run_script(reference, {**self._facts, "operation": "write-many", "store": str(self._stores[0])})
        for who, side in enumerate(self._case.sides, 1):
            self._trial(who, self._stores[who], Step.PREPARE)
            if side.workers == 1 and self._case.operation is not O.READ_ONE:
                self._dummies[who] = self._images.folder / f"dummy-{who}{self._suffix}"
                self._trial(who, self._dummies[who], Step.PREPARE, 1)

    def _new_place(self, who: int, number: int) -> Path:
        """Return a place for a store in a new folder, whose block group is in memory, with nothing left to write."""
        folder = self._images.folder
        place = folder / unique_name(f"{who}-{number}")
        assert warm_directory(place)
        subprocess.run(["sync", "-f", str(folder)], check=True)
        return place / f"store{self._suffix if who else ''}"

    def _by_passes(self, who: int) -> bool:
        """Whether the seconds of the reference (0) or a side are those of passes, not samples."""
        return self._case.operation in (O.READ_MANY, O.READ_RANDOM) and (not who or who in self._dummies)

    def _seconds(self, who: int, store: Path) -> list[float]:
        """Return the seconds of the reference (0) or of a side in one round."""
        case = self._case
        if not who:
            method = f"{case.method}-{case.mode}" if case.mode else case.method
            facts = {**self._facts, "method": method, "operation": case.operation.value, "store": str(store)}
            return run_script(first_loop if case.loop else reference, facts)
        if who not in self._dummies:
            return [self._trial(who, store)]
        return run_script(open_reads, {
            **self._facts, "operation": case.operation.value if case.loop else "all", "lists": case.method != "hdf5",
            "access": "direct" if "access=direct" in case.sides[who - 1].spec else None,
            "dummy": str(self._dummies[who]), "store": str(store),
        })  # fmt: skip

    def _trial(self, who: int, store: Path, step: Step = Step.TRIAL, images: int | None = None) -> float:
        """Run a trial of a side, and return its seconds."""
        side = self._case.sides[who - 1]
        operation = O.WRITE_MANY if step is Step.PREPARE else self._case.operation
        request = TrialRequest(
            step, registry.resolve_spec(side.spec), operation, images or self._count, str(store),
            str(self._images.source), str(self._images.folder), seed="s", sync=self._sync,
            workers=side.workers if step is Step.TRIAL else 1,
        )  # fmt: skip
        outcome = self._executor.run(request, 600, lambda done: None, threading.Event())
        assert outcome.ok, outcome.reason
        return outcome.result.seconds or 0.0

    def _row(self, side: Side, theirs: Durations, ours: Durations) -> tuple[str, str]:
        case = self._case
        first, best = paired_ratio(theirs.first, ours.first), paired_ratio(theirs.best, ours.best)
        verdict = worst([verdict_of(first, side.target), verdict_of(best, side.target)])
        reached = (best or first).median if best or first else 0.0  # type: ignore[union-attr]
        goal = side.goal and f"{side.goal:g} is the goal: {'reached' if reached >= side.goal else 'not reached'}"
        spec = registry.resolve_spec(side.spec)
        access = access_of(spec, case.operation, Payload.END_TO_END, uniform=True)
        images = "1" if case.count == 1 else self._images.title
        level = self._sync.value if case.operation.writes else "-"
        method = f"{side.spec}, {case.mode}" if case.mode else side.spec
        middle = [f"{statistics.median(values.values()) * 1000:,.3g}" for values in (theirs.first, ours.first)]
        cells = (
            images, f"`{method}`", case.what, access or "-", case.delivered(side), level, side.workers,
            *middle, first, best, goal or f"{side.target:g}", verdict,
        )  # fmt: skip
        return row_of(cells), verdict


def main() -> int:
    """Print both tables and return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=6)
    parser.add_argument("--only", nargs="*", default=[], help="rows that contain one of these, e.g. 32/lmdb/write-many")
    arguments = parser.parse_args()
    began = time.monotonic()
    codec = registry.codecs.all().get("png-fast")
    lacking = codec is None or bool(registry.missing_imports(codec))
    verdicts: list[str] = []
    for loop, (title, module, code) in TABLES.items():
        print(f"### {title}\n\n{table_head(COLUMNS)}", flush=True)
        for name, (size, count, cases) in _sets(not lacking).items():
            chosen = [case for case in cases if case.loop == loop and _is_chosen(case, size, arguments.only)]
            if not chosen:
                continue
            with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
                images = ImageSet(Path(folder), name, size, count)
                images.make()
                for case in chosen:
                    for row, verdict in Comparison(case, images).rows(arguments.pairs):
                        print(row, flush=True)
                        verdicts.append(verdict)
        print(f"\nThe reference, of `{module.__name__}`:\n\n{code_block(*map(inspect.getsource, code))}\n", flush=True)
    if lacking:
        print("Not measured: `disk+png-fast`, which needs `pip install imgstore-tui[fastpng]`.")
    counted = ", ".join(f"{verdicts.count(word)} {word}" for word in ("ok", "below", "unsure"))
    print(f"{arguments.pairs} interleaved pairs a row, synthetic images: {counted}.")
    print(f"{(time.monotonic() - began) / 60:.0f} minutes", file=sys.stderr)
    return exit_code(verdicts)


def _is_chosen(case: Case, size: int, only: list[str]) -> bool:
    labels = [f"{size}/{side.spec}/{case.operation.value}/{side.workers}" for side in case.sides]
    return not only or any(text in label for text in only for label in labels)


if __name__ == "__main__":
    sys.exit(main())
