"""A file whose rows are being read; what is wrong with one is said with the file's name, if its bytes are right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from towpath.flow.transforms import TransformError
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry
from towpath_mover.paths import shown
from towpath_mover.row_errors import RowError
from towpath_mover.row_formats import Pieces, RowFile


class OpenedFile(NamedTuple):
    """A file that is being read: its rows, and the bytes in which they are found."""

    entry: Entry
    pieces: Pieces
    rows: RowFile

    @contextmanager
    def named(self) -> Iterator[None]:
        """Turn what is wrong with a row into BadRow, if the bytes are those that were pinned."""
        try:
            yield
        except RowError as error:
            self._verify()
            message = f"{shown(self.entry.path)}, line {error.line}, column {error.column}: {error.what}."
            raise MoverFailure(Reason.BAD_ROW, message) from error
        except TransformError:
            # Columns that it lacks: of the bytes that were pinned, or of others?
            self._verify()
            raise
        except MoverFailure as failed:
            if failed.reason is Reason.HEADER_MISMATCH:
                self._verify()
            raise

    def _verify(self) -> None:
        for _ in self.pieces:
            pass
