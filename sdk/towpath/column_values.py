"""Columns of a DataFrame → the types that a definition says they have; what is none of them is null, or an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from towpath.data_type import DataType
from towpath.errors import DatasetExecutionError, DefinitionError
from towpath.spelling import near


def converted(
    pandas: Any, frame: Any, types: Mapping[str, DataType], strict: bool, strict_dates: bool
) -> Any:
    """Return the frame with these columns converted."""
    for column, kind in types.items():
        if column not in frame.columns:
            raise DefinitionError(
                f"set_column_types names {column!r}. {near(column, map(str, frame.columns))}"
            )
        is_strict = strict_dates if kind.kind == "datetime" else strict
        values = _converted(pandas, frame[column], kind)
        lost = values.isna() & frame[column].notna()
        if is_strict and lost.any():
            row = int(lost.idxmax())
            raise DatasetExecutionError(
                f"Row {row} of column {column!r} is no {kind.kind}: {frame[column].iloc[row]!r}. on_error='null' gives "
                "nulls in its place."
            )
        frame[column] = values
    return frame


def _converted(pandas: Any, values: Any, kind: DataType) -> Any:
    if kind.kind == "string":
        return values.astype("string")
    if kind.kind == "bool":
        return (
            values.astype("string")
            .str.lower()
            .map({"true": True, "false": False, "1": True, "0": False})
            .astype("boolean")
        )
    if kind.kind == "datetime":
        return _moments(pandas, values, kind.formats)
    text = values.astype("string")
    if kind.decimal_mark == ",":
        text = text.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    numbers = pandas.to_numeric(text, errors="coerce")
    if kind.kind == "float":
        return numbers.astype("float64")
    return numbers.where(numbers % 1 == 0).astype("Int64")


def _moments(pandas: Any, values: Any, formats: tuple[str, ...]) -> Any:
    if not formats:
        return pandas.to_datetime(values, errors="coerce", format="ISO8601")
    found = pandas.to_datetime(values, errors="coerce", format=formats[0])
    for text in formats[1:]:
        found = found.fillna(pandas.to_datetime(values, errors="coerce", format=text))
    return found
