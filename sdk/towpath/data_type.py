"""Types of columns, and which files begin with a header: what the factories of tabular datasets are told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from towpath.errors import DefinitionError


class PromoteHeadersBehavior(Enum):
    """Which files of a CSV dataset begin with a line of column names."""

    NO_HEADERS = "NoHeaders"
    ONLY_FIRST_FILE_HAS_HEADERS = "OnlyFirstFileHasHeaders"
    COMBINE_ALL_FILES_HEADERS = "CombineAllFilesHeaders"
    ALL_FILES_HAVE_SAME_HEADERS = "AllFilesHaveSameHeaders"


@dataclass(frozen=True)
class DataType:
    """The type of a column, for `set_column_types={"width": DataType.to_float()}`."""

    kind: str
    decimal_mark: str = "."
    formats: tuple[str, ...] = ()

    @staticmethod
    def to_string() -> DataType:
        """Text, as it is written."""
        return DataType("string")

    @staticmethod
    def to_long() -> DataType:
        """Whole numbers of 64 bits."""
        return DataType("long")

    @staticmethod
    def to_float(decimal_mark: str = ".") -> DataType:
        """Numbers; the decimal mark is a dot or a comma."""
        if decimal_mark not in (".", ","):
            raise DefinitionError(f"decimal_mark is . or , and not {decimal_mark!r}.")
        return DataType("float", decimal_mark)

    @staticmethod
    def to_bool() -> DataType:
        """true and false, in any case."""
        return DataType("bool")

    @staticmethod
    def to_datetime(formats: str | list[str] | None = None) -> DataType:
        """Moments; `formats` as of strptime, tried in order. ISO 8601 where omitted."""
        given = [formats] if isinstance(formats, str) else formats or []
        return DataType("datetime", formats=tuple(given))


def header_of(header: object) -> str:
    """Return the API's word for what `header` may be: a boolean, or a PromoteHeadersBehavior."""
    if isinstance(header, bool):
        behaviour = (
            PromoteHeadersBehavior.ALL_FILES_HAVE_SAME_HEADERS
            if header
            else PromoteHeadersBehavior.NO_HEADERS
        )
        return behaviour.value
    if isinstance(header, PromoteHeadersBehavior):
        return header.value
    raise DefinitionError(f"header is True, False or a PromoteHeadersBehavior, not {header!r}.")


def checked_types(types: dict[str, DataType] | None) -> dict[str, DataType]:
    """Return the types of columns; an error names the first that is none."""
    for column, kind in (types or {}).items():
        if not isinstance(kind, DataType):
            raise DefinitionError(
                f"set_column_types[{column!r}] is no DataType: {kind!r}. Use DataType.to_float()."
            )
    return dict(types or {})
