"""A record's draw: a number that only seed, place in the chain, kind of operation and the record's id decide.

No draw depends on another record: so order, parallelism and added files change nothing for the others.
docs/explanation/views.md has the rule in words. Standard library only: the movers import it.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from hashlib import blake2b
from typing import TypeVar

from towpath.flow.transforms import GroupBy

# A draw is 128 bits long; its first 53 are the documented u, the others only tell equal u apart in exact views.
DRAW_BITS = 128
U_BITS = 53
END = 1 << DRAW_BITS

Item = TypeVar("Item")


def draws(seed: int, position: int, kind: str, id_of: Callable[[Item], bytes]) -> Callable[[Item], int]:
    """Return the function from a record to its draw, for one operation of one chain."""
    keyed = blake2b(key=f"{seed} {position} {kind}".encode())

    def draw(record: Item) -> int:
        # A copy, since the key is taken in once for all records.
        hashed = keyed.copy()
        hashed.update(id_of(record))
        return int.from_bytes(hashed.digest()[: DRAW_BITS // 8])

    return draw


def first_draw_from(share: Fraction) -> int:
    """The least draw whose u is not below this share: exact, for any share of 0 to 1."""
    # u < share means, for whole numbers, that the first 53 bits are below this, rounded up.
    least = -(-share.numerator * (1 << U_BITS) // share.denominator)
    return least << (DRAW_BITS - U_BITS)


def file_id(path: str) -> bytes:
    """The id of a file."""
    return path.encode()


def row_id(path: str, row: int) -> bytes:
    """The id of a row; a path holds no control character, so no file and no other row has it."""
    return b"%s\0%d" % (path.encode(), row)


def group_id(path: str, group_by: GroupBy | None) -> bytes:
    """The id that a file shares with its group; its own without one."""
    match group_by:
        case None:
            return file_id(path)
        case GroupBy.STEM:
            return _stem(path).encode()
        case GroupBy.FOLDER:
            return path.rpartition("/")[0].encode()


def _stem(path: str) -> str:
    folder, slash, name = path.rpartition("/")
    stem, _, _ = name.rpartition(".")
    # `.hidden` is a name without an extension.
    return folder + slash + (stem if stem.strip(".") else name)
