"""Completing a path while it is written: the file system is asked in a thread, however slow it is."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from textual.suggester import Suggester

from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.paths import expand_path
from imgstore_tui.core.text import safe_text

MOST = 20_000
"""So many entries of a folder are looked at: a folder of a million files must not keep anybody waiting."""


class PathSuggester(Suggester):
    """Suggests the first name that goes on as what was written does; a folder ends in a slash."""

    def __init__(self, *, folders_only: bool = False) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._folders_only = folders_only

    async def get_suggestion(self, value: str) -> str | None:
        """Return the whole path that is suggested; None if there is none."""
        return await asyncio.to_thread(complete, value, folders_only=self._folders_only)


def complete(written: str, *, folders_only: bool = False) -> str | None:
    """Return what a path may go on as: what all that begin like it have in common, else the first of them.

    Names that a line cannot hold as they are (control characters, bytes that are no text) are never suggested.

    Args:
        written: The beginning of a path.
        folders_only: Whether files are left out.
    """
    if not written or written == "~":
        return None
    head, _, begin = written.rpartition("/")
    try:
        folder = expand_path(f"{head}/" if head or written.startswith("/") else ".")
    except ImgstoreError:
        return None
    found = sorted(_names(folder, begin, folders_only=folders_only))
    if not found:
        return None
    first, last = found[0], found[-1]
    same = next((place for place, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first))
    common = first[:same]
    name = common if len(common) > len(begin) else first
    whole = f"{written[: len(written) - len(begin)]}{name}"
    return whole if whole != written else None


def _names(folder: Path, begin: str, *, folders_only: bool) -> list[str]:
    names = []
    try:
        with os.scandir(folder) as entries:
            for _, entry in zip(range(MOST), entries, strict=False):
                if not entry.name.startswith(begin) or (entry.name.startswith(".") and not begin):
                    continue
                if safe_text(entry.name) != entry.name:
                    continue
                if entry.is_dir():
                    names.append(f"{entry.name}/")
                elif not folders_only:
                    names.append(entry.name)
    except OSError:
        # Not there, or not to be read: what is wrong with a path is said when it is looked at.
        return []
    return names
