"""Builds the errors of stores that cannot be read, written or used any more."""

from __future__ import annotations

import errno
import os
import resource
from typing import Literal, TypeVar

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.text import first_line

Handle = TypeVar("Handle")

_REFUSALS = {
    "read": "nothing can be read",
    "put": "nothing more can be put",
    "change": "nothing more can be changed",
}


def read_error(path: object, error: Exception) -> StoreError:
    """Return the error for a file that a driver or the system cannot read."""
    return StoreError(f"{path} cannot be read: {first_line(error)}.")


def write_error(path: object, error: Exception) -> StoreError:
    """Return the error for a file that a driver or the system cannot write."""
    return StoreError(f"{path} cannot be written: {first_line(error)}.")


_LACKS = (
    errno.EMFILE, errno.ENFILE, errno.ENOLCK, errno.ENOMEM, errno.EACCES, errno.EPERM, errno.EIO, errno.ESTALE,
    errno.ETIMEDOUT, errno.EOPNOTSUPP, errno.ENOSYS, errno.ELOOP, errno.ENOSPC, errno.EDQUOT,
)  # fmt: skip
"""Errors of the system that say nothing about the content of a file."""

_NO_MEMORY = ("unable to allocate", "memory allocation failed", "malloc of size", "bad_alloc", "out of memory")
"""What libraries say, in lower case, if they get no memory."""


def lack_of_environment(reason: str) -> str | None:
    """Return a reason, with what to do, if the environment and not the file is to blame; drivers give only a text."""
    if "Could not set lock" in reason:
        return "it cannot be locked, because another process holds it or its file system has no locks"
    if os.strerror(errno.EMFILE) in reason:
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return f"{reason.rstrip('.')}; a process may have {limit:,} here, see ulimit -n"
    if any(words in reason.lower() for words in _NO_MEMORY):
        return f"there is not enough memory for it: {reason.rstrip('.')}"
    return reason.rstrip(".") if any(os.strerror(code) in reason for code in _LACKS) else None


def damaged_error(path: object, reason: str, format_name: str = "") -> StoreError:
    """Return the error for a file whose content is wrong.

    Args:
        path: The file, the folder or the location, which is shown as text.
        reason: What is wrong, without a full stop.
        format_name: What the file should be, such as ``SQLite file``, where it may be something else altogether.
    """
    if why := lack_of_environment(reason):
        return StoreError(f"{path} cannot be read: {why}.")
    return StoreError(f"{path} is damaged{f' or no {format_name}' if format_name else ''}: {reason}.")


def layout_error(location: object) -> StoreError:
    """Return the error for a manifest whose description of the layout is impossible."""
    return damaged_error(location, "what it says of its layout makes no sense")


def require_open(handle: Handle | None, location: object, action: Literal["read", "put", "change"]) -> Handle:
    """Return the handle of an open store.

    Args:
        handle: The connection, file or database; None once it is closed.
        location: The store.
        action: What the caller is about to do.

    Raises:
        StoreError: If the store is closed.
    """
    if handle is None:
        raise StoreError(f"{location} is closed: {_REFUSALS[action]}.")
    return handle
