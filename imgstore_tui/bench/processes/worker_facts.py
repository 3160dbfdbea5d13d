"""Describes a worker of a cluster by itself: its machine, its cores, its versions, and which files it sees."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imgstore_tui
from imgstore_tui.bench.system.environment import library_versions

_PACKAGE = Path(imgstore_tui.__file__).parent


@dataclass(frozen=True, slots=True)
class WorkerFacts:
    """A worker as it describes itself."""

    address: str
    machine: str
    boot: str
    """Differs between machines, and between two starts of one."""
    cores: int
    versions: dict[str, str]
    sees_scratch: bool

    @property
    def same_machine(self) -> bool:
        """Whether it runs on the machine of this process."""
        return self.boot == boot_id()


def boot_id() -> str:
    """Return what tells a machine, since its last start, from others; its name where the kernel does not say."""
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return socket.gethostname()


def wall_clock() -> float:
    """Return the time of day, seconds."""
    return time.time()


def versions_of(modules: Sequence[str]) -> dict[str, str]:
    """Return the versions of this program, of its code, and of libraries by import name."""
    versions = library_versions(modules)
    return {"imgstore-tui": imgstore_tui.__version__, "the code of imgstore-tui": code_digest()} | {
        name: versions.get(name, "not installed") for name in modules
    }


@functools.cache
def code_digest() -> str:
    """Return a digest of the code of this program: two clones may call different code by one version."""
    digest = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*.py")):
        digest.update(path.relative_to(_PACKAGE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def describe_worker(modules: Sequence[str], token: str, text: str) -> dict[str, Any]:
    """Return the facts of the worker that runs this, see ``WorkerFacts``."""
    try:
        sees_scratch = Path(token).read_text(encoding="ascii") == text
    except (OSError, ValueError):
        sees_scratch = False
    return {
        "machine": socket.gethostname(), "boot": boot_id(), "cores": len(os.sched_getaffinity(0)),
        "versions": versions_of(modules), "sees_scratch": sees_scratch,
    }  # fmt: skip
