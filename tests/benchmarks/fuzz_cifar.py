"""Damage CIFAR files in thousands of ways and see that nothing happens: ``python -m tests.benchmarks.fuzz_cifar``.

Every mutated file must end in one sentence, or in images whose bytes all stand in the file and labels in range. It
is read in a child with a cap on its memory; an audit hook sees that nothing is imported, opened for writing, started
or called by name; a child that dies or hangs is a failure with the number of the case, which can be had again by
``--first NUMBER --count 1``.
"""

from __future__ import annotations

import argparse
import gzip
import random
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from imgstore_tui.core.dataset import Dataset
from imgstore_tui.core.errors import DataError
from imgstore_tui.datasets.cifar.layout import CIFAR10, CIFAR100, CifarLayout
from imgstore_tui.plugins.registry import make_dataset
from imgstore_tui.testing.conformance_dataset import is_sentence
from tests.support.cifar_files import pack, write_cifar

MEMORY = 1 << 30
SECONDS = 20
PORTION = 500
"""Cases a child takes."""

# What a pickle may hold, and what no batch does.
OPCODES = bytes(range(0x80, 0x99)) + b"().0123BCFGIJKLMNPQRSTUVX]abcdeghijloqprstu}"
SNIPPETS = (
    b"cos\nsystem\nU\x04true\x85R",
    b"cbuiltins\neval\nU\x011\x85R",
    b"c__main__\nx\n",
    b"(ios\nsystem\n",
    b"\x8c\x02os\x8c\x06system\x93",
    b"\x8e" + b"\xff" * 8,
    b"B\xff\xff\xff\x7f",
    b"T\xff\xff\xff\x7f",
    b"\x8a\xff",
    b"r\xff\xff\xff\x7f",
    b"2" * 500,
    b"\x85" * 500,
    b"I99999999\n",
)

Base = tuple[str, bytes]
"""Name of the dataset, and a file."""


def bases(folder: Path) -> list[Base]:
    """Return whole files of every kind."""
    originals: list[Base] = []
    for name, layout in (("cifar10", CIFAR10), ("cifar100", CIFAR100)):
        for kind in ("python2", "python3:2", "python3:4", "python3:5", "binary"):
            home = folder / f"{name}-{kind}"
            write_cifar(home, layout, kind, 3)
            originals.append((name, _first(home, layout)))
            if kind in {"python2", "binary"}:
                originals.append((name, gzip.decompress(pack(home, folder / f"{home.name}.tar.gz").read_bytes())))
    return originals


def _first(home: Path, layout: CifarLayout) -> bytes:
    part = layout.parts[0]
    path = home / part.name
    return (path if path.exists() else home / part.binary_name).read_bytes()


def mutated(base: bytes, chance: random.Random, others: list[Base]) -> bytes:
    """Return a file with one to four things wrong."""
    data = bytearray(base)
    for _ in range(chance.choice((1, 1, 1, 2, 2, 4))):
        chance.choice(MUTATIONS)(data, chance, others)
    return bytes(data)


def _place(data: bytearray, chance: random.Random) -> int:
    # Half of the time near either end: that is where the structure is, the rest are pixels.
    place = chance.choice((chance.randrange(600), -1 - chance.randrange(600), chance.randrange(1 << 30)))
    return place % len(data) if data else 0


def flip(data: bytearray, chance: random.Random, others: list[Base]) -> None:
    if data:
        data[_place(data, chance)] ^= 1 << chance.randrange(8)


def set_byte(data: bytearray, chance: random.Random, others: list[Base]) -> None:
    if data:
        data[_place(data, chance)] = chance.choice((0, 255, 127, 128, chance.randrange(256)))


def set_opcode(data: bytearray, chance: random.Random, others: list[Base]) -> None:
    if data:
        data[_place(data, chance)] = chance.choice(OPCODES)


def set_number(data: bytearray, chance: random.Random, others: list[Base]) -> None:
    place = _place(data, chance)
    data[place : place + 4] = struct.pack("<I", chance.choice((0, 1, 3071, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 20)))


def remove(data: bytearray, chance: random.Random, others: list[Base]) -> None:
    place = _place(data, chance)
    del data[place : place + chance.choice((1, 2, 10, 512, 3072, 5000))]


def repeat(data: bytearray, chance: random.Random, others: list[Base]) -> None:
    place = _place(data, chance)
    data[place:place] = data[place : place + chance.choice((1, 2, 10, 512, 3072))] * chance.choice((1, 1, 50))


def insert(data: bytearray, chance: random.Random, others: list[Base]) -> None:
    place = _place(data, chance)
    data[place:place] = chance.choice(SNIPPETS)


def cut(data: bytearray, chance: random.Random, others: list[Base]) -> None:
    del data[_place(data, chance) :]


def splice(data: bytearray, chance: random.Random, others: list[Base]) -> None:
    other = chance.choice(others)[1]
    place = chance.randrange(len(other))
    data[_place(data, chance) :] = other[place:]


MUTATIONS: tuple[Callable[[bytearray, random.Random, list[Base]], None], ...] = (
    flip, flip, set_byte, set_opcode, set_opcode, set_number, remove, repeat, insert, cut, splice,
)  # fmt: skip


