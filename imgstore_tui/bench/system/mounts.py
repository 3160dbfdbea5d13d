"""What is mounted where: which file system a place lies on, and whether two names lead to one place."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

_ESCAPE = re.compile(rb"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted file system, or a part of one. Source: ``/proc/self/mountinfo`` (proc(5))."""

    device: str
    """Its number, ``MAJOR:MINOR``: the same for all mounts of one file system, whatever ``stat`` says."""
    root: str
    """The folder in the file system that is seen at ``point``: ``/``, unless it is a bind mount or a subvolume."""
    point: str
    kind: str
    """E.g. ``ext4``."""
    source: str
    """E.g. ``/dev/sda1``."""


UNKNOWN = Mount("", "/", "/", "unknown", "unknown")
"""Where the system does not tell."""


def mounts() -> list[Mount]:
    """Return all mounts that this process sees, oldest first; none where the system does not tell."""
    try:
        lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        left, _, right = line.partition(b" - ")
        words, kind = left.split(b" "), right.split(b" ")
        found.append(Mount(*(_plain(word) for word in (words[2], words[3], words[4], kind[0], kind[1]))))
    return found


def _plain(word: bytes) -> str:
    r"""Undo the kernel's escapes: a space is written ``\040``."""
    return os.fsdecode(_ESCAPE.sub(lambda match: bytes([int(match[1], 8)]), word))


def mount_of(place: Path) -> Mount:
    """Return what a place lies on: of the mounts over the longest matching point, the last; or ``UNKNOWN``."""
    return _mount_of(str(place.resolve()), mounts())


def _mount_of(real: str, known: list[Mount]) -> Mount:
    best = UNKNOWN
    for mount in known:
        if _is_in(real, mount.point) and (best is UNKNOWN or len(mount.point) >= len(best.point)):
            best = mount
    return best


def mounts_below(folder: Path) -> list[Mount]:
    """Return what is mounted in a folder, the folder itself not counted."""
    real = str(folder.resolve())
    return [mount for mount in mounts() if mount.point != real and _is_in(mount.point, real)]


def is_inside(place: Path, folder: Path) -> bool:
    """Tell whether a place is a folder or somewhere below it, by what they are, not by how they are spelt.

    Links are seen through, and so are bind mounts: of the folder, of a part of it, and those within it.
    """
    real, wanted = place.resolve(), folder.resolve()
    if any(os.path.samestat(above.stat(), wanted.stat()) for above in (real, *real.parents)):
        return True
    known = mounts()
    device, path = _spot(str(real), known)
    inner = [mount for mount in known if _is_in(mount.point, str(wanted))]
    spots = [_spot(str(wanted), known), *((mount.device, mount.root) for mount in inner)]
    return any(device == other and device and _is_in(path, top) for other, top in spots)


def _spot(real: str, known: list[Mount]) -> tuple[str, str]:
    """Return the file system of a place, and the place's path in it: the same however it is reached."""
    mount = _mount_of(real, known)
    within = os.path.relpath(real, mount.point)
    return mount.device, os.path.normpath(os.path.join(mount.root, within))  # noqa: PTH118 - names, not files


def _is_in(path: str, top: str) -> bool:
    return path == top or path.startswith(top.rstrip("/") + "/")
