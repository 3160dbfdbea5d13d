"""Reads the mounts: which file system a path is on, and whether a path is inside a folder, through links and binds."""

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
    filesystem: str
    """Kind of file system, e.g. ``ext4``."""
    source: str
    """E.g. ``/dev/sda1``."""
    options: str = ""
    """How it is mounted, e.g. ``rw,relatime,data=ordered``; without options that are paths."""


UNKNOWN = Mount("", "/", "/", "unknown", "unknown")
"""The mount of a path if the system does not tell."""


def mounts() -> list[Mount]:
    """Return all mounts that this process sees, oldest first; none if the system does not tell."""
    try:
        lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
    except OSError:
        return []
    seen = []
    for line in lines:
        left, _, right = line.partition(b" - ")
        (device, root, point, own), (filesystem, source, *shared) = left.split(b" ")[2:6], right.split(b" ")[:3]
        options = _without_paths(_unescaped(b",".join((own, *shared))))
        seen.append(
            Mount(
                _unescaped(device), _unescaped(root), _unescaped(point), _unescaped(filesystem), _unescaped(source),
                options,
            )
        )  # fmt: skip
    return seen


def _without_paths(options: str) -> str:
    """Return mount options, each once, without those that are paths, such as the layers of an overlay."""
    return ",".join(dict.fromkeys(option for option in options.split(",") if "/" not in option))


def _unescaped(field: bytes) -> str:
    r"""Undo the kernel's escapes: a space is written ``\040``."""
    return os.fsdecode(_ESCAPE.sub(lambda match: bytes([int(match[1], 8)]), field))


def mount_of(path: Path) -> Mount:
    """Return the mount of a path: of those with the longest matching point, the last; or ``UNKNOWN``."""
    return _mount_of(str(path.resolve()), mounts())


def _mount_of(real: str, visible: list[Mount]) -> Mount:
    best = UNKNOWN
    for mount in visible:
        if _is_in(real, mount.point) and (best is UNKNOWN or len(mount.point) >= len(best.point)):
            best = mount
    return best


def mounts_below(folder: Path) -> list[Mount]:
    """Return the mounts below a folder, one on the folder itself not included."""
    real = str(folder.resolve())
    return [mount for mount in mounts() if mount.point != real and _is_in(mount.point, real)]


def is_inside(path: Path, folder: Path) -> bool:
    """Return whether a path is a folder or below it, by what they are, not by how they are spelt.

    Links are resolved, and so are bind mounts: of the folder, of a part of it, and those within it.
    """
    real_path, real_folder = path.resolve(), folder.resolve()
    if any(os.path.samestat(above.stat(), real_folder.stat()) for above in (real_path, *real_path.parents)):
        return True
    visible = mounts()
    device, path_in_device = _on_device(str(real_path), visible)
    inner = [mount for mount in visible if _is_in(mount.point, str(real_folder))]
    tops = [_on_device(str(real_folder), visible), *((mount.device, mount.root) for mount in inner)]
    return any(device == other and device and _is_in(path_in_device, top) for other, top in tops)


def _on_device(real: str, visible: list[Mount]) -> tuple[str, str]:
    """Return the device of a path, and the path on it: the same however it is reached."""
    mount = _mount_of(real, visible)
    within = os.path.relpath(real, mount.point)
    return mount.device, os.path.normpath(os.path.join(mount.root, within))  # noqa: PTH118 - names, not files


def _is_in(path: str, top: str) -> bool:
    return path == top or path.startswith(top.rstrip("/") + "/")
