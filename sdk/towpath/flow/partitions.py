"""A `partitionFormat` such as `/{dept}/{day:yyyy/MM/dd}/data.csv` → the columns that the path of a file holds.

`{name}` is a text without `/`, `{name:yyyy/MM/dd}` one moment, `*` skips anything, `{{` and `}}` are braces, all else
stands for itself. The format describes the end of a path. Each key takes as little as it can, and is not looked for
again: so hostile paths cost at most the square of their length. Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

Value = str | datetime

_KEY = "(?P<k"
_TOKEN = re.compile(r"\{\{|\}\}|\{(?P<key>[^{}]*)\}|\*|[^{}*]+|.", re.DOTALL)
_MOMENT = re.compile(r"yyyy|MM|dd|HH|mm|ss|[A-Za-z]+|[^A-Za-z]+")
_DIGITS = {"yyyy": 4, "MM": 2, "dd": 2, "HH": 2, "mm": 2, "ss": 2}
_SMALLEST = {"yyyy": 1, "MM": 1, "dd": 1, "HH": 0, "mm": 0, "ss": 0}


class PartitionError(ValueError):
    """A format that can never be used, or a path that does not fit its format; the message names both."""


class Column(NamedTuple):
    """A column's name, and what its values are: `string` or `datetime`."""

    name: str
    type: str


class Partition(NamedTuple):
    """A format, ready to be used."""

    text: str
    columns: tuple[Column, ...]
    expression: re.Pattern[str]

    def columns_of(self, path: str) -> Mapping[str, Value]:
        """The values that a path holds, by column; PartitionError if the path does not fit."""
        found = self.expression.search(f"/{path}")
        if found is None:
            raise PartitionError(f"the path {path!r} does not fit the partitionFormat {self.text!r}")
        values = enumerate(self.columns)
        return {column.name: self._value(number, column, found, path) for number, column in values}

    def _value(self, number: int, column: Column, found: re.Match[str], path: str) -> Value:
        if column.type == "string":
            return found[f"k{number}"]
        parts = found.groupdict()
        try:
            year, month, day, hour, minute, second = (
                int(parts.get(part) or least) for part, least in _SMALLEST.items()
            )
            return datetime(year, month, day, hour, minute, second)
        except ValueError as error:
            why = f"its {column.name} is no date ({error})"
            raise PartitionError(
                f"the path {path!r} does not fit the partitionFormat {self.text!r}: {why}"
            ) from None


def parse(text: str) -> Partition:
    """Return the format; PartitionError says why it can never be used."""
    reader = _Reader(text)
    expression = reader.expression()
    if not reader.columns:
        raise _unusable(text, "it has no key such as {name}")
    begin = "" if text[0] in "/*" else "(?<=/)"
    return Partition(text, tuple(reader.columns), re.compile(begin + expression, re.DOTALL))


class _Reader:
    """Reads a format once, from left to right, into the parts of a regular expression."""

    def __init__(self, text: str) -> None:
        self.columns: list[Column] = []
        self._text = text

    def expression(self) -> str:
        """What stands between two `*` is found once, as early as it can be; the last ends where the path ends."""
        blocks: list[list[str]] = [[]]
        for part in self._parts():
            if part == "*":
                blocks.append([])
            else:
                blocks[-1].append(part)
        blocks[-1].append(r"\Z")
        first, *others = map(_block, blocks)
        return first + "".join(f"(?>.*?{block})" for block in others)

    def _parts(self) -> Iterator[str]:
        for token in _TOKEN.finditer(self._text):
            if token["key"] is not None:
                yield self._key(*token["key"].partition(":"))
            elif token[0] in "{}":
                raise _unusable(self._text, f"a {token[0]} stands alone; write it twice to mean the brace")
            elif token[0] == "*":
                yield "*"
            else:
                yield re.escape(token[0][:1] if token[0] in ("{{", "}}") else token[0])

    def _key(self, name: str, colon: str, moment: str) -> str:
        if not name:
            raise _unusable(self._text, "a key has no name")
        if colon:
            return self._moment(name, moment)
        known = Column(name, "string")
        if known in self.columns:
            return f"(?P=k{self.columns.index(known)})"
        self._add(known)
        return f"{_KEY}{len(self.columns) - 1}>[^/]+?)"

    def _moment(self, name: str, moment: str) -> str:
        if any(column.type == "datetime" for column in self.columns):
            raise _unusable(self._text, "it has two keys with a date")
        parts = _MOMENT.findall(moment)
        if "yyyy" not in parts:
            raise _unusable(self._text, f"the date of {name!r} has no yyyy")
        self._add(Column(name, "datetime"))
        return "".join(self._part_of_moment(part, parts.count(part)) for part in parts)

    def _part_of_moment(self, part: str, count: int) -> str:
        if part in _DIGITS and count == 1:
            return rf"(?P<{part}>[0-9]{{{_DIGITS[part]}}})"
        if part.isalpha():
            raise _unusable(self._text, f"a date is made of yyyy MM dd HH mm ss, each once, not of {part!r}")
        return re.escape(part)

    def _add(self, column: Column) -> None:
        if any(known.name == column.name for known in self.columns):
            raise _unusable(
                self._text, f"the key {column.name!r} is a date in one place and a text in another"
            )
        self.columns.append(column)


def _block(parts: Sequence[str]) -> str:
    """Each key with all that follows it up to the next key; once found, it is not looked for again."""
    groups = [""]
    for part in parts:
        if part.startswith(_KEY):
            groups.append("")
        groups[-1] += part
    return groups[0] + "".join(f"(?>{group})" for group in groups[1:])


def _unusable(text: str, why: str) -> PartitionError:
    return PartitionError(f"the partitionFormat {text!r} cannot be used: {why}")