def cases(first: int, count: int, originals: list[Base]) -> Iterator[tuple[int, str, bytes]]:
    """Yield number, dataset and file of each case; a number always means the same case."""
    for number in range(first, first + count):
        chance = random.Random(number)
        name, base = originals[number % len(originals)]
        data = mutated(base, chance, originals)
        if base[257:262] == b"ustar":
            data = gzip.compress(data, 1)
            if chance.random() < 0.3:
                data = mutated(data, chance, originals)
        yield number, name, data


def look(name: str, path: Path, data: bytes) -> str:
    """Read a file as the program does; return how it ended, or raise AssertionError."""
    refusal = ""
    try:
        dataset = make_dataset(f"{name}:{path},split=all")
        dataset.scan()
        check(dataset, data)
    except DataError as error:
        refusal = str(error)
    else:
        return "right result"
    assert is_sentence(refusal), f"no sentence: {refusal}"
    assert len(refusal) < 800, "a sentence without end"
    return "sentence"


def check(dataset: Dataset, data: bytes) -> None:
    """See that what was read stands in the file."""
    raw = data
    if data.startswith(b"\x1f\x8b"):
        try:
            raw = gzip.decompress(data)
        except (OSError, EOFError, zlib.error):
            raw = b""  # cut or flipped: what it yields before that is what there is
    for index in range(len(dataset)):
        image = dataset.image(index)
        assert image.shape == (32, 32, 3), image.shape
        assert 0 <= dataset.label(index) < len(dataset.label_names)
        planes = image.transpose(2, 0, 1).tobytes()
        assert not raw or planes in raw or planes.decode("latin-1").encode() in raw, "pixels from nowhere"
    assert all(is_sentence(entry.reason) for entry in dataset.excluded), dataset.excluded
    assert all(is_sentence(warning) for warning in dataset.warnings), dataset.warnings


class Watch:
    """Sees what the interpreter is asked to do; armed only while a file is read."""

    EVENTS = (
        "exec",
        "compile",
        "os.",
        "subprocess.",
        "socket.",
        "ctypes.",
        "pickle.",
        "import",
        "builtins.",
        "shutil.",
    )
    HARMLESS = ("os.listdir", "os.scandir")

    def __init__(self) -> None:
        self.armed = False
        self.seen: list[str] = []
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.armed:
            return
        writes = event == "open" and any(letter in str(arguments[1] or "r") for letter in "wax+")
        if writes or (event.startswith(self.EVENTS) and event not in self.HARMLESS):
            self.seen.append(f"{event}{arguments!r}"[:200])


def child(first: int, count: int, folder: Path) -> int:
    """Read a portion of the cases; print how they ended."""
    originals = bases(folder)
    path = folder / "case"
    for name, data in originals:  # everything is imported before the watch begins
        path.write_bytes(data)
        assert look(name, path, data) == "right result"
    for name, data in [
        *originals,
        ("cifar10", b""),
        ("cifar10", b"\x80\x02cos\nsystem\n."),
        ("cifar10", b"\x1f\x8b\x08rest"),
    ]:
        path.write_bytes(data[:300])
        look(name, path, data[:300])
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    watch = Watch()
    ends: Counter[str] = Counter()
    for number, name, data in cases(first, count, originals):
        path.write_bytes(data)
        print(number, flush=True)
        signal.alarm(SECONDS)
        watch.armed = True
        try:
            ends[look(name, path, data)] += 1
        except Exception as error:
            ends["FAILED"] += 1
            print(f"case {number} ({name}): {type(error).__name__}: {error}", file=sys.stderr)
        finally:
            watch.armed = False
            signal.alarm(0)
        if watch.seen:
            ends["FAILED"] += 1
            print(f"case {number} ({name}) did: {watch.seen}", file=sys.stderr)
            watch.seen.clear()
    print(*(f"{end}={number}" for end, number in ends.items()), sep=";")
    return 0


def run(first: int, count: int) -> Counter[str]:
    """Read all cases, in children; return how they ended."""
    ends: Counter[str] = Counter()
    last = first + count
    while first < last:
        some = min(PORTION, last - first)
        with tempfile.TemporaryDirectory() as folder:
            words = ["--child", folder, "--first", str(first), "--count", str(some)]
            done = subprocess.run(
                [sys.executable, "-m", "tests.benchmarks.fuzz_cifar", *words],
                stdout=subprocess.PIPE, text=True, check=False,
            )  # fmt: skip
        lines = done.stdout.splitlines()
        if done.returncode:
            case = lines[-1] if lines else "none"
            print(f"case {case}: the child died ({done.returncode})", file=sys.stderr)
            ends["FAILED"] += 1
            first = int(case) + 1 if case.isdigit() else last
            continue
        for word in lines[-1].split(";"):
            end, _, number = word.partition("=")
            ends[end] += int(number)
        first += some
    return ends


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.fuzz_cifar", description=__doc__)
    parser.add_argument("--count", type=int, default=6000, help="how many files (default 6000)")
    parser.add_argument("--first", type=int, default=0, help="number of the first (default 0)")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child is not None:
        return child(arguments.first, arguments.count, arguments.child)
    start = time.perf_counter()
    ends = run(arguments.first, arguments.count)
    took = time.perf_counter() - start
    print(f"{arguments.count:,} mutated CIFAR files in {took:.0f} s: ", end="")
    print(", ".join(f"{number:,} {end}" for end, number in sorted(ends.items())) + ".")
    return 1 if ends["FAILED"] else 0


if __name__ == "__main__":
    sys.exit(main())
