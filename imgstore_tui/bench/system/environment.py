"""Describes the machine, as far as it affects the numbers."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import imgstore_tui
from imgstore_tui.bench.system.cgroups import processor_quota
from imgstore_tui.bench.system.disk_space import free_bytes
from imgstore_tui.bench.system.mounts import mount_of
from imgstore_tui.core.model import Environment

_DISTRIBUTIONS = {"PIL": "pillow"}
"""Names of packages that every run uses and that differ from their import names."""


def describe_environment(scratch: Path, data_roots: Iterable[Path], modules: Iterable[str]) -> Environment:
    """Describe this machine, the scratch folder, and the libraries that take part.

    Args:
        scratch: Folder in which stores are made.
        data_roots: Files and folders of the data, to tell whether they are on the same device.
        modules: Import names of the libraries that take part.
    """
    mount = mount_of(scratch)
    devices = {root.stat().st_dev for root in data_roots}
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = quota_text(processor_quota(), cores)
    return Environment(
        imgstore_tui=imgstore_tui.__version__,
        python=platform.python_version(),
        platform=platform.platform(),
        kernel=platform.release(),
        cpu=_cpu_model(),
        cores=cores,
        memory_bytes=_memory_bytes(),
        libraries=library_versions(("numpy", "PIL", *modules)),
        scratch=str(scratch),
        scratch_filesystem=mount.filesystem,
        scratch_device=mount.source,
        scratch_mount_options=mount.options,
        scratch_free_bytes=free_bytes(scratch),
        same_device_as_data=devices == {scratch.stat().st_dev} if devices else None,
        host=platform.node(),
        load=os.getloadavg()[0],
        notes=(quota,) if quota else (),
    )


def quota_text(quota: float | None, cores: int) -> str:
    """Return what a limit of the control group means for the numbers; empty if there is none below the cores."""
    if quota is None or quota >= cores:
        return ""
    return (
        f"The control group (container) of this process may use the time of {quota:.3g} of {cores} cores: what needs "
        "more is halted for parts of each tenth of a second, which shows as slow outliers."
    )


def library_versions(modules: Iterable[str]) -> dict[str, str]:
    """Return the installed version of each library by its import name, without importing it.

    Libraries without a version are left out: those not installed, and modules of Python itself.
    """
    versions = {}
    for module in sorted(set(modules)):
        version = _version_of(module)
        if version is not None:
            versions[module] = version
    return versions


def _version_of(module: str) -> str | None:
    if module.partition(".")[0] in sys.stdlib_module_names:
        return None
    try:
        return importlib.metadata.version(_DISTRIBUTIONS.get(module, module))
    except importlib.metadata.PackageNotFoundError:
        names = _packages(tuple(sys.path)).get(module, [])
        return importlib.metadata.version(names[0]) if names else None


@functools.cache
def _packages(_path: tuple[str, ...]) -> Mapping[str, list[str]]:
    """Return the packages of each module; cached until the import path changes."""
    return importlib.metadata.packages_distributions()


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None
