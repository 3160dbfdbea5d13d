"""Locks open files against other processes; the kernel drops a lock when its process ends, however it ends.

Some file systems have no locks: NFS without its lock daemon, Lustre without the mount option flock. Source: flock(2).
"""

from __future__ import annotations

import errno
import fcntl

NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP})
"""Errors of a file system without locks."""


def lacks_locks(error: OSError) -> bool:
    """Whether an error says that the file system has no locks."""
    return error.errno in NO_LOCKS


def lock(descriptor: int) -> None:
    """Lock an open file exclusively; wait while another process holds it.

    Raises:
        OSError: If the file system has no locks.
    """
    fcntl.flock(descriptor, fcntl.LOCK_EX)


def try_lock(descriptor: int, *, shared: bool = False) -> bool:
    """Lock an open file without waiting.

    Args:
        descriptor: The open file.
        shared: Whether other processes may hold shared locks at the same time.

    Returns:
        False if another process holds it.

    Raises:
        OSError: If the file system has no locks.
    """
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
