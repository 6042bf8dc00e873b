"""What lies below an open folder, reached name by name and never through a link.

Whoever may write there chose the names and may change them at any moment; what is opened here lies below all the same.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A FIFO put in a file's place after it was looked at would otherwise hang the open.
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a character device",
    stat.S_IFBLK: "a block device",
}


def kind(mode: int) -> str:
    """Return the words for what is neither a regular file nor a folder."""
    return _KINDS.get(stat.S_IFMT(mode), "neither a file nor a folder")


def descend(folder: int, parts: Iterable[str]) -> int:
    """Open a folder below an open one, which is closed, one name after another; a link on the way is an OSError."""
    for part in parts:
        try:
            below = os.open(part, FOLDER, dir_fd=folder)
        finally:
            os.close(folder)
        folder = below
    return folder


def open_parent(path: Path) -> int:
    """Open the folder of an absolute path without following any link on the way."""
    return descend(os.open("/", FOLDER), path.parts[1:-1])
