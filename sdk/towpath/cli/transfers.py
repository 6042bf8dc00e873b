"""A mover's line of progress ↔ how far a transfer is, and the words for it. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from towpath.cli.sizes import duration, size_for_people


@dataclass(frozen=True)
class Transfer:
    """How far one transfer was when the mover wrote of it; sizes in bytes, times in seconds."""

    name: str
    files: int
    bytes: int
    seconds: float
    rate: int
    files_total: int | None = None
    bytes_total: int | None = None
    left: int | None = None

    @property
    def is_done(self) -> bool:
        """Whether all bytes are there that are known of."""
        return self.bytes_total is not None and self.bytes >= self.bytes_total


def read_transfer(line: str) -> Transfer | None:
    """What a line of a mover's log says of a transfer; None for any other line."""
    if not line.startswith('{"transfer"'):
        return None
    try:
        told = json.loads(line)
        return Transfer(
            name=str(told["transfer"]),
            files=_whole(told["files"]),
            bytes=_whole(told["bytes"]),
            seconds=float(told["seconds"]),
            rate=_whole(told["bytesPerSecond"]),
            files_total=_perhaps(told.get("filesTotal")),
            bytes_total=_perhaps(told.get("bytesTotal")),
            left=_perhaps(told.get("secondsLeft")),
        )
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None


def transfer_words(transfer: Transfer) -> str:
    """Such as clean: 12.3 MB of 40.0 MB, 3 of 10 files, 8.1 MB/s, 3.4s left."""
    total = f" of {size_for_people(transfer.bytes_total)}" if transfer.bytes_total is not None else ""
    files = f" of {transfer.files_total}" if transfer.files_total is not None else ""
    left = f", {duration(transfer.left)} left" if transfer.left and not transfer.is_done else ""
    return (
        f"{transfer.name}: {size_for_people(transfer.bytes)}{total}, {transfer.files}{files} files, "
        f"{size_for_people(transfer.rate)}/s{left}"
    )


def _whole(value: Any) -> int:
    number = int(value)
    if number < 0:
        raise ValueError("nothing is counted below zero")
    return number


def _perhaps(value: Any) -> int | None:
    return None if value is None else _whole(value)
