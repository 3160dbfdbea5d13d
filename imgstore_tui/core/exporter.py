"""Declares the contract of an exporter, which turns a run into the bytes of a file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from imgstore_tui.core.model import Run


class Exporter(ABC):
    """One format in which a run can be exported.

    Text formats write UTF-8 in which nothing from the user's data can act: no terminal escape, no spreadsheet
    formula, no markup. The same run always gives the same bytes. Subclasses declare the class variables and import
    what they require inside methods only.
    """

    name: ClassVar[str]
    """The word after ``-f``."""
    title: ClassVar[str]
    """What it is good for, in a few words."""
    suffix: ClassVar[str]
    """Suffix of the file's name, with the dot."""
    binary: ClassVar[bool] = False
    """Whether the bytes are not text."""
    archive: ClassVar[bool] = False
    """Whether it packs other formats into one file; listed last."""
    requires: ClassVar[tuple[str, ...]] = ()
    """Import names of libraries; all must be found for the format to be available."""
    extra: ClassVar[str | None] = None
    """Name of the extra that installs them."""

    @abstractmethod
    def export(self, run: Run) -> bytes:
        """Return the run in this format.

        Args:
            run: Any run, also one that is running, that broke off, or that has no measurement.
        """
