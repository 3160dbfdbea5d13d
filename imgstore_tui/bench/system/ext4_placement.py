"""Places each new store in a fresh ext4 block group, so that deleted stores do not slow the trials that follow.

On ext4 without a journal, which small virtual machines often have, an inode deleted within the last minutes is not
reused, and every file created in the same block group inspects all of these first: after 100,000 files had been
removed, creating one took 200 to 700 microseconds where it takes 30. Which trial meets that would be chance. ext4
spreads the folders in a folder marked as the top of a hierarchy over the block groups, by their names; everything else
is placed near its folder.

Marks: ``FS_TOPDIR_FL`` of linux/fs.h, ``chattr +T`` in chattr(1). Placing: ``find_group_orlov`` in fs/ext4/ialloc.c.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from imgstore_tui.bench.system.inode_flags import TOP_OF_HIERARCHY, add_flag

_BLOCK = bytes(4096)


def spread_folders(folder: Path) -> None:
    """Mark a folder so that each folder made in it gets its own block group, if the file system knows the mark."""
    # One that does not raises an error, and places stores as usual.
    with contextlib.suppress(OSError):
        add_flag(folder, TOP_OF_HIERARCHY)


def unique_name(name: str) -> str:
    """Return a name that no folder had before: a reused name is placed where an earlier run has deleted its store."""
    return f"{name}-{secrets.token_hex(4)}"


def warm_directory(folder: Path) -> bool:
    """Create a folder and use it once, so that the bitmaps of its block group are in memory.

    Returns:
        Whether it could be created; if not, the next call that tries says why.
    """
    try:
        folder.mkdir()
    except OSError:
        return False
    with contextlib.suppress(OSError):
        first = folder / "first"
        try:
            with first.open("xb", buffering=0) as file:
                file.write(_BLOCK)
                os.fdatasync(file.fileno())
        finally:
            first.unlink(missing_ok=True)
    return True
