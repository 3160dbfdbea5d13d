"""Writes and reads the file that says which server runs where; it holds secrets, so only its owner can read it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from imgstore_tui.bench.system.app_folders import home_folder
from imgstore_tui.bench.system.processes import start_time
from imgstore_tui.jobs.servers.leftovers import partial_state
from imgstore_tui.jobs.servers.node import Node


def default_folder() -> Path:
    """Return the folder of the files of servers that ``servers up`` has started."""
    return home_folder() / "servers"


@dataclass(frozen=True, slots=True)
class NodeState:
    """What a state file says."""

    file: Path
    name: str
    guardian: int
    started: str
    """When the guardian was started, by the kernel's clock: another process may have its number by now."""
    folder: Path
    port: int
    fast: bool
    pids: tuple[int, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    """Empty while it does not answer yet."""

    @property
    def is_alive(self) -> bool:
        """Whether its guardian runs."""
        return start_time(self.guardian) == self.started


def write(file: Path, node: Node, variables: Mapping[str, str] | None = None) -> None:
    """Write the state of a node that this process guards, whole or not at all."""
    words = {
        "name": node.recipe.name,
        "guardian": os.getpid(),
        "started": start_time(os.getpid()),
        "folder": str(node.folder),
        "port": node.port,
        "fast": node.fast,
        "pids": node.pids,
        "variables": dict(variables or {}),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_state(file, os.getpid())
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
        json.dump(words, stream)
    partial.replace(file)


def read(file: Path) -> NodeState | None:
    """Return what a state file says, None if it is not there or not one."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        words = json.loads(file.read_text(encoding="utf-8"))
        return NodeState(
            file, words["name"], words["guardian"], words["started"], Path(words["folder"]), words["port"],
            words["fast"], tuple(words["pids"]), words["variables"],
        )  # fmt: skip
    return None


def read_all(folder: Path) -> list[NodeState]:
    """Return all of a folder, by name."""
    return [found for file in sorted(folder.glob("*.json")) if (found := read(file)) is not None]
