"""Removes a folder through open handles: follows no link, crosses no mount, and reports progress."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from imgstore_tui.core.errors import StoreError

PROGRESS_EVERY = 256
"""Files between two reports of progress."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Removal:
    """Removes names in folders that are open, and counts them.

    Each folder is opened by its name in its open parent, so a link that replaces it meanwhile is not followed. A folder
    on another mount than ``top`` is left alone, a bind mount of the same file system included.
    """

    def __init__(self, top: int, progress: Callable[[int], None] = lambda _: None) -> None:
        """Prepare to remove.

        Args:
            top: Handle of the folder in which things are removed.
            progress: Called now and then with the number of names removed; may raise to stop, which leaves the rest.
        """
        self._mount = _mount_seen_by(top)
        self._progress = progress
        self.count = 0

    def remove(self, name: str, within: int, shown: Path) -> None:
        """Remove a file, a link (not what it leads to), or a folder with everything in it.

        Args:
            name: What to remove.
            within: Handle of the folder that it is in.
            shown: Its path, for messages.

        Raises:
            StoreError: At a mount; what came before it is removed.
            OSError: If something cannot be removed.
        """
        if not stat.S_ISDIR(os.stat(name, dir_fd=within, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=within)
            self._count_one()
            return
        handle = os.open(name, _FOLDER, dir_fd=within)
        try:
            if _mount_seen_by(handle) != self._mount:
                raise StoreError(f"{shown} was not removed: another file system is mounted there. Unmount it first.")
            self._empty(handle, shown)
        finally:
            os.close(handle)
        os.rmdir(name, dir_fd=within)
        self._count_one()

    def _empty(self, handle: int, shown: Path) -> None:
        with os.scandir(handle) as entries:
            children = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        for name, is_folder in children:
            if is_folder:
                self.remove(name, handle, shown / name)
            else:
                os.unlink(name, dir_fd=handle)
                self._count_one()

    def _count_one(self) -> None:
        self.count += 1
        if not self.count % PROGRESS_EVERY:
            self._progress(self.count)


def remove_tree(folder: Path) -> None:
    """Remove a folder with everything in it, as ``Removal`` does.

    Raises:
        StoreError: At a mount.
        OSError: If something cannot be removed, or there is no such folder.
    """
    parent = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        Removal(parent).remove(folder.name, parent, folder)
    finally:
        os.close(parent)


def _mount_seen_by(handle: int) -> object:
    """Return the id of the mount through which a folder was opened. Source: ``/proc/self/fdinfo`` (proc(5))."""
    try:
        with open(f"/proc/self/fdinfo/{handle}", "rb", buffering=0) as stream:
            fields = stream.read(1024).split()
        return fields[fields.index(b"mnt_id:") + 1]
    except (OSError, ValueError):
        return os.fstat(handle).st_dev
