"""What a volume's file system answered → a named failure: what failed, where, as which user, and what to do."""

from __future__ import annotations

import errno
from typing import NamedTuple

from towpath_mover.beneath import kind
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.volume_folder import NotAFileError


class _Verdict(NamedTuple):
    reason: Reason
    what: str
    advice: str


_COPY = "Links and special files of a volume are never followed or opened: put a copy there, or leave it out."
_MISSING = _Verdict(Reason.OBJECT_NOT_FOUND, "there is no such file", "See who deleted it.")
_IN_THE_WAY = _Verdict(
    Reason.FILE_AND_FOLDER,
    "a file stands where a folder is needed, or a folder where a file is",
    "No disk can hold both: rename one of them.",
)
_NOT_PERMITTED = _Verdict(
    Reason.PERMISSION_DENIED,
    "permission denied",
    "Let this user or one of these groups read and write there, or let the step run as one who may.",
)
_FULL = _Verdict(Reason.STORE_FULL, "the volume is full", "Make room on the volume, or enlarge it.")
_NO_SUCH_NAME = _Verdict(
    Reason.UNSAFE_PATH, "the volume's file system takes no such name", "Rename the file."
)
_AWAY = _Verdict(
    Reason.STORE_UNAVAILABLE, "the volume does not answer as a disk does", "See what serves the volume."
)
_UNKNOWN = _Verdict(Reason.STORE_REFUSED, "the file system refused it", "See the volume's own manual.")
_VERDICTS = {
    errno.ENOENT: _MISSING,
    errno.ENOTDIR: _IN_THE_WAY,
    errno.EISDIR: _IN_THE_WAY,
    errno.ENOTEMPTY: _IN_THE_WAY,
    errno.EEXIST: _IN_THE_WAY,
    errno.ELOOP: _Verdict(Reason.UNSAFE_FILE, "a symbolic link stands on the way", _COPY),
    errno.EACCES: _NOT_PERMITTED,
    errno.EPERM: _NOT_PERMITTED,
    errno.EROFS: _Verdict(
        Reason.READ_ONLY,
        "the volume can only be read",
        "Say readOnly: true in the Datastore, or have the volume mounted for writing.",
    ),
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.ENAMETOOLONG: _NO_SUCH_NAME,
    errno.EINVAL: _NO_SUCH_NAME,
    errno.EILSEQ: _NO_SUCH_NAME,
    errno.EIO: _AWAY,
    errno.ESTALE: _AWAY,
    errno.ENOTCONN: _AWAY,
    errno.ETIMEDOUT: _AWAY,
    errno.EHOSTDOWN: _AWAY,
    errno.EHOSTUNREACH: _AWAY,
    errno.EREMOTEIO: _AWAY,
    errno.ECONNABORTED: _AWAY,
    errno.ECONNRESET: _AWAY,
}


def volume_failure(error: OSError, tried: str, identity: str, room: str) -> MoverFailure:
    """Return the named failure; `tried` is such as "write file 'a' on claim 'b'", `room` what is free on the volume."""
    verdict = _verdict(error)
    if verdict is _FULL:
        verdict = _FULL._replace(what=f"{_FULL.what} ({room})")
    message = f"Could not {tried} as {identity}: {verdict.what} ({error.strerror}). {verdict.advice}"
    return MoverFailure(verdict.reason, message)


def _verdict(error: OSError) -> _Verdict:
    if isinstance(error, NotAFileError):
        return _Verdict(Reason.UNSAFE_FILE, f"it is {kind(error.mode)}", _COPY)
    return _VERDICTS.get(error.errno or 0, _UNKNOWN)
