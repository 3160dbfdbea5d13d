"""Builds the command that installs a library for this Python, from the metadata of the package that needs it."""

from __future__ import annotations

import importlib.metadata
import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

_OWN = "imgstore-tui"


def install_command(package: str, extra: str | None, requires: Sequence[str]) -> str:
    """Return the command that installs what a plug-in needs: ``python -m pip install 'qoi>=0.7'``.

    The command names the libraries and not the extra, because the extras of a clone are in no package index.

    Args:
        package: The top-level package of the plug-in.
        extra: The extra of that package's distribution that requires the libraries; None if there is none.
        requires: Names to install if the metadata does not list them.
    """
    requirements = list(_requirements(package, extra)) if extra else []
    return f"{_python()} -m pip install {' '.join(shlex.quote(name) for name in requirements or requires)}"


def _requirements(package: str, extra: str | None) -> list[str]:
    if package == __name__.partition(".")[0]:
        names = [_OWN]
    else:
        names = importlib.metadata.packages_distributions().get(package, [])
    for name in names:
        try:
            lines = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        marker = re.compile(rf"""\bextra\s*==\s*['"]{re.escape(extra or "")}['"]""")
        requirements = [line.partition(";")[0].strip() for line in lines if marker.search(line.partition(";")[2])]
        if requirements:
            return requirements
    return []


def _python() -> str:
    """Return the shortest way to start this interpreter from the user's shell."""
    own = Path(sys.executable)
    for name in ("python", "python3"):
        candidate = shutil.which(name)
        # In one folder, python and python3.11 are the same; elsewhere a link may belong to another environment.
        if candidate and Path(candidate).parent.absolute() == own.parent.absolute() and Path(candidate).samefile(own):
            return name
    try:
        current = Path.cwd()
    except OSError:  # it was removed
        return shlex.quote(str(own))
    return shlex.quote(str(own.relative_to(current) if own.is_relative_to(current) else own))
