"""Conditions on files, as `dataset.file_metadata('Size') > 1000`: the part of Azure ML's filters that views have."""

from __future__ import annotations

from dataclasses import dataclass

from towpath.errors import DefinitionError
from towpath.spelling import near
from towpath.view import Fields

_ADVICE = "Views know a file's path and size: filter(path='**/*.jpg', min_bytes=1, max_bytes=1_000_000)"


@dataclass(frozen=True)
class FileFilter:
    """Which files stay; both bounds are included."""

    path: str | None = None
    min_bytes: int | None = None
    max_bytes: int | None = None

    def as_field(self) -> Fields:
        """Return the fields of `filter`."""
        fields = {"path": self.path, "minBytes": self.min_bytes, "maxBytes": self.max_bytes}
        given = {name: value for name, value in fields.items() if value is not None}
        if not given:
            raise DefinitionError(f"filter needs a condition. {_ADVICE}.")
        return given

    def __and__(self, other: FileFilter) -> FileFilter:
        """Both conditions."""
        lows = [low for low in (self.min_bytes, other.min_bytes) if low is not None]
        highs = [high for high in (self.max_bytes, other.max_bytes) if high is not None]
        return FileFilter(self.path or other.path, max(lows, default=None), min(highs, default=None))

    def __or__(self, other: object) -> FileFilter:
        """Refuse: a view has no `or`."""
        raise DefinitionError("Conditions of a filter can be joined by & only.")


class FileSize:
    """The size of a file, to be compared with a number of bytes."""

    def __gt__(self, size: int) -> FileFilter:
        """Larger files."""
        return FileFilter(min_bytes=size + 1)

    def __ge__(self, size: int) -> FileFilter:
        """Files of at least that size."""
        return FileFilter(min_bytes=size)

    def __lt__(self, size: int) -> FileFilter:
        """Smaller files."""
        return FileFilter(max_bytes=size - 1)

    def __le__(self, size: int) -> FileFilter:
        """Files of at most that size."""
        return FileFilter(max_bytes=size)


def file_metadata(column: str) -> FileSize:
    """Return what is known of a file under Azure ML's name for it."""
    if column == "Size":
        return FileSize()
    if column in ("LastModifiedTime", "CreationTime", "Extension"):
        raise DefinitionError(f"A view cannot filter by {column}. {_ADVICE}.")
    raise DefinitionError(f"Files have no metadata {column}. {near(column, ['Size'])}")


def filter_of(expression: object, path: str | None, min_bytes: int | None, max_bytes: int | None) -> Fields:
    """Return the fields of `filter` for what a call of it was given."""
    if expression is None:
        return FileFilter(path, min_bytes, max_bytes).as_field()
    if isinstance(expression, FileFilter):
        return (expression & FileFilter(path, min_bytes, max_bytes)).as_field()
    raise DefinitionError(f"{expression!r} is no condition on files. {_ADVICE}.")
