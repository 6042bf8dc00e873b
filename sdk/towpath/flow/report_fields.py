"""Parts of what a mover says in its termination message → values of their types, or a refusal: nothing is believed."""

from __future__ import annotations

import json
import math
import re
from typing import Any

LIMIT_BYTES = 4096
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LARGEST = 2**63 - 1


class UnreadableReportError(ValueError):
    """A mover's termination message is not the report that it owes."""


def report_of(text: str | None) -> dict[str, Any]:
    """The JSON object that a report is; UnreadableReportError if it is none."""
    if not text or len(text.encode(errors="replace")) > LIMIT_BYTES:
        raise UnreadableReportError("there is no report" if not text else "the report is too long")
    try:
        report = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise UnreadableReportError("the report is not JSON") from error
    if not isinstance(report, dict) or report.get("formatVersion") != 1:
        raise UnreadableReportError("the report is not of format version 1")
    return report


def object_of(value: object) -> dict[str, Any]:
    """An object, where one is owed."""
    if not isinstance(value, dict):
        raise UnreadableReportError("an inventory is missing")
    return value


def text_of(value: object, limit: int) -> str:
    """A text that is not empty, of at most so many characters."""
    if not isinstance(value, str) or not 0 < len(value) <= limit:
        raise UnreadableReportError("a text is missing or too long")
    return value


def path_of(value: object) -> str:
    """A plain relative path."""
    text = text_of(value, 1024)
    parts = text.split("/")
    if "" in parts or "." in parts or ".." in parts or not text.isprintable():
        raise UnreadableReportError("a path is not a plain relative one")
    return text


def digest_of(value: object) -> str:
    """A SHA-256 digest."""
    text = text_of(value, 71)
    if not _DIGEST.fullmatch(text):
        raise UnreadableReportError("a digest is none")
    return text


def size_of(value: object) -> int:
    """A count, or a number of bytes."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LARGEST:
        raise UnreadableReportError("a size is none")
    return value


def seconds_of(value: object) -> float:
    """A duration."""
    if not is_number(value) or not isinstance(value, int | float) or not 0 <= value <= 1e9:
        raise UnreadableReportError("a duration is none")
    return float(value)


def is_number(value: object) -> bool:
    """Whether a value is a number that JSON has a word for."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return abs(value) <= 1e308 and math.isfinite(value)


def _refuse_constant(name: str) -> float:
    raise ValueError(name)
