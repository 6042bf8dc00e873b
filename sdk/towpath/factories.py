"""`Dataset.File` and `Dataset.Tabular`: datasets out of paths and URLs. Nothing is read or written until it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from towpath.archives import ArchiveOptions
from towpath.data_type import DataType, checked_types, header_of
from towpath.datapath import OnePlace, sources_of
from towpath.errors import DefinitionError
from towpath.file_dataset import FileDataset
from towpath.notices import warn
from towpath.spelling import checks_keywords, one_of
from towpath.tabular_dataset import TabularDataset
from towpath.view import InPlace

if TYPE_CHECKING:
    import pandas as pd

    from towpath.datapath import DataPath

Places = "OnePlace | list[OnePlace]"
ENCODINGS = ("utf8", "iso88591", "latin1", "ascii", "utf16", "utf32", "utf8bom", "windows1252")


class FileDatasetFactory:
    """Makes datasets whose records are files."""

    @staticmethod
    @checks_keywords
    def from_files(
        path: OnePlace | list[OnePlace] | None = None,
        validate: bool = True,  # noqa: ARG004 - the inventory says what is there, always
        partition_format: str | None = None,
        is_file: bool = False,
        paths: OnePlace | list[OnePlace] | None = None,
        archive_options: ArchiveOptions | None = None,
    ) -> FileDataset:
        """Name files: a URL, a DataPath, a tuple (datastore, path), or a list of these; folders are recursive.

        `archive_options` says that each is an archive, and which entries are the files. What is there is found by
        a mover when a run starts or the dataset is registered, whatever `validate` says.
        """
        sources = sources_of(_one_of_two(path, paths), archive_options, partition_format)
        if archive_options is not None:
            warn("Azure ML's from_files had no archive_options.", "as it is written", "H2")
        if is_file and (len(sources) > 1 or archive_options):
            raise DefinitionError("is_file=True is for one path of one file.")
        return FileDataset(InPlace({"sources": sources}))

    @staticmethod
    @checks_keywords
    def upload_directory(
        src_dir: str,
        target: DataPath | tuple[Any, str],
        pattern: str | None = None,
        overwrite: bool = False,
        show_progress: bool = True,
    ) -> FileDataset:
        """Upload a folder's files to a place in a datastore, and return them as a dataset that is not registered.

        `pattern` is a glob over the paths in the folder. Files that are there with equal content are left.
        """
        from towpath.uploading import upload_directory  # noqa: PLC0415 - a step has no backend

        place = upload_directory(src_dir, target, pattern, overwrite, show_progress)
        return FileDatasetFactory.from_files(place)


class TabularDatasetFactory:
    """Makes datasets whose records are rows."""

    @staticmethod
    @checks_keywords
    def from_delimited_files(  # noqa: PLR0913, PLR0917 - Azure ML's keywords
        path: OnePlace | list[OnePlace],
        validate: bool = True,  # noqa: ARG004 - the inventory says what is there, always
        include_path: bool = False,
        infer_column_types: bool = True,
        set_column_types: dict[str, DataType] | None = None,
        separator: str = ",",
        header: object = True,
        partition_format: str | None = None,
        support_multi_line: bool = False,  # noqa: ARG004 - line ends in quotes are always understood
        empty_as_string: bool = False,
        encoding: str = "utf8",
    ) -> TabularDataset:
        """Name CSV files. Line ends in quotes are always understood, whatever `support_multi_line` says.

        `include_path`, `infer_column_types`, `set_column_types` and `empty_as_string` are for `to_pandas_dataframe`;
        a step gets files of the same format.
        """
        csv = {
            "separator": _separator(separator),
            "header": header_of(header),
            "encoding": one_of("encoding", encoding, ENCODINGS),
        }
        reading = {
            "include_path": include_path,
            "infer": infer_column_types,
            "types": checked_types(set_column_types),
            "empty_as_string": empty_as_string,
        }
        return _tabular(path, partition_format, {"csv": _without_defaults(csv)}, reading)

    @staticmethod
    @checks_keywords
    def from_parquet_files(
        path: OnePlace | list[OnePlace],
        validate: bool = True,  # noqa: ARG004
        include_path: bool = False,
        set_column_types: dict[str, DataType] | None = None,
        partition_format: str | None = None,
    ) -> TabularDataset:
        """Name Parquet files, which say themselves what their columns are."""
        reading = {"include_path": include_path, "types": checked_types(set_column_types)}
        return _tabular(path, partition_format, {"parquet": {}}, reading)

    @staticmethod
    @checks_keywords
    def from_json_lines_files(  # noqa: PLR0913, PLR0917 - Azure ML's keywords
        path: OnePlace | list[OnePlace],
        validate: bool = True,  # noqa: ARG004
        include_path: bool = False,
        set_column_types: dict[str, DataType] | None = None,
        partition_format: str | None = None,
        invalid_lines: str = "error",
        encoding: str = "utf8",
    ) -> TabularDataset:
        """Name files of one JSON object per line; `invalid_lines` ("error" or "drop") is for `to_pandas_dataframe`."""
        if one_of("encoding", encoding, ENCODINGS) not in ("utf8", "ascii"):
            raise DefinitionError(f"JSON lines are utf8, not {encoding}: convert the files.")
        reading = {
            "include_path": include_path,
            "types": checked_types(set_column_types),
            "drop_invalid": one_of("invalid_lines", invalid_lines, ("error", "drop")) == "drop",
        }
        return _tabular(path, partition_format, {"jsonLines": {}}, reading)

    @staticmethod
    @checks_keywords
    def register_pandas_dataframe(
        dataframe: pd.DataFrame,
        target: Any,
        name: str,
        description: str | None = None,
        tags: dict[str, str] | None = None,
        show_progress: bool = True,
    ) -> TabularDataset:
        """Write a DataFrame as one Parquet file below `target`, and register it; equal content is the same version."""
        from towpath.frames import register_frame  # noqa: PLC0415

        about = {"description": description, "tags": tags}
        return register_frame(dataframe, target, name, about, show_progress)

    @staticmethod
    def from_sql_query(*_arguments: object, **_keywords: object) -> TabularDataset:
        """Refuse: a query is another dataset each time."""
        raise DefinitionError(
            "from_sql_query is not offered: a query gives other rows each time. Let a step run it and write its rows "
            "to an output with `register`."
        )


def _one_of_two(path: Any, paths: Any) -> Any:
    if paths is None:
        return path
    if path is not None:
        raise TypeError("from_files takes path; paths is another spelling of it: give one of them")
    warn("from_files(paths=…) is from_files(path=…).", "path=", "H1")
    return paths


def _separator(separator: str) -> str:
    if len(separator) != 1 or separator in '"\r\n':
        raise DefinitionError(f"separator is one character, no quote and no line end, not {separator!r}.")
    return separator


def _without_defaults(csv: dict[str, str]) -> dict[str, str]:
    defaults = {"separator": ",", "header": "AllFilesHaveSameHeaders", "encoding": "utf8"}
    return {name: value for name, value in csv.items() if value != defaults[name]}


def _tabular(
    path: Any, partition_format: str | None, format_: dict[str, Any], reading: dict[str, Any]
) -> TabularDataset:
    sources = sources_of(path, None, partition_format)
    return TabularDataset(InPlace({"type": "Tabular", "format": format_, "sources": sources}), (), reading)
