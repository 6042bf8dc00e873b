"""A registered table → a pandas DataFrame, and back. pandas is loaded only here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towpath.column_values import converted
from towpath.data_type import DataType
from towpath.datapath import DataPath, data_path_of
from towpath.errors import DatasetExecutionError, UserErrorException
from towpath.flow.projection import Projection
from towpath.flow.transform_documents import read_chain
from towpath.reading import files_of, version_spec
from towpath.staged_frame import load_pandas

if TYPE_CHECKING:
    from towpath.tabular_dataset import TabularDataset

_ENCODINGS = {"utf8": "utf-8", "utf8bom": "utf-8-sig", "windows1252": "cp1252", "iso88591": "latin-1"}


def to_frame(dataset: TabularDataset, strict: bool, strict_dates: bool) -> Any:
    """Return the rows of a dataset, in the order of paths and of rows."""
    pandas = load_pandas()
    version = version_spec(dataset)
    with files_of(dataset) as folder:
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        try:
            frames = _read(pandas, files, version["format"], dataset.reading)
        except (ValueError, OSError) as error:
            raise DatasetExecutionError(f"The dataset {dataset.name} cannot be read: {error}") from error
        if dataset.reading.get("include_path"):
            for frame, file in zip(frames, files, strict=True):
                frame.insert(0, "Path", f"/{file.relative_to(folder).as_posix()}")
    frame = pandas.concat(frames, ignore_index=True) if frames else pandas.DataFrame()
    return converted(pandas, frame, _types(dataset), strict, strict_dates)


def register_frame(
    frame: Any, target: Any, name: str, about: Mapping[str, Any], show_progress: bool
) -> TabularDataset:
    """Write a DataFrame below a place of a datastore, under its digest, and register it."""
    # Only here: they know this module.
    from towpath.factories import TabularDatasetFactory  # noqa: PLC0415
    from towpath.uploading import datastore_of, upload_bytes  # noqa: PLC0415

    datastore = datastore_of(target)
    below = data_path_of(target).path_on_datastore if target is not datastore else "managed-dataset"
    content = BytesIO()
    try:
        frame.to_parquet(content, index=False)
    except (ValueError, ImportError) as error:
        raise UserErrorException(f"The DataFrame cannot be written as Parquet: {error}") from error
    data = content.getvalue()
    path = f"{below}/{sha256(data).hexdigest()[:16]}/dataframe.parquet".lstrip("/")
    upload_bytes(datastore, path, data, show_progress)
    dataset = TabularDatasetFactory.from_parquet_files(DataPath(datastore, path))
    return dataset.register(datastore.workspace, name, about["description"], about["tags"], True)


def _read(
    pandas: Any, files: list[Path], format_: Mapping[str, Any], reading: Mapping[str, Any]
) -> list[Any]:
    if "parquet" in format_:
        return [pandas.read_parquet(file) for file in files]
    if "jsonLines" in format_:
        return [_json_lines(pandas, file, reading.get("drop_invalid", False)) for file in files]
    return _csv(pandas, files, format_["csv"], reading)


def _types(dataset: TabularDataset) -> Mapping[str, DataType]:
    """The declared types of the columns that the dataset still has."""
    columns = Projection(read_chain(one for one in dataset.transforms if "columns" in one))
    declared: Mapping[str, DataType] = dataset.reading.get("types", {})
    return {name: type_ for name, type_ in declared.items() if columns.takes(name)}


def _json_lines(pandas: Any, file: Path, drop_invalid: bool) -> Any:
    rows = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        try:
            if line.strip():
                rows.append(json.loads(line))
        except ValueError as error:
            if not drop_invalid:
                raise ValueError(f"{file.name}, line {number} is no JSON: {error}") from error
    return pandas.DataFrame(rows)


def _csv(pandas: Any, files: list[Path], csv: Mapping[str, Any], reading: Mapping[str, Any]) -> list[Any]:
    header = csv.get("header", "AllFilesHaveSameHeaders")
    encoding = csv.get("encoding", "utf8")
    settings: dict[str, Any] = {
        "sep": csv.get("separator", ","),
        "encoding": _ENCODINGS.get(encoding, encoding),
        "keep_default_na": False,
        "na_values": [] if reading.get("empty_as_string") else [""],
    }
    if not reading.get("infer", True) or reading.get("types"):
        settings["dtype"] = str
    frames: list[Any] = []
    for place, file in enumerate(files):
        has_header = header != "NoHeaders" and (place == 0 or header != "OnlyFirstFileHasHeaders")
        frame = pandas.read_csv(file, header=0 if has_header else None, **settings)
        if not has_header:
            count = len(frame.columns)
            frame.columns = (
                frames[0].columns if frames else [f"Column{number + 1}" for number in range(count)]
            )
        elif frames and header == "AllFilesHaveSameHeaders":
            frame.columns = frames[0].columns
        frames.append(frame)
    return frames
