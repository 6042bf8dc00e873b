"""Files that were staged into a step → a pandas DataFrame; the step's own image has pandas, or a clear error."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from towpath.errors import DatasetExecutionError


def read_frame(files: Mapping[str, Path], *, strict: bool) -> Any:
    """Return the rows of all files, in the order of their paths."""
    pandas = load_pandas()
    frames = [_read(pandas, file, strict) for _, file in sorted(files.items())]
    if not frames:
        return pandas.DataFrame()
    return pandas.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]


def load_pandas() -> Any:
    """Return pandas; DatasetExecutionError says how to get it."""
    try:
        import pandas  # noqa: PLC0415 - an optional dependency
    except ImportError as error:
        raise DatasetExecutionError(
            "to_pandas_dataframe needs pandas: `pip install towpath[pandas]` here, or an image that has it."
        ) from error
    return pandas


def _read(pandas: Any, file: Path, strict: bool) -> Any:
    kind = file.suffix.lower()
    if kind == ".parquet":
        return pandas.read_parquet(file)
    if kind in (".jsonl", ".ndjson", ".json"):
        return pandas.read_json(file, lines=True)
    return pandas.read_csv(
        file, sep="\t" if kind == ".tsv" else ",", on_bad_lines="error" if strict else "warn"
    )
