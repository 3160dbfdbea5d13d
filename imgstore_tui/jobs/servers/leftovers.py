"""Notes the folder of a server before it is made, finds those whose guardian was killed, and removes them.

A guardian that is killed together with what started it removes nothing, and nobody else knows of its folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from imgstore_tui.bench.system.app_folders import home_folder, make_private
from imgstore_tui.bench.system.processes import start_time
from imgstore_tui.core.errors import StoreError

RUN_PREFIX = "imgstore-tui-run-"
"""What the name of a folder of state files begins with that is needed for one command only."""


@dataclass(frozen=True, slots=True)
class ServerFolder:
    """The folder of a server, noted by the guardian that makes it."""

    note: Path
    path: Path
    """The folder, which may not be there yet or any more."""
    state: Path
    """The state file of the server, which may not be there either."""
    guardian: int
    started: str
    """When the guardian was started, by the kernel's clock."""

    @property
    def is_left(self) -> bool:
        """Whether its guardian has gone."""
        return start_time(self.guardian) != self.started


def _notes() -> Path:
    return home_folder() / "servers" / "folders"


def note(path: Path, state: Path) -> ServerFolder:
    """Note a folder that this process will make, whole or not at all.

    Args:
        path: The folder; its name is nobody else's.
        state: The state file of the server.

    Raises:
        OSError: If it cannot be noted.
    """
    entry = ServerFolder(_notes() / path.name, path, state, os.getpid(), start_time(os.getpid()))
    words = {"path": str(path), "state": str(state), "guardian": entry.guardian, "started": entry.started}
    make_private(entry.note.parent)
    partial = entry.note.with_name(f".{entry.note.name}")
    partial.write_text(json.dumps(words), encoding="utf-8")
    partial.replace(entry.note)
    return entry


def partial_state(state: Path, guardian: int) -> Path:
    """Return the name under which a guardian writes a state file before it takes its place."""
    return state.with_name(f"{state.name}.{guardian}")


def find() -> list[ServerFolder]:
    """Return the folders that killed guardians have left; notes of those that are gone are removed."""
    found = []
    for file in sorted(_notes().glob("[!.]*")):
        entry = _read(file)
        if entry is None or not entry.is_left:
            continue
        if entry.path.exists():
            found.append(entry)
        else:
            remove(entry)
    return found


def remove(entry: ServerFolder) -> None:
    """Remove a folder, the state file of its server, and its note.

    Raises:
        StoreError: If something in the folder cannot be removed; the note stays.
    """
    shutil.rmtree(entry.path, ignore_errors=True)
    if entry.path.exists():
        raise StoreError(f"{entry.path} was left by a server that was killed, and cannot be removed. Remove it.")
    # By now the state file may be that of another server of this name.
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        words = json.loads(entry.state.read_text(encoding="utf-8"))
        if (words["guardian"], words["started"]) == (entry.guardian, entry.started):
            entry.state.unlink()
    with contextlib.suppress(OSError):
        partial_state(entry.state, entry.guardian).unlink(missing_ok=True)
    if entry.state.parent.name.startswith(RUN_PREFIX):
        with contextlib.suppress(OSError):  # it is gone, or there is another server's in it
            entry.state.parent.rmdir()
    entry.note.unlink(missing_ok=True)


def _read(file: Path) -> ServerFolder | None:
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        words = json.loads(file.read_text(encoding="utf-8"))
        return ServerFolder(file, Path(words["path"]), Path(words["state"]), words["guardian"], words["started"])
    return None
