"""Room on the disk for a file that is still to come."""

from __future__ import annotations

import errno
import os

# The file does not grow by it: what has come is its size.
_KEEP_SIZE = 1
_FULL = {errno.ENOSPC, errno.EDQUOT}


def reserve(descriptor: int, size: int) -> None:
    """Take the room at once; OSError where the disk has less. What cannot be asked is left as it is.

    Not by os.posix_fallocate: where a file system cannot do it, that writes into every block instead.
    """
    state = os.fstatvfs(descriptor)
    if size > state.f_bavail * state.f_frsize:
        # Asked all the same, some file systems would first give all that is left.
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    # For large files only, and it costs each start milliseconds.
    import ctypes  # noqa: PLC0415

    try:
        fallocate = ctypes.CDLL(None, use_errno=True).fallocate64
    except AttributeError:
        return
    offset = ctypes.c_int64
    if fallocate(descriptor, _KEEP_SIZE, offset(0), offset(size)) != 0 and ctypes.get_errno() in _FULL:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
