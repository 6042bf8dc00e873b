"""Which columns a view of rows takes, by the columns that there are.

Standard library only: the movers import it.
"""

from __future__ import annotations

from collections.abc import Sequence

from towpath.flow.near_names import near
from towpath.flow.transforms import Columns, Transform, TransformError


class Projection:
    """The `columns` of a chain, one after another. `is_met` once a column was taken."""

    def __init__(self, chain: Sequence[Transform]) -> None:
        self.is_met = False
        self._taken = [(place, one) for place, one in enumerate(chain) if isinstance(one, Columns)]

    def __bool__(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self._taken)

    def places(self, columns: Sequence[str]) -> list[int]:
        """Return the places of the columns that are taken, in order; TransformError for a name that is none.

        A column that is there twice is taken, or left out, twice.
        """
        places = list(range(len(columns)))
        for position, taken in self._taken:
            there = [columns[place] for place in places]
            for name in taken.names:
                if name not in there:
                    hint = near(name, there)
                    raise TransformError(f"{_where(position, taken)}: there is no column {name!r}. {hint}")
            places = [place for place in places if takes(taken, columns[place])]
            if not places:
                raise TransformError(f"{_where(position, taken)}: no column is left.")
        self.is_met = True
        return places

    def takes(self, column: str) -> bool:
        """Whether a column is taken, where not every file or row has the same ones."""
        is_taken = all(takes(taken, column) for _, taken in self._taken)
        self.is_met |= is_taken
        return is_taken

    def none_of(self, where: str) -> TransformError:
        """Return the error for files or rows that have no column which is taken."""
        position, taken = self._taken[-1]
        return TransformError(f"{_where(position, taken)}: no column is left of {where}.")


def takes(taken: Columns, column: str) -> bool:
    """Whether a column of this name stays."""
    return (column in taken.names) == taken.is_kept


def _where(position: int, taken: Columns) -> str:
    return f"transforms[{position}].columns.{'keep' if taken.is_kept else 'drop'}"
