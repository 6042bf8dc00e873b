"""Numbers of shards and UIDs of their pods ↔ the short texts that fit into a status, an annotation, a variable.

Standard library only: the movers import it.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from itertools import groupby
from uuid import UUID

_RANGE = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")
_UID = re.compile(r"[A-Za-z0-9_-]{22}")
_UID_LETTERS = 22


def ranges_text(indexes: Iterable[int]) -> str:
    """Numbers as Kubernetes writes completed indexes: `0,2-9`."""
    runs = groupby(enumerate(sorted(set(indexes))), lambda placed: placed[1] - placed[0])
    spans = [[index for _, index in run] for _, run in runs]
    return ",".join(str(span[0]) if len(span) == 1 else f"{span[0]}-{span[-1]}" for span in spans)


def indexes_in(text: str, below: int) -> tuple[int, ...]:
    """The numbers that such a text holds, rising and all below a limit; ValueError if it is none."""
    indexes: list[int] = []
    for part in text.split(",") if text else ():
        first, last = _range(part)
        if last >= below or first > last or (indexes and first <= indexes[-1]):
            raise ValueError(f"{text[:40]!r} does not hold rising numbers below {below}")
        indexes.extend(range(first, last + 1))
    return tuple(indexes)


def packed_uids(uids: Iterable[str]) -> str:
    """UIDs one after another, each as 22 characters of URL-safe base64; ValueError if one is no UUID."""
    return "".join(urlsafe_b64encode(UUID(uid).bytes).decode().rstrip("=") for uid in uids)


def uids_in(text: str) -> tuple[str, ...]:
    """The UIDs that such a text holds; ValueError if it is none."""
    return tuple(_uids(text))


def _uids(text: str) -> Iterator[str]:
    for place in range(0, len(text), _UID_LETTERS):
        letters = text[place : place + _UID_LETTERS]
        if not _UID.fullmatch(letters):
            raise ValueError(f"{letters!r} is no UID")
        yield str(UUID(bytes=urlsafe_b64decode(f"{letters}==")))


def _range(part: str) -> tuple[int, int]:
    found = _RANGE.fullmatch(part)
    if found is None:
        raise ValueError(f"{part[:40]!r} is neither a number nor a range")
    return int(found[1]), int(found[2] or found[1])
