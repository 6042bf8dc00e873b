"""The columns of a table ↔ a text that fits into a mover's report: JSON, deflated, in base64.

A termination message has some 2,400 bytes and a version up to 2,000 columns: of some hundred the names fit. Standard
library only: the movers import it.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import TypeAlias

MAX_COLUMNS = 2000
MAX_NAME = 256
MAX_TYPE = 64

Columns: TypeAlias = tuple[tuple[str, str], ...]

# No list of columns that may be recorded is larger.
_MOST = MAX_COLUMNS * (MAX_NAME + MAX_TYPE) * 6


def packed(columns: Iterable[tuple[str, str]]) -> str:
    """Return the text for names and types of columns."""
    text = json.dumps([list(column) for column in columns], separators=(",", ":"), ensure_ascii=False)
    return b64encode(zlib.compress(text.encode(), 9)).decode()


def unpacked(text: str) -> Columns:
    """Return the columns that a text holds; ValueError for one that holds none, or more than may be recorded."""
    inflate = zlib.decompressobj()
    try:
        listed = json.loads(inflate.decompress(b64decode(text, validate=True), _MOST))
    except (zlib.error, RecursionError) as error:
        raise ValueError(str(error)) from error
    if not isinstance(listed, list) or len(listed) > MAX_COLUMNS or not all(map(_is_column, listed)):
        raise ValueError("not a list of columns")
    return tuple((name, type_) for name, type_ in listed)


def is_recordable(columns: Columns) -> bool:
    """Whether a version can hold these columns."""
    return len(columns) <= MAX_COLUMNS and all(_is_column(list(column)) for column in columns)


def _is_column(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(text, str) for text in value)
        and 0 < len(value[0]) <= MAX_NAME
        and 0 < len(value[1]) <= MAX_TYPE
    )
