"""Defines who reads and writes the bytes of a store: a fact of every row and every operation."""

from __future__ import annotations

from enum import StrEnum


class Access(StrEnum):
    """Who reads or writes the bytes of a store."""

    LIBRARY = "library"
    """The format's own library, which a program of the user's would use."""
    OWN = "own"
    """Code of the backend, which goes to the bytes round the library, or where there is no library."""
    SYSTEM = "system"
    """Files of the operating system, which need no library."""
