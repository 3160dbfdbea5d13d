"""Completes a path while it is typed; reads the file system in a thread."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from textual.suggester import Suggester

from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.paths import expand_path
from imgstore_tui.core.text import safe_text

MAX_ENTRIES = 20_000
"""Entries of a folder that are read at most, so that a folder of a million files does not block."""


class PathSuggester(Suggester):
    """Suggests the first name that begins as typed; a folder ends in a slash."""

    def __init__(self, *, folders_only: bool = False) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._folders_only = folders_only

    async def get_suggestion(self, value: str) -> str | None:
        """Return the suggested path; None if there is none."""
        return await asyncio.to_thread(complete, value, folders_only=self._folders_only)


def complete(typed: str, *, folders_only: bool = False) -> str | None:
    """Return the completed path: the common beginning of all matches, else the first match; None if there is none.

    Names with control characters or undecodable bytes are not suggested.

    Args:
        typed: The beginning of a path.
        folders_only: Whether files are left out.
    """
    if not typed or typed == "~":
        return None
    head, _, begin = typed.rpartition("/")
    try:
        folder = expand_path(f"{head}/" if head or typed.startswith("/") else ".")
    except ImgstoreError:
        return None
    names = sorted(_names(folder, begin, folders_only=folders_only))
    if not names:
        return None
    first, last = names[0], names[-1]
    same = next((index for index, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first))
    common = first[:same]
    name = common if len(common) > len(begin) else first
    whole = f"{typed[: len(typed) - len(begin)]}{name}"
    return whole if whole != typed else None


def _names(folder: Path, begin: str, *, folders_only: bool) -> list[str]:
    names = []
    try:
        with os.scandir(folder) as entries:
            for _, entry in zip(range(MAX_ENTRIES), entries, strict=False):
                if not entry.name.startswith(begin) or (entry.name.startswith(".") and not begin):
                    continue
                if safe_text(entry.name) != entry.name:
                    continue
                if entry.is_dir():
                    names.append(f"{entry.name}/")
                elif not folders_only:
                    names.append(entry.name)
    except OSError:
        # Missing or unreadable: the problem is shown when the path is used.
        return []
    return names
