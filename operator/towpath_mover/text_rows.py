"""Files of rows that are text: what is kept of one are its mark, a head such as a header, and rows as they stand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO

from towpath_mover.opened_file import OpenedFile
from towpath_mover.row_text import RowText

Batch = list[str]


class TextRows:
    """A file's rows. `head` gives the text before them in a file made of it; it is asked when that file begins.

    `cut` makes of rows what is written of them.
    """

    def __init__(
        self,
        text: RowText,
        batches: Iterator[Batch],
        head: Callable[[], str],
        cut: Callable[[Batch], Batch] | None = None,
    ) -> None:
        self._text = text
        self._batches = batches
        self._head = head
        self._cut = cut

    def batches(self) -> Iterator[Batch]:
        """Yield the rows."""
        return self._batches

    def writer(self, file: BinaryIO) -> TextWriter:
        """Write mark and head, and return what writes the rows."""
        file.write(self._text.mark + self._text.encode(self._head()))
        return TextWriter(self._text, file, self._cut)


def all_rows(files: Iterable[OpenedFile]) -> Iterator[str]:
    """Yield the rows of files that are text, one after another."""
    for file in files:
        with file.named():
            for batch in file.rows.batches():
                yield from batch


class TextWriter:
    """Writes rows as the bytes that they were, but for what is cut from them."""

    def __init__(self, text: RowText, file: BinaryIO, cut: Callable[[Batch], Batch] | None) -> None:
        self._text = text
        self._file = file
        self._cut = cut

    def write(self, batch: Batch, kept: Sequence[int]) -> None:
        """Write the rows at these places of a batch."""
        rows = batch if len(kept) == len(batch) else [batch[place] for place in kept]
        self._file.write(self._text.encode("".join(self._cut(rows) if self._cut else rows)))

    def close(self) -> None:
        """Nothing stands after the last row."""
