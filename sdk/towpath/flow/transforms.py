"""What a view asks for, once every reference is replaced and every number is a number; and when it is refused.

`transform_documents.py` reads these from the form of the API, `subsets.py` applies them. Standard library
only: the movers import it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import TypeAlias

from towpath.flow.globs import Glob

ALL = Fraction(1)
MAX_PARTS = 16


class TransformError(ValueError):
    """A view that cannot be: the user changes the field that the message names."""


class GroupBy(StrEnum):
    """What stays together in a split: files of one path but for the extension, or of one folder."""

    STEM = "Stem"
    FOLDER = "Folder"


@dataclass(frozen=True)
class Sample:
    """A random share of the records, above 0 and at most 1."""

    share: Fraction
    seed: int
    exact: bool = False


@dataclass(frozen=True)
class Part:
    """One side of a split; at most one has no share of its own and gets the rest."""

    name: str
    share: Fraction | None = None


@dataclass(frozen=True)
class Split:
    """One part of a random division of all records."""

    parts: tuple[Part, ...]
    part: str
    seed: int
    exact: bool = False
    group_by: GroupBy | None = None

    def __post_init__(self) -> None:
        names = [part.name for part in self.parts]
        if not 2 <= len(names) <= MAX_PARTS:
            raise TransformError(f"parts: a split has 2 to {MAX_PARTS} parts, and here are {len(names)}.")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise TransformError(f"parts: two parts are named {twice[0]}: rename one.")
        if self.part not in names:
            raise TransformError(f"part: {self.part} is none of the parts {', '.join(names)}.")
        _check_shares(self.parts)

    def bounds(self) -> tuple[Fraction, Fraction]:
        """Where the taken part begins and ends between 0 and 1, the parts laid side by side in their order."""
        rest = ALL - sum((part.share or Fraction() for part in self.parts), Fraction())
        begin = Fraction()
        for part in self.parts:
            end = begin + (rest if part.share is None else part.share)
            if part.name == self.part:
                break
            begin = end
        return begin, end


@dataclass(frozen=True)
class Take:
    """The first records, in the order of the inventory."""

    count: int


@dataclass(frozen=True)
class Skip:
    """All but the first records, in the order of the inventory."""

    count: int


@dataclass(frozen=True)
class Filter:
    """The records of files whose path fits the glob and whose size lies within the bounds, both included."""

    path: Glob | None = None
    min_bytes: int | None = None
    max_bytes: int | None = None

    def __post_init__(self) -> None:
        if self.max_bytes is not None and (self.min_bytes or 0) > self.max_bytes:
            raise TransformError(
                f"minBytes: no file has {self.min_bytes} bytes or more, and {self.max_bytes} or less."
            )


@dataclass(frozen=True)
class Shard:
    """Every `count`-th record, beginning with that at place `index`, counted from 0."""

    index: int
    count: int

    def __post_init__(self) -> None:
        if self.index >= self.count:
            raise TransformError(
                f"index: of {self.count} shards, counted from 0, the last is {self.count - 1}; "
                f"there is no {self.index}."
            )


@dataclass(frozen=True)
class Columns:
    """Some columns of all rows: those of these names, or all others. It selects no records."""

    names: tuple[str, ...]
    is_kept: bool


Transform: TypeAlias = Sample | Split | Take | Skip | Filter | Shard | Columns


def percent_text(share: Fraction) -> str:
    """The percent that a share stands for, as the shortest decimal text: `12.5`."""
    places = 10**18
    whole, rest = divmod(int(share * 100 * places), places)
    return f"{whole}.{rest:018d}".rstrip("0").rstrip(".")


def _check_shares(parts: tuple[Part, ...]) -> None:
    without = [part.name for part in parts if part.share is None]
    if len(without) > 1:
        raise TransformError(
            f"parts: {' and '.join(without)} have no percent, and only one part can get the rest: "
            "give a percent to the others."
        )
    given = sum((part.share or Fraction() for part in parts), Fraction())
    if given > ALL:
        raise TransformError(
            f"parts: their percents add up to {percent_text(given)}, which is more than 100."
        )
    if given < ALL and not without:
        raise TransformError(
            f"parts: their percents add up to {percent_text(given)}, so {percent_text(ALL - given)} of a "
            "hundred records would be in no part. Leave out the percent of one part: it gets the rest."
        )
