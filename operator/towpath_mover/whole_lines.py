"""Pieces of text, cut anywhere → texts that end with a line, so that no line is split; the last may have no end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from towpath_mover.row_errors import MAX_ROW, Place, RowError


def whole_lines(pieces: Iterable[str]) -> Iterator[str]:
    """Yield the same text cut after newlines; RowError for a line longer than a row may be."""
    place = Place()
    # Joined only when a newline is found: a long line is not copied with every piece.
    begun: list[str] = []
    length = 0
    for piece in pieces:
        cut = piece.rfind("\n") + 1
        if cut:
            text = "".join((*begun, piece[:cut]))
            yield text
            place.pass_over(text)
            begun, length = [], 0
        begun.append(piece[cut:])
        length += len(begun[-1])
        if length > MAX_ROW:
            raise RowError(
                place.line, 1, f"the line has more than {MAX_ROW} characters: a row is not that long"
            )
    if last := "".join(begun):
        yield last
