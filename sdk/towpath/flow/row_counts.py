"""Views of rows → what they take, estimated before any row was read: the share of all bytes that they draw.

Only reading everything would tell exactly, since rows differ in length and draws in luck.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from towpath.flow.contents import Content, Counted
from towpath.flow.parquet_scratch import waiting_bytes
from towpath.flow.transforms import Sample, Shard, Split, Transform

BLOCK = 4096
# Rows have at most 8 MiB, so that shares of few and large ones are the least even.
LEAST_SLACK = 64 << 20
# Which of many files is the largest is not known: none is expected to be larger than so many of the middling ones.
LARGEST = 4


def counted_rows(chain: Iterable[Transform], content: Content) -> Counted:
    """What a view of the rows of this content takes: bytes as they are expected, disk with room for bad luck."""
    share = row_share(chain)
    expected = -(-content.bytes * share.numerator // share.denominator)
    # A file loses a block, and its folder may take one.
    slack = max(LEAST_SLACK, expected // 4) + 2 * BLOCK * content.files
    if "parquet" in (content.format or {}):
        # A file is brought whole beside the one that is made of it, which may be packed less tightly; and rows wait.
        largest = _largest(content)
        return Counted(content.files, expected, expected + slack + largest + waiting_bytes(largest))
    return Counted(content.files, expected, min(content.scratch_bytes, expected + slack))


def _largest(content: Content) -> int:
    return min(content.bytes, LARGEST * -(-content.bytes // max(content.files, 1)) + LEAST_SLACK)


def row_share(chain: Iterable[Transform]) -> Fraction:
    """The share of all rows that a chain takes, or 1 where that depends on what the rows are."""
    share = Fraction(1)
    for transform in chain:
        match transform:
            case Sample(part):
                share *= part
            case Split():
                begin, end = transform.bounds()
                share *= end - begin
            case Shard(_, count):
                share /= count
            case _:
                pass
    return share
