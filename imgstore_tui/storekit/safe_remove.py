"""Removing a folder through handles: no link is followed, no mount is crossed, and whoever waits is told."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from imgstore_tui.core.errors import StoreError

TOLD_EVERY = 256
"""Files between two words to whoever waits."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Removal:
    """Removes names in folders that are held open, and counts.

    A folder is opened by its name in its parent, so that nothing which takes its place meanwhile is followed, and is
    left alone where it is seen through another mount than ``top``, a bind mount of the same file system included.
    """

    def __init__(self, top: int, progress: Callable[[int], None] = lambda _: None) -> None:
        """Begin.

        Args:
            top: Handle of the folder in which things are removed.
            progress: Told now and then how many names are gone; may raise to end it, which leaves the rest.
        """
        self._mount = _mount_seen_by(top)
        self._heard = progress
        self.count = 0

    def remove(self, name: str, within: int, shown: Path) -> None:
        """Remove a file, a link (not what it leads to), or a folder with everything in it.

        Args:
            name: What to remove.
            within: Handle of the folder that it is in.
            shown: Its path, for the sentence.

        Raises:
            StoreError: At a mount; what was before it is gone.
            OSError: If something cannot be removed.
        """
        if not stat.S_ISDIR(os.stat(name, dir_fd=within, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=within)
            self._one_more()
            return
        handle = os.open(name, _FOLDER, dir_fd=within)
        try:
            if _mount_seen_by(handle) != self._mount:
                raise StoreError(f"{shown} was not removed: another file system is mounted there. Unmount it first.")
            self._empty(handle, shown)
        finally:
            os.close(handle)
        os.rmdir(name, dir_fd=within)
        self._one_more()

    def _empty(self, handle: int, shown: Path) -> None:
        with os.scandir(handle) as entries:
            children = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        for name, is_folder in children:
            if is_folder:
                self.remove(name, handle, shown / name)
            else:
                os.unlink(name, dir_fd=handle)
                self._one_more()

    def _one_more(self) -> None:
        self.count += 1
        if not self.count % TOLD_EVERY:
            self._heard(self.count)


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
    """Return what tells the mount through which a folder was opened. Source: ``/proc/self/fdinfo`` (proc(5))."""
    try:
        with open(f"/proc/self/fdinfo/{handle}", "rb", buffering=0) as stream:
            fields = stream.read(1024).split()
        return fields[fields.index(b"mnt_id:") + 1]
    except (OSError, ValueError):
        return os.fstat(handle).st_dev
