"""Reports the free bytes and inodes of a file system."""

from __future__ import annotations

import os
from pathlib import Path


def free_bytes(place: Path) -> int:
    """Return the bytes that an ordinary user may still write on the file system of a place."""
    status = os.statvfs(place)
    return status.f_bavail * status.f_frsize


def free_files(place: Path) -> int | None:
    """Return how many files the file system of a place can still hold; None where it has no such limit."""
    status = os.statvfs(place)
    return status.f_favail if status.f_files else None
