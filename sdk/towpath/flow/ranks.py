"""Draws and shares of their number → the draws at which to cut, so that exactly so many lie below each.

Two passes over the draws, in memory that does not grow with them. Standard library only: the movers import it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import accumulate

from towpath.flow.draws import DRAW_BITS, END

_BUCKET_BITS = 12
_SHIFT = DRAW_BITS - _BUCKET_BITS
_HALF = Fraction(1, 2)


def cuts(read: Callable[[], Iterable[int]], shares: Sequence[Fraction]) -> tuple[int, ...]:
    """For each share, the draw below which lie that share of all draws, rounded to whole ones, a half up.

    `read` gives all the draws, each time it is called.
    """
    below = _below(read())
    ranks = [int(share * below[-1] + _HALF) for share in shares]
    places = [_bucket(below, rank) for rank in ranks]
    # A bucket holds a 4,096th of all draws: few, however many there are.
    held: dict[int, list[int]] = {place: [] for place in places}
    for draw in read():
        if draw >> _SHIFT in held:
            held[draw >> _SHIFT].append(draw)
    for members in held.values():
        members.sort()
    return tuple(
        END if rank == below[-1] else held[place][rank - below[place]]
        for rank, place in zip(ranks, places, strict=True)
    )


def _below(draws: Iterable[int]) -> Sequence[int]:
    """How many draws lie below each bucket, and below the end of all."""
    counts = array("Q", bytes(8 << _BUCKET_BITS))
    for draw in draws:
        counts[draw >> _SHIFT] += 1
    return array("Q", accumulate(counts, initial=0))


def _bucket(below: Sequence[int], rank: int) -> int:
    """The bucket of the draw that has `rank` others below it; the one past the last for the rank of all."""
    return bisect_right(below, rank) - 1
