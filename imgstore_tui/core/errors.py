"""Defines errors that a user can act on: one sentence that says what, where and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the process."""

    OK = 0
    TRIALS_FAILED = 1
    USAGE = 2
    ENVIRONMENT = 3
    WORSE = 4
    HANGUP = 129
    INTERRUPTED = 130
    TERMINATED = 143


class ImgstoreError(Exception):
    """Root of all errors that are shown to the user as one sentence, never as a traceback."""

    exit_code: ExitCode = ExitCode.ENVIRONMENT


class UsageError(ImgstoreError):
    """The arguments are wrong: an unknown name, a number out of range."""

    exit_code = ExitCode.USAGE


class FileTakenError(UsageError):
    """A file of that name exists, and must not be replaced."""


class UnavailableError(ImgstoreError):
    """The environment lacks something: a driver, a server, a terminal."""


class DataError(ImgstoreError):
    """The user's data cannot be used: it is missing, empty, unreadable, or of an unknown kind."""


class StoreError(ImgstoreError):
    """A store is missing, foreign, truncated or corrupt, or does not hold what is requested."""


class NotAStoreError(StoreError):
    """There is nothing, or something that is no store of the backend and never was."""


class UnsupportedError(ImgstoreError):
    """A backend or codec is used for something that it does not claim."""


def did_you_mean(name: str, known_names: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the most similar known name, or an empty string."""
    matches = difflib.get_close_matches(name.lower(), list(known_names), n=1, cutoff=0.5)
    return f" Did you mean '{matches[0]}'?" if matches else ""


def unknown_name(kind: str, name: str, known_names: Iterable[str]) -> UsageError:
    """Return the error for an unknown name, with the most similar known name and all known names."""
    names = sorted(known_names)
    return UsageError(f"Unknown {kind} '{name}'.{did_you_mean(name, names)} Known: {', '.join(names)}.")
