"""Which relative paths may name a file of an inventory: those that every store and every Linux disk can hold.

Keys of stores and names of files are hostile input; each refusal has its own words.
"""

from __future__ import annotations

import re

from towpath_mover.failures import MoverFailure, Reason

MAX_PATH_BYTES = 4095
MAX_SEGMENT_BYTES = 255

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SUSPECT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]|(?:^|/)\.{0,2}(?:/|$)")


def check_path(path: str) -> None:
    """Raise UnsafePath or UndecodableName unless the path is relative, plain and storable."""
    if _SUSPECT.search(path):
        raise _refusal(path)
    # A segment of 63 characters has at most 252 bytes: most paths need no second look.
    if len(path) > MAX_SEGMENT_BYTES // 4:
        _check_lengths(path)


def _check_lengths(path: str) -> None:
    encoded = path.encode()
    if len(encoded) > MAX_PATH_BYTES:
        raise _unsafe(path, f"it is longer than {MAX_PATH_BYTES} bytes")
    if max(map(len, encoded.split(b"/"))) > MAX_SEGMENT_BYTES:
        raise _unsafe(
            path, f"a part of it is longer than {MAX_SEGMENT_BYTES} bytes, more than a disk can hold"
        )


def _refusal(path: str) -> MoverFailure:
    try:
        path.encode()
    except UnicodeEncodeError:
        message = f"The file name {shown(path)} is not UTF-8. Rename the file: stores and inventories hold UTF-8 only."
        return MoverFailure(Reason.UNDECODABLE_NAME, message)
    if _CONTROL.search(path):
        return _unsafe(path, "it holds a control character")
    if path.startswith("/"):
        return _unsafe(path, "it is absolute")
    if ".." in path.split("/"):
        return _unsafe(path, "it leaves its folder by `..`")
    return _unsafe(path, "it has an empty part or a `.` part")


def _unsafe(path: str, why: str) -> MoverFailure:
    return MoverFailure(Reason.UNSAFE_PATH, f"The path {shown(path)} is refused: {why}. Rename the file.")


def shown(path: str) -> str:
    """Return a path as it may stand in a message: quoted, escaped, and not longer than a line."""
    text = ascii(path) if _SUSPECT.search(path) else repr(path)
    return text if len(text) <= 200 else f"{text[:160]}…{text[-39:]}"
