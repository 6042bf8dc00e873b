"""OutputFileDatasetConfig and OutputTabularDatasetConfig: outputs that may be copied to a place and registered."""

from __future__ import annotations

from typing import Any, TypeVar

from towpath.data_type import PromoteHeadersBehavior, checked_types
from towpath.errors import DefinitionError
from towpath.outputs import InputPortBinding, IsOutput, OutputPort, export_of
from towpath.port_names import check_port
from towpath.promoted import PipelineOutputTabularDataset, csv_format
from towpath.spelling import checks_keywords
from towpath.view import Fields

Self = TypeVar("Self", bound="OutputFileDatasetConfig")


class OutputFileDatasetConfig(IsOutput):
    """An output of a step, which finds its folder made.

    `destination` is (datastore, path): what the step published is copied there as well, never over what is there;
    {run-id} and {output-name} are replaced. `source` is where the step writes it. Without a name it is `output`.
    In `arguments` alone it is an output of that step; in `inputs` it is what the other step wrote.
    What its methods return is the same output.
    """

    @checks_keywords
    def __init__(
        self,
        name: str | None = None,
        destination: Any = None,
        source: str | None = None,
        partition_format: str | None = None,
    ) -> None:
        """Declare the output."""
        if partition_format is not None:
            raise DefinitionError(
                "partition_format is for datasets with sources, and not for outputs: give it to "
                "Dataset.File.from_files of the destination."
            )
        port = OutputPort(name if name is None else check_port("An output", name))
        port.export = export_of(destination)
        port.path = source
        port.make_directory = True
        super().__init__(port)

    @checks_keywords
    def as_mount(self: Self, disable_metadata_cache: bool = False) -> Self:  # noqa: ARG002 - nothing is mounted
        """Return the same output: it is written to the local disk and published at the end, in every mode."""
        return self

    @checks_keywords
    def as_upload(self: Self, overwrite: bool = False, source_globs: Any = None) -> Self:
        """Return the same output: it is published at the end, whole or not at all."""
        if source_globs is not None:
            raise DefinitionError(
                "source_globs: an output is published whole. Write elsewhere what is not part of it."
            )
        if overwrite:
            raise DefinitionError(
                "overwrite=True: nothing that is there is ever written over. Put {run-id} into the destination: then "
                "each run has a place of its own."
            )
        return self

    @checks_keywords
    def register_on_complete(
        self: Self, name: str, description: str | None = None, tags: dict[str, str] | None = None
    ) -> Self:
        """Register what was published as the next version of a dataset; equal content is the same version."""
        if not name:
            raise DefinitionError("register_on_complete needs the name of a dataset.")
        self.port.change(f"register_on_complete({name!r})")
        about = {"name": name, "description": description, "tags": tags}
        given = {key: value for key, value in about.items() if value}
        self.port.register = {**given, **self._rows()}
        return self

    @checks_keywords
    def as_input(self, name: str | None = None) -> InputPortBinding:
        """Return it as an input of another step."""
        return InputPortBinding(self.port, name and check_port("An input", name))

    @checks_keywords
    def read_delimited_files(
        self,
        include_path: bool = False,  # noqa: ARG002 - for readers of the dataset
        separator: str = ",",
        header: object = PromoteHeadersBehavior.ALL_FILES_HAVE_SAME_HEADERS,
        partition_format: str | None = None,
        path_glob: str | None = None,
        set_column_types: dict[str, Any] | None = None,
    ) -> OutputTabularDatasetConfig:
        """Return it as an output of CSV files, which is registered as a tabular dataset."""
        checked_types(set_column_types)
        return self._tabular(csv_format(separator, header), partition_format, path_glob)

    @checks_keywords
    def read_parquet_files(
        self,
        include_path: bool = False,  # noqa: ARG002 - for readers of the dataset
        partition_format: str | None = None,
        path_glob: str | None = None,
        set_column_types: dict[str, Any] | None = None,
    ) -> OutputTabularDatasetConfig:
        """Return it as an output of Parquet files, which is registered as a tabular dataset."""
        checked_types(set_column_types)
        return self._tabular({"parquet": {}}, partition_format, path_glob)

    def _tabular(
        self, format_: Fields, partition_format: str | None, path_glob: str | None
    ) -> OutputTabularDatasetConfig:
        for name, value in (("partition_format", partition_format), ("path_glob", path_glob)):
            if value is not None:
                raise DefinitionError(f"{name}: an output is registered whole; give it to a dataset.")
        tabular = OutputTabularDatasetConfig._of(self.port, format_)
        if self.port.register is not None:
            self.port.register = {**self.port.register, **tabular._rows()}
        return tabular

    def _rows(self) -> Fields:
        return {}

    def __repr__(self) -> str:
        """Show the name."""
        return f"{type(self).__name__}({self.port.name!r})"


class OutputTabularDatasetConfig(OutputFileDatasetConfig):
    """An output whose records are rows; made by `read_delimited_files` and `read_parquet_files`."""

    _format: Fields

    def __init__(self, **_keywords: object) -> None:
        """Refuse: it is made out of an OutputFileDatasetConfig."""
        raise DefinitionError("Make it so: OutputFileDatasetConfig(name).read_delimited_files().")

    @classmethod
    def _of(cls, port: OutputPort, format_: Fields) -> OutputTabularDatasetConfig:
        made = cls.__new__(cls)
        IsOutput.__init__(made, port)
        made._format = format_
        return made

    @checks_keywords
    def random_split(
        self, percentage: float, seed: int | None = None
    ) -> tuple[PipelineOutputTabularDataset, PipelineOutputTabularDataset]:
        """Return two inputs that have no row in common and together have all; the first about that share."""
        return self._read().random_split(percentage, seed)

    @checks_keywords
    def keep_columns(self, columns: str | list[str]) -> PipelineOutputTabularDataset:
        """Return an input of these columns; what is registered is the output, whole."""
        return self._read().keep_columns(columns)

    @checks_keywords
    def drop_columns(self, columns: str | list[str]) -> PipelineOutputTabularDataset:
        """Return an input of all but these columns; what is registered is the output, whole."""
        return self._read().drop_columns(columns)

    def _read(self) -> PipelineOutputTabularDataset:
        return PipelineOutputTabularDataset(self.port, InputPortBinding(self.port, format=self._format))

    def _rows(self) -> Fields:
        return {"type": "Tabular", "format": self._format}
