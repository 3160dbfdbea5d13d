"""Downloads a server that only a registry has, with the registry's own client, into the program's folder."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from imgstore_tui.core.errors import UnavailableError, UsageError
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_bytes
from imgstore_tui.jobs.servers.downloads import Download
from imgstore_tui.jobs.servers.places import programs_folder
from imgstore_tui.jobs.servers.recipe import ServerRecipe

_LONGEST_S = 1800


def download_of(recipe: ServerRecipe) -> Download:
    """Return what is downloaded for a server.

    Raises:
        UsageError: If nothing is: packages carry it.
    """
    if recipe.download is None:
        raise UsageError(f"{recipe.title} is not downloaded by this program. {recipe.how_to_get}.")
    return recipe.download


def described(download: Download) -> str:
    """Return what is downloaded, how large, under which licence, from where and where to, in one sentence."""
    return (
        f"{download.title}: about {format_bytes(download.size_bytes)} from {download.registry}, "
        f"licence {download.licence}, to {programs_folder() / download.folder}"
    )


def fetch(download: Download) -> Path:
    """Download into a folder of its own; it is there whole, or not at all.

    Returns:
        The folder.

    Raises:
        UnavailableError: If the registry's client is missing or fails.
        OSError: If the folder cannot be written.
    """
    target = programs_folder() / download.folder
    if target.exists():
        return target
    if shutil.which(download.client) is None:
        raise UnavailableError(
            f"{download.title} is downloaded with {download.client}, which is not installed. "
            f"Install it ({download.client_package}), then try again."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{download.folder}-", dir=target.parent))
    try:
        partial.chmod(0o755)
        for command in download.commands(partial):
            done = subprocess.run(
                command, cwd=partial, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                check=False, timeout=_LONGEST_S,
            )  # fmt: skip
            if done.returncode:
                lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
                raise UnavailableError(
                    f"{download.title} cannot be downloaded; {command[0]} says: "
                    f"{safe_text(next((line for line in lines if 'ERROR' in line), ' '.join(lines[-2:])))[:400]}"
                )
        download.finish(partial)
        try:
            partial.rename(target)
        except OSError:
            if not target.exists():  # another process was faster
                raise
    except subprocess.TimeoutExpired:
        raise UnavailableError(
            f"{download.title} was not downloaded within {_LONGEST_S} s; nothing was kept."
        ) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target
