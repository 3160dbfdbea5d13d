"""Reports the free bytes and inodes of a file system."""

from __future__ import annotations

import os
from pathlib import Path


def free_bytes(path: Path) -> int:
    """Return the bytes that an ordinary user may still write on the file system of a path."""
    status = os.statvfs(path)
    return status.f_bavail * status.f_frsize


def free_files(path: Path) -> int | None:
    """Return how many more files the file system of a path can hold; None if it has no limit."""
    status = os.statvfs(path)
    return status.f_favail if status.f_files else None
