"""What `PipelineData.as_dataset()` gives: the output as a dataset, which can be registered and read by others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

from towpath.data_type import PromoteHeadersBehavior, header_of
from towpath.errors import DefinitionError
from towpath.inputs import DOWNLOAD, MOUNT, InputPort
from towpath.notices import warn
from towpath.outputs import InputPortBinding, IsOutput, OutputPort, Produced
from towpath.port_names import check_port
from towpath.spelling import checks_keywords
from towpath.view import Fields, halves
from towpath.view import columns as columns_of


class PipelineOutputFileDataset(IsOutput):
    """An output of a step, as a file dataset."""

    def __init__(self, port: OutputPort, binding: InputPortBinding | None = None) -> None:
        """Stand for an output; `binding` says how it is read."""
        super().__init__(port)
        self._binding = binding or InputPortBinding(port)

    @checks_keywords
    def register(self, name: str, create_new_version: bool = True) -> PipelineOutputFileDataset:
        """Register what the step publishes as the next version of a dataset; equal content is the same version.

        It marks the output itself, until the pipeline is submitted.
        """
        if self._binding.takes_rows:
            raise DefinitionError(
                f"register({name!r}): an output is registered whole. Register it before a part of its rows or "
                "columns is taken, and take that part where it is read."
            )
        if not name:
            raise DefinitionError("register needs the name of a dataset.")
        self.port.change(f"register({name!r})")
        if not create_new_version:
            warn(
                "A run cannot refuse another content.",
                "register(name): other content is the next version",
                "H14",
            )
        elif self.port.register is None:
            warn(
                "Azure ML registered nothing unless what register() returned stood in a step's outputs; Towpath marks "
                "the output itself.",
                "OutputFileDatasetConfig(name).register_on_complete(name)",
                "H14",
            )
        self.port.register = {**(self.port.register or {}), "name": name}
        return self

    @checks_keywords
    def as_named_input(self, name: str) -> Self:
        """Return it as an input of that name."""
        return self._bound(name=check_port("An input", name))

    @checks_keywords
    def as_mount(self, path_on_compute: str | None = None) -> Self:
        """Return it as an input, mounted where that is possible, else downloaded."""
        return self._bound(mode=MOUNT, path_on_compute=path_on_compute)

    @checks_keywords
    def as_download(self, path_on_compute: str | None = None) -> Self:
        """Return it as an input, downloaded before the step starts."""
        return self._bound(mode=DOWNLOAD, path_on_compute=path_on_compute)

    def as_direct(self) -> Self:
        """Return it as an input; a step always gets a path."""
        return self.as_download()

    @checks_keywords
    def parse_delimited_files(  # noqa: PLR0913, PLR0917 - Azure ML's keywords
        self,
        include_path: bool = False,  # noqa: ARG002 - the step parses its files itself
        separator: str = ",",
        header: PromoteHeadersBehavior = PromoteHeadersBehavior.ALL_FILES_HAVE_SAME_HEADERS,
        partition_format: str | None = None,  # noqa: ARG002
        file_extension: str | None = "",
        set_column_types: dict[str, Any] | None = None,  # noqa: ARG002
        quoted_line_breaks: bool = False,  # noqa: ARG002
    ) -> PipelineOutputTabularDataset:
        """Return its CSV files as an input: those with the extension (.csv, or .tsv for tabs; None is every file).

        The step gets files and parses them itself; `separator` and `header` matter where a part of their rows or
        columns is taken.
        """
        extension = {"": ".tsv" if separator == "\t" else ".csv"}.get(file_extension or "", file_extension)
        return self._tabular(None if file_extension is None else extension, csv_format(separator, header))

    @checks_keywords
    def parse_parquet_files(
        self,
        include_path: bool = False,  # noqa: ARG002
        partition_format: str | None = None,  # noqa: ARG002
        file_extension: str | None = ".parquet",
        set_column_types: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> PipelineOutputTabularDataset:
        """Return its Parquet files as an input; the step parses them itself."""
        return self._tabular(file_extension, {"parquet": {}})

    def input_port(self) -> InputPort:
        """Return the input."""
        return self._binding.input_port()

    def _bound(self, **changes: Any) -> Self:
        return type(self)(self.port, replace(self._binding, **changes))

    def _tabular(self, extension: str | None, format_: Fields) -> PipelineOutputTabularDataset:
        transforms: tuple[Fields, ...] = (
            () if extension is None else ({"filter": {"path": f"**/*{extension}"}},)
        )
        return PipelineOutputTabularDataset(
            self.port, replace(self._binding, transforms=transforms, format=format_)
        )


class PipelineOutputTabularDataset(PipelineOutputFileDataset):
    """An output of a step, read as a table: whole, some of its rows, or some of its columns.

    Every method gives another input. What is registered is the output, whole.
    """

    @checks_keywords
    def as_input(self, name: str | None = None) -> PipelineOutputTabularDataset:
        """Return it as an input of that name."""
        return self if name is None else self.as_named_input(name)

    @checks_keywords
    def random_split(
        self, percentage: float, seed: int | None = None
    ) -> tuple[PipelineOutputTabularDataset, PipelineOutputTabularDataset]:
        """Return two inputs that have no row in common and together have all; the first about that share.

        Their names end in _1 and _2.
        """
        first, second = halves(percentage, seed)
        name = self._binding.name or self.port.given_name
        return self._narrowed({"split": first}, f"{name}_1"), self._narrowed({"split": second}, f"{name}_2")

    @checks_keywords
    def keep_columns(self, columns: str | list[str]) -> PipelineOutputTabularDataset:
        """Return an input of these columns, in the order of the files."""
        return self._narrowed({"columns": columns_of("keep", columns)}, self._binding.name)

    @checks_keywords
    def drop_columns(self, columns: str | list[str]) -> PipelineOutputTabularDataset:
        """Return an input of all but these columns."""
        return self._narrowed({"columns": columns_of("drop", columns)}, self._binding.name)

    def _narrowed(self, transform: Fields, name: str | None) -> PipelineOutputTabularDataset:
        return self._bound(transforms=(*self._binding.transforms, transform), name=name)


def csv_format(separator: str, header: object) -> Fields:
    """Return how rows of CSV files are written, without what goes without saying."""
    csv = {"separator": separator, "header": header_of(header)}
    defaults = {"separator": ",", "header": "AllFilesHaveSameHeaders"}
    return {"csv": {key: value for key, value in csv.items() if value != defaults[key]}}


def producer_of(port: InputPort) -> OutputPort | None:
    """Return the output that an input takes, if it takes one."""
    return port.origin.port if isinstance(port.origin, Produced) else None
