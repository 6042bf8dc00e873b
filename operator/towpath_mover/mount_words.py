"""What rclone says of a mount, one line of JSON each → words for people, and whether a read has failed."""

from __future__ import annotations

import json

# It says so of a read that a program was answered with an error; of one that it tries again it says something else.
_FAILED = "IO error: "
# This one it says of its own reading ahead, which nobody waits for.
_ABANDONED = "stream abandoned"


def ready_to_show(line: str) -> str:
    """Return one line of its log in words: the object, and what is the matter."""
    try:
        said = json.loads(line)
        message, about = str(said["msg"]), said.get("object")
    except (ValueError, TypeError, KeyError):
        return line.strip()
    return f"{about}: {message}" if about else message


def failed_reads(words: str) -> str | None:
    """Return what is told of a program's read that failed, or None for all else."""
    where = words.find(_FAILED)
    if where < 0 or words.endswith(_ABANDONED):
        return None
    return f"a read failed: {words[where + len(_FAILED) :]}"
