"""A backend that tells the instrument what is not so, in one way for each value of its option.

It comes from outside the package, and cheats only in a process that has warmed up, because only such a process times;
small stores are honest, too.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from imgstore_tui.bench.system.page_cache import resident_share
from imgstore_tui.core.backend import Content, DiskUsage, PayloadKind, Reader, Writer
from imgstore_tui.core.manifest import check_put
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.core.options import Option
from imgstore_tui.storekit.local import LocalBackend
from tests.outside.ledger import MANIFEST, PAYLOADS, Ledger, LedgerReader, LedgerWriter

DEFERRED = ("thread", "slow-thread", "fork", "slow-fork", "orphan")
"""Ways to write a store after it was closed."""
KINDS = (
    "none",
    "second-pass",
    "second-workers",
    "after-50",
    "when-cold",
    "process-cache",
    "hidden-file",
    "no-force",
    "light",
    *DEFERRED,
)
HONEST_IMAGES = 10
"""A store of at most this many images is written and read honestly."""
DELAY_S = 0.3
SOON_S = 0.005
"""A thread that wrote at once could be done before the clock stops, and would be no cheat."""
SINGLE_READS = 50
"""As many as an operation of single reads takes at most."""
COLD_SHARE = 0.5
WORKERS = 2
FORCED_CALLS = 999

_cache: dict[Path, CachedReader] = {}
_deferred: list[Callable[[], object]] = []
"""Wait for what was deferred: called where the instrument asks something off the clock."""


class _Seen:
    """What this process has done so far, of stores that are not small."""

    warmed_up = False
    opened = 0
    single_reads = 0


class CheatWriter(LedgerWriter):
    kind = "none"

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Any) -> None:
        check_put(self._location, self._content, len(self._labels), ids, payloads, labels)
        self._add(payloads, labels)

    def put_array(self, ids: Sequence[int], images: Any, labels: Any) -> None:
        check_put(self._location, self._content, len(self._labels), ids, images, labels)
        self._add([image.tobytes() for image in images], labels)

    def _add(self, payloads: Sequence[bytes], labels: Any) -> None:
        if not isinstance(self._file, _Held) and self._content.count > HONEST_IMAGES and self.kind in DEFERRED:
            self._file = _Held(self._file)  # type: ignore[assignment]
        self._file.writelines(payloads)
        self._ends += (self._ends[-1] + np.cumsum([len(payload) for payload in payloads], dtype=np.int64)).tolist()
        self._labels += [int(label) for label in labels]

    def close(self) -> None:
        if self._content.count <= HONEST_IMAGES or self.kind not in DEFERRED:
            super().close()
        elif "thread" in self.kind:
            thread = threading.Thread(target=self._close_later)
            thread.start()
            if self.kind == "thread":
                _deferred.append(thread.join)
        else:
            self._fork()

    def _fork(self) -> None:
        pid = os.fork()
        if pid == 0:
            try:
                if self.kind == "orphan" and os.fork():
                    os._exit(0)
                self._close_later()
            finally:
                os._exit(0)
        if self.kind == "fork":
            _deferred.append(lambda: os.waitpid(pid, 0))
        if self.kind == "orphan":
            os.waitpid(pid, 0)

    def _close_later(self) -> None:
        if "slow" in self.kind:
            time.sleep(DELAY_S)
        elif self.kind == "thread":
            time.sleep(SOON_S)
        super().close()


class _Held:
    """A file that keeps what is written in memory until it is closed."""

    def __init__(self, file: Any) -> None:
        self._file, self._payloads = file, list[bytes]()

    def writelines(self, payloads: Sequence[bytes]) -> None:
        self._payloads += payloads

    @property
    def closed(self) -> bool:
        return bool(self._file.closed)

    def close(self) -> None:
        self._file.writelines(self._payloads)
        self._file.close()


class CheatReader(LedgerReader):
    kind = "none"
    idle = False
    _last: ClassVar[bytes] = b""

    def _is_idle(self, images: int) -> bool:
        if self.content.count <= HONEST_IMAGES or not _Seen.warmed_up:
            return False
        _Seen.single_reads += images == 1
        match self.kind:
            case "after-50":
                return _Seen.single_reads > SINGLE_READS
            case "when-cold":
                first = _Seen.opened == 1 if images > 1 else _Seen.single_reads <= SINGLE_READS
                return self.idle and first
        return self.idle

    def read_bytes(self, ids: Sequence[int], labels: Any) -> list[bytes]:
        if self._is_idle(len(ids)):
            return [self._last] * len(ids)
        payloads = super().read_bytes(ids, labels)
        CheatReader._last = payloads[0]
        return payloads

    def read_array(self, ids: Sequence[int], out: Any, labels: Any) -> None:
        if not self._is_idle(len(ids)):
            _fill(out, LedgerReader.read_bytes(self, ids, labels))


def _fill(out: Any, payloads: Sequence[bytes]) -> None:
    for row, payload in zip(out.reshape(len(payloads), -1).view("u1"), payloads, strict=True):
        row[:] = memoryview(payload)


class CachedReader(LedgerReader):
    """Reads everything at the first open, and stays open."""

    def __init__(self, location: Path) -> None:
        super().__init__(location)
        labels = self._labels.copy()
        self._cached = LedgerReader.read_bytes(self, range(self.content.count), labels)

    def read_bytes(self, ids: Sequence[int], labels: Any) -> list[bytes]:
        labels[:] = self._labels[list(ids)]
        return [self._cached[image_id] for image_id in ids]

    def read_array(self, ids: Sequence[int], out: Any, labels: Any) -> None:
        _fill(out, self.read_bytes(ids, labels))

    def close(self) -> None:
        """Stay open."""


class Cheat(Ledger, LocalBackend):
    name = "cheat"
    title = "A ledger that cheats"
    payloads = frozenset({PayloadKind.BYTES, PayloadKind.ARRAY})
    options = (Option("kind", "none", "How it cheats.", choices=KINDS),)

    @property
    def _kind(self) -> str:
        return str(self.values["kind"])

    def create(self, location: Path, content: Content, sync: SyncLevel) -> Writer:
        location.mkdir()
        writer = CheatWriter(location, content)
        writer.kind = self._kind
        return writer

    def open(self, location: Path) -> Reader:
        if self._kind == "process-cache":
            if location not in _cache:
                _cache[location] = CachedReader(location)
            return _cache[location]
        reader = CheatReader(location)
        reader.kind = self._kind
        if reader.content.count <= HONEST_IMAGES:
            _Seen.warmed_up = True
        elif _Seen.warmed_up:
            _Seen.opened += 1
            if self._kind == "second-pass":
                reader.idle = _Seen.opened > 1
            elif self._kind == "second-workers":
                # Two workers read for the check, then two on the clock: all are children of one process.
                with location.with_name(f"{location.name}.opened-below-{os.getppid()}").open("ab") as opened:
                    reader.idle = opened.tell() >= WORKERS
                    opened.write(b"o")
            elif self._kind == "when-cold":
                reader.idle = (resident_share([location / PAYLOADS]) or 0.0) < COLD_SHARE
        return reader

    def files(self, location: Path) -> Iterator[Path]:
        while _deferred:
            _deferred.pop()()
        if self._kind == "hidden-file":
            yield location / MANIFEST
        else:
            yield from super().files(location)

    def make_durable(self, location: Path, changed: Iterable[Path] | None = None) -> int:
        return FORCED_CALLS if self._kind == "no-force" else super().make_durable(location, changed)

    def disk_usage(self, location: Path) -> DiskUsage:
        return DiskUsage(1, 1, 1) if self._kind == "light" else super().disk_usage(location)
