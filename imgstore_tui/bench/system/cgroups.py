"""Finds the control groups of this process that limit memory and processors, in both versions. Source: cgroups(7)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from imgstore_tui.bench.system.mounts import mounts


def memory_groups() -> Iterator[Path]:
    """Yield the visible folders of the groups of this process that limit memory, the innermost first."""
    yield from _groups("memory")


def processor_quota() -> float | None:
    """Return how many processors' time the groups of this process may use; None if they set no limit."""
    quotas = [quota for group in _groups("cpu") if (quota := _quota_of(group)) is not None]
    return min(quotas, default=None)


def _quota_of(group: Path) -> float | None:
    """Return the quota of one group: ``cpu.max`` of version 2, or ``cpu.cfs_quota_us`` of version 1."""
    try:
        if (group / "cpu.max").is_file():
            quota, period = (group / "cpu.max").read_text(encoding="ascii").split()
        else:
            quota = (group / "cpu.cfs_quota_us").read_text(encoding="ascii").strip()
            period = (group / "cpu.cfs_period_us").read_text(encoding="ascii").strip()
        return int(quota) / int(period) if quota not in {"max", "-1"} else None
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _groups(version_1_controller: str) -> Iterator[Path]:
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
        controller = {"cgroup2": "", "cgroup": version_1_controller}.get(mount.filesystem)
        if controller is None or controller not in groups:
            continue
        if mount.filesystem == "cgroup" and version_1_controller not in mount.point.rpartition("/")[2].split(","):
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
