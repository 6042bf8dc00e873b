"""Transforms: views of an inventory. Nothing is copied; equal arguments always give equal files or rows."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from towpath.api.markers import LIST_ATOMIC, list_map_by
from towpath.api.meta import Model, OneOf
from towpath.api.scalars import Glob, Number, Percent, PositiveNumber, Seed, StepName


class GroupBy(StrEnum):
    """Which files stay together in a split."""

    STEM = "Stem"
    FOLDER = "Folder"


class Sample(Model):
    """A random share of the records."""

    percent: Percent
    """How many of a hundred records to take: 50, "12.5", or a reference such as "$(params.share)"."""
    seed: Seed | None = None
    """Seed of the draw; any integer. Drawn once and recorded where omitted."""
    exact: bool = False
    """True gives the exact count instead of about that many; then adding files may move others."""


class SplitPart(Model):
    """One side of a split."""

    name: StepName
    """Name of the part, such as train."""
    percent: Percent | None = None
    """Its share of a hundred records; one part may omit it and gets the rest."""


class Split(Model):
    """One part of a division of all records: the parts are disjoint and together are everything."""

    parts: Annotated[tuple[SplitPart, ...], Field(min_length=2, max_length=16), list_map_by("name")]
    """All parts, in order; the same list in every input that takes a part of the same split."""
    part: StepName
    """Name of the part to take: one of `parts`."""
    seed: Seed | None = None
    """Seed of the draw; any integer. Drawn once and recorded where omitted."""
    exact: bool = False
    """True gives exact counts instead of approximate ones."""
    group_by: GroupBy | None = None
    """Keeps files together that share their path without its extension (Stem) or their folder (Folder)."""


class Take(Model):
    """The first records, in the order of the inventory."""

    count: Number
    """How many records to take: 100, or a reference such as "$(params.first)"."""


class Skip(Model):
    """All records but the first, in the order of the inventory."""

    count: Number
    """How many records to leave out: 100, or a reference such as "$(params.first)"."""


class Filter(Model):
    """Files by path and size."""

    path: Glob | None = None
    """Glob over paths in the inventory; `**` matches any depth, zero included."""
    min_bytes: Number | None = None
    """Leaves out smaller files."""
    max_bytes: Number | None = None
    """Leaves out larger files."""


class Shard(Model):
    """One of several equal shares, by record."""

    index: Number
    """Which share, counted from 0."""
    count: PositiveNumber
    """How many shares there are."""


ColumnName = Annotated[str, Field(min_length=1, max_length=256)]
ColumnNames = Annotated[tuple[ColumnName, ...], Field(min_length=1, max_length=256), LIST_ATOMIC]


class Columns(OneOf):
    """Some columns of all rows, in the order of the files; exactly one of these."""

    keep: ColumnNames | None = None
    """The names of columns to keep; all others are left out."""
    drop: ColumnNames | None = None
    """The names of columns to leave out."""


class Transform(OneOf):
    """One view of what the one before it gave; exactly one of these."""

    sample: Sample | None = None
    """A random share of the records."""
    split: Split | None = None
    """One part of a random division."""
    take: Take | None = None
    """The first records."""
    skip: Skip | None = None
    """All but the first records."""
    filter: Filter | None = None
    """Files by path and size."""
    shard: Shard | None = None
    """One of several equal shares."""
    columns: Columns | None = None
    """Some columns of all rows; of Tabular data only."""


# 16 is what was tried within the CEL budget of 1,000 steps.
Transforms = Annotated[tuple[Transform, ...], Field(max_length=16), LIST_ATOMIC]
