"""Memory of the scan of very many shards and members: ``python -m tests.benchmarks.scan_memory [--members 1M]``.

A folder of 1,000 Parquet shards and a tar of 1,000,000 members are written by libraries of the ecosystem and as tar has
it, scanned as a dataset, and the first, the last and some pictures between are read. A line for each gives the largest
memory of the process that reads them, and of the one that asks; both grow with the index, not with the pictures.
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import tempfile
import time
from pathlib import Path

from PIL import Image

from imgstore_tui.core.units import format_bytes, format_count, parse_count
from imgstore_tui.plugins import registry

BLOCK = 512
_MIB = 2**20


def png(level: int) -> bytes:
    """Return a picture file of less than a block."""
    buffer = io.BytesIO()
    Image.new("L", (8, 8), level % 256).save(buffer, "PNG")
    return buffer.getvalue()


def write_tar(path: Path, members: int) -> None:
    """Write a tar of pictures and labels: each picture is followed by its ``.cls``."""
    with path.open("wb") as file:
        parts = []
        for number in range(members // 2):
            for name, data in ((f"{number:08}.png", png(number)), (f"{number:08}.cls", b"%d" % (number % 10))):
                parts.append(header(name.encode(), len(data)) + data.ljust(BLOCK, b"\0"))
            if len(parts) > 10_000:
                file.write(b"".join(parts))
                parts = []
        file.write(b"".join(parts) + bytes(2 * BLOCK))


def header(name: bytes, size: int) -> bytes:
    """Return the header of a member, as POSIX has it."""
    block = bytearray(BLOCK)
    block[: len(name)] = name
    block[100:136] = b"0000644\0" + b"0000000\0" * 2 + b"%011o\0" % size
    block[136:156] = b"00000000000\0" + b" " * 8
    block[156:157], block[257:265] = b"0", b"ustar\x0000"
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def write_shards(folder: Path, shards: int, rows: int = 20) -> None:
    """Write shards of Parquet named as Hugging Face does."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir()
    for shard in range(shards):
        numbers = range(shard * rows, shard * rows + rows)
        images = [{"bytes": png(number), "path": f"{number}.png"} for number in numbers]
        table = pa.table({"image": images, "label": [number % 10 for number in numbers]})
        pq.write_table(table, folder / f"train-{shard:05}-of-{shards:05}.parquet")


def scan(path: Path, expected: int) -> str:
    """Scan a dataset and read some of it in a process of its own; return what it took."""
    reading, writing = os.pipe()
    if not (child := os.fork()):
        os.close(reading)
        os.write(writing, _scan_here(path, expected).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as pipe:
        return pipe.read() or "it has died"


def _scan_here(path: Path, expected: int) -> str:
    before = _resident()
    reports: list[tuple[str, int, int | None]] = []
    start = time.monotonic()
    dataset = registry.make_dataset(f'store:"{path}"')
    dataset.scan(lambda *report: reports.append(report))
    took = time.monotonic() - start
    if len(dataset) != expected:
        return f"{len(dataset)} images instead of {expected}"
    for index in (0, expected // 2, expected - 1, 17 % expected):
        if int(dataset.image(index).flat[0]) != index % 256 or dataset.label(index) != index % 10:
            return f"image {index} is another"
    asking = _resident() - before
    del dataset
    reader = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return (
        f"{format_count(expected)} images in {took:.1f} s, {len(reports)} reports of progress, "
        f"the process that reads {format_bytes(reader)}, the one that asks +{format_bytes(max(0, asking))}"
    )


def _resident() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> int:
    """Measure both, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", default="1M", help="members of the tar, half of them pictures")
    parser.add_argument("--shards", type=int, default=1000)
    parser.add_argument("--most", type=int, default=1024, help="MiB that the process that reads may take")
    arguments = parser.parse_args()
    members = parse_count(arguments.members)
    too_large = False
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_shards(root / "shards", arguments.shards)
        print(f"{format_count(arguments.shards)} Parquet shards: {scan(root / 'shards', arguments.shards * 20)}")
        write_tar(root / "a.tar", members)
        size = format_bytes((root / "a.tar").stat().st_size)
        print(f"a tar of {format_count(members)} members, {size}: {scan(root / 'a.tar', members // 2)}", flush=True)
        # The largest of all children so far, both scans among them.
        too_large = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 > arguments.most * _MIB
    return 1 if too_large else 0


if __name__ == "__main__":
    raise SystemExit(main())
