"""What is wrong with a row, and where in its file: lines and columns are counted from 1, columns in characters."""

from __future__ import annotations

from towpath_mover.transfer import MiB

# A row is held whole. An open quote would make one row of the rest of its file.
MAX_ROW = 8 * MiB


class RowError(ValueError):
    """A text that is not rows of its format; whoever knows the file turns it into a BadRow."""

    def __init__(self, line: int, column: int, what: str) -> None:
        super().__init__(what)
        self.line = line
        self.column = column
        self.what = what


class Place:
    """Where in a text we are: moves on over what was read."""

    def __init__(self) -> None:
        self.line = 1
        self.column = 1

    def pass_over(self, text: str) -> None:
        """Move past this text."""
        self.line, self.column = self.after(text)

    def after(self, text: str) -> tuple[int, int]:
        """Return line and column of what comes after this text, which begins here."""
        ends = text.count("\n")
        if not ends:
            return self.line, self.column + len(text)
        return self.line + ends, len(text) - text.rfind("\n")
