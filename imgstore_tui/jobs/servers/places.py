"""Looks for the programs of servers: on PATH, where Debian puts them, in packages, in the program's own folder."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path

import platformdirs

FOLDER_VARIABLE = "IMGSTORE_TUI_SERVERS"
"""Environment variable with the folder in which ``servers fetch`` keeps what it downloads."""
_FOR_ALL_USERS = Path("/var/lib/imgstore-tui/servers")


def programs_folder() -> Path:
    """Return the folder of what was downloaded; for root one that the user ``nobody`` can enter."""
    if folder := os.environ.get(FOLDER_VARIABLE):
        return Path(folder)
    if os.geteuid() == 0:
        return _FOR_ALL_USERS
    return platformdirs.user_data_path("imgstore-tui", appauthor=False) / "servers"


def on_path(name: str) -> Path | None:
    """Return a program of this name on PATH, or beside this Python."""
    import sys

    found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    return Path(found) if found else None


def newest(pattern: str) -> Path | None:
    """Return the file that an absolute pattern means, of several that with the highest numbers in its path."""
    found = [path for path in Path("/").glob(pattern.lstrip("/")) if path.is_file()]
    return max(found, key=lambda path: [int(number) for number in re.findall(r"\d+", str(path))], default=None)


def in_package(package: str, pattern: str) -> Path | None:
    """Return a file that an installed package carries; the package is not imported.

    Args:
        package: Import name of the top-level package.
        pattern: The file below the package's folder, with ``*`` where it varies.
    """
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for path in sorted(Path(folder).glob(pattern)):
            return path
    return None


def downloaded(pattern: str) -> Path | None:
    """Return what ``servers fetch`` has put into the program's folder."""
    return next(iter(sorted(programs_folder().glob(pattern))), None)


def java(*versions: int) -> Path | None:
    """Return a Java of one of these versions, by the names of their folders or what ``JAVA_HOME`` holds."""
    for version in versions:
        if found := newest(f"/usr/lib/jvm/*{version}*/bin/java"):
            return found
    home = os.environ.get("JAVA_HOME")
    release = Path(home, "release") if home else None
    if home and release and release.is_file():
        version_line = re.search(r'JAVA_VERSION="(\d+)', release.read_text(encoding="utf-8", errors="replace"))
        if version_line and int(version_line[1]) in versions:
            return Path(home, "bin", "java")
    return None


def first_usable(paths: Iterable[Path | None], *, by_nobody: bool = False) -> Path | None:
    """Return the first that is there.

    Args:
        paths: Programs, the preferred first.
        by_nobody: Whether the user ``nobody`` must be able to run it, which root's own folders do not allow.
    """
    for path in paths:
        if path is not None and path.exists() and (not by_nobody or _open_to_all(path.resolve())):
            return path
    return None


def _open_to_all(path: Path) -> bool:
    enter = stat.S_IXOTH
    return all(folder.stat().st_mode & enter for folder in path.parents) and bool(path.stat().st_mode & stat.S_IROTH)


def is_root() -> bool:
    """Whether this process runs as root."""
    return os.geteuid() == 0
