"""How should I store my images? Measured with your own images, on your own machine."""

from __future__ import annotations

import os as _os

# Not from typing, which takes milliseconds to load: an interrupt then would print a traceback of this module.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from imgstore_tui.results import Results
    from imgstore_tui.sequence import StoredImages

__version__ = "0.1.0"


def open(  # noqa: A001 - a name of this module, not of whoever imports from it
    location: str | _os.PathLike[str], *, trust: bool = False, access: str | None = None
) -> StoredImages:
    """Open a store as a map-style sequence: ``len``, ``[i]``, slices and lists of numbers, ``labels``.

    Args:
        location: Path of a store or of a file of another program, or the address of a store on a server.
        trust: Whether files of other programs are read in this process, too. A damaged or hostile file may kill the
            process or worse; without trust it is read in a child process, at the price of a pipe.
        access: How the store is read, where its backend has an option of that name; None for its default, the
            library of the format.

    Raises:
        ImgstoreError: If it cannot be read; the message is a sentence.
    """
    from imgstore_tui.sequence import StoredImages

    return StoredImages(location, trust=trust, access=access)


def run(methods: str | list[str] | None = None, **choices: Any) -> Results:
    """Measure storage methods and return the results: ``run(["disk", "lmdb"], images=[10, 100]).rows()``.

    Args:
        methods: Storage methods, as on the command line: ``lmdb``, ``hdf5:chunks=64``; None for those of the plan.
        **choices: ``data``, ``images``, ``operations``, ``rounds``, ``budget``, ``plan`` and the other arguments of
            ``imgstore_tui.results.run``.

    Raises:
        ImgstoreError: If a word is unknown, or the run cannot start; the message is a sentence.
    """
    from imgstore_tui import results

    return results.run(methods, **choices)


def load(name: str | Path = "last") -> Results:
    """Return the results of a saved run: ``load().rows()``.

    Args:
        name: Its id or name, the path of its file, or ``last``.

    Raises:
        ImgstoreError: If there is no such run, or its file cannot be read.
    """
    from imgstore_tui import results

    return results.load(name)
