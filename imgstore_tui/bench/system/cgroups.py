"""Finds the control groups of this process that limit and count memory, in both versions. Source: cgroups(7)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from imgstore_tui.bench.system.mounts import mounts


def memory_groups() -> Iterator[Path]:
    """Yield the visible folders of the groups of this process, the innermost first."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return
    groups = {
        controller: parts[2]
        for line in lines
        if len(parts := line.split(":", 2)) == 3
        for controller in parts[1].split(",")
    }
    for mount in mounts():
        # Version 2 has one tree for all controllers, which has no name.
        controller = {"cgroup2": "", "cgroup": "memory"}.get(mount.filesystem)
        if controller is None or controller not in groups:
            continue
        if mount.filesystem == "cgroup" and not mount.point.endswith("/memory"):
            continue
        top = Path(mount.point)
        # In a container its own group is the root of the mount, whatever it is called outside.
        group = top / groups[controller].lstrip("/")
        while group.is_relative_to(top):
            if group.is_dir():
                yield group
            if group == top:
                break
            group = group.parent
