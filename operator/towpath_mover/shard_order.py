"""Which shard of its step a pod is: its place in its Job says which of those that the attempt runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from towpath.flow import names
from towpath.flow.index_ranges import indexes_in
from towpath_mover.fields import Fields, OrderError


class ShardOrder(NamedTuple):
    """One of so many shards of a step, with its share of one input."""

    input: str
    number: int
    shards: int


def shard_order(step: Fields, attempt: Fields, environ: Mapping[str, str]) -> ShardOrder | None:
    """Return which shard this pod is, None where the step has none."""
    shards = step.optional_child("shards")
    if shards is None:
        return None
    count, place = shards.number("count"), environ.get(names.INDEX_VARIABLE, "")
    running = indexes_in(attempt.text("shards"), count)
    if not place.isdecimal() or int(place) >= len(running):
        raise OrderError(
            f"The environment variable {names.INDEX_VARIABLE} is {place!r}, no place among {len(running)}."
        )
    return ShardOrder(shards.text("input"), running[int(place)], count)
