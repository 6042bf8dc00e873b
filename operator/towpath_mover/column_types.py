"""Values of a table's columns → their names and types: what all values that were seen are, and no guess beyond it.

A type is told for people and never used to change a value. Empty values and nulls say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from towpath.flow.columns import Columns

STRING, INTEGER, NUMBER, BOOLEAN, DATETIME = "string", "integer", "number", "boolean", "datetime"
UNKNOWN, MIXED = "null", "mixed"

# What begins with needless zeros is a code, not a number.
_INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[+-]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_BOOLEAN = re.compile(r"true|false", re.IGNORECASE)
# 3/4/2026 is a day in March here and in April there: only the form that all agree on is a date.
_DATETIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}.*)?", re.DOTALL)

_JSON = {bool: BOOLEAN, int: INTEGER, float: NUMBER, str: STRING, list: "array", dict: "object"}


class ColumnTypes:
    """What is known of the columns so far, in the order in which they came."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._types: dict[str, str | None] = dict.fromkeys(names)

    def name(self, names: Iterable[str]) -> None:
        """Add columns that are not known yet."""
        for name in names:
            self._types.setdefault(name, None)

    def see(self, name: str, type_: str | None) -> None:
        """Take in the type of one value; None for one that says nothing."""
        known = self._types.setdefault(name, type_)
        if type_ is not None and type_ != known:
            self._types[name] = type_ if known is None else _both(known, type_)

    def columns(self, unknown: str) -> Columns:
        """Return names and types; `unknown` is that of columns without a value."""
        return tuple((name, type_ or unknown) for name, type_ in self._types.items())


def type_of_text(value: str) -> str | None:
    """The type of a value that is written as text."""
    if not value:
        return None
    if _INTEGER.fullmatch(value):
        return INTEGER
    if _NUMBER.fullmatch(value):
        return NUMBER
    if _BOOLEAN.fullmatch(value):
        return BOOLEAN
    return DATETIME if _DATETIME.fullmatch(value) and _is_date(value) else STRING


def type_of_json(value: object) -> str | None:
    """The type of a value of JSON."""
    return None if value is None else _JSON[type(value)]


def as_text(columns: Columns) -> Columns:
    """The columns of a format in which everything is text: what is not all of one type is a string."""
    return tuple((name, STRING if type_ == MIXED else type_) for name, type_ in columns)


def _both(first: str, second: str) -> str:
    return NUMBER if {first, second} == {INTEGER, NUMBER} else MIXED


def _is_date(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
