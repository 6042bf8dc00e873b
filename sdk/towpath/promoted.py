"""What `PipelineData.as_dataset()` gives: the output as a dataset, which can be registered and read by others."""

from __future__ import annotations

from typing import Any, NoReturn, Self

from towpath.data_type import PromoteHeadersBehavior
from towpath.errors import DefinitionError
from towpath.inputs import DOWNLOAD, MOUNT, InputPort
from towpath.notices import warn
from towpath.outputs import InputPortBinding, IsOutput, OutputPort, Produced
from towpath.port_names import check_port
from towpath.spelling import checks_keywords
from towpath.view import Fields

SPLIT_ADVICE = (
    "An output's rows are known when its step has ended. Register it as Tabular (OutputFileDatasetConfig().register_on_"
    "complete(name).read_delimited_files()) and split the dataset in another pipeline, or split in the step's own code."
)


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
    def as_named_input(self, name: str) -> PipelineOutputFileDataset:
        """Return it as an input of that name."""
        return self._bound(name=check_port("An input", name))

    @checks_keywords
    def as_mount(self, path_on_compute: str | None = None) -> PipelineOutputFileDataset:
        """Return it as an input, mounted where that is possible, else downloaded."""
        return self._bound(mode=MOUNT, path_on_compute=path_on_compute)

    @checks_keywords
    def as_download(self, path_on_compute: str | None = None) -> PipelineOutputFileDataset:
        """Return it as an input, downloaded before the step starts."""
        return self._bound(mode=DOWNLOAD, path_on_compute=path_on_compute)

    def as_direct(self) -> PipelineOutputFileDataset:
        """Return it as an input; a step always gets a path."""
        return self.as_download()

    @checks_keywords
    def parse_delimited_files(  # noqa: PLR0913, PLR0917 - Azure ML's keywords
        self,
        include_path: bool = False,  # noqa: ARG002 - the step parses its files itself
        separator: str = ",",
        header: PromoteHeadersBehavior = PromoteHeadersBehavior.ALL_FILES_HAVE_SAME_HEADERS,  # noqa: ARG002
        partition_format: str | None = None,  # noqa: ARG002
        file_extension: str | None = "",
        set_column_types: dict[str, Any] | None = None,  # noqa: ARG002
        quoted_line_breaks: bool = False,  # noqa: ARG002
    ) -> PipelineOutputTabularDataset:
        """Return its CSV files as an input: those with the extension (.csv, or .tsv for tabs; None is every file).

        The step gets the files and parses them itself, so the other arguments change nothing.
        """
        extension = {"": ".tsv" if separator == "\t" else ".csv"}.get(file_extension or "", file_extension)
        return self._tabular(None if file_extension is None else extension)

    @checks_keywords
    def parse_parquet_files(
        self,
        include_path: bool = False,  # noqa: ARG002
        partition_format: str | None = None,  # noqa: ARG002
        file_extension: str | None = ".parquet",
        set_column_types: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> PipelineOutputTabularDataset:
        """Return its Parquet files as an input; the step parses them itself."""
        return self._tabular(file_extension)

    def input_port(self) -> InputPort:
        """Return the input."""
        return self._binding.input_port()

    def _bound(self, **changes: Any) -> Self:
        bound = self._binding
        fields = {"name": bound.name, "mode": bound.mode, "path_on_compute": bound.path_on_compute}
        return type(self)(
            self.port, InputPortBinding(self.port, transforms=bound.transforms, **{**fields, **changes})
        )

    def _tabular(self, extension: str | None) -> PipelineOutputTabularDataset:
        bound = self._binding
        transforms: tuple[Fields, ...] = (
            () if extension is None else ({"filter": {"path": f"**/*{extension}"}},)
        )
        binding = InputPortBinding(self.port, bound.name, bound.mode, bound.path_on_compute, transforms)
        return PipelineOutputTabularDataset(self.port, binding)


class PipelineOutputTabularDataset(PipelineOutputFileDataset):
    """An output of a step, read as a table; what is registered stays a file dataset."""

    def random_split(self, percentage: float, seed: int | None = None) -> NoReturn:
        """Refuse: rows of an output that nothing says are rows cannot be split."""
        raise DefinitionError(f"random_split({percentage}, seed={seed}): {SPLIT_ADVICE}")

    def keep_columns(self, columns: str | list[str]) -> NoReturn:
        """Refuse: a step gets whole files."""
        raise DefinitionError(
            f"keep_columns({columns!r}): a step gets whole files; choose columns where it reads them."
        )

    def drop_columns(self, columns: str | list[str]) -> NoReturn:
        """Refuse: a step gets whole files."""
        raise DefinitionError(
            f"drop_columns({columns!r}): a step gets whole files; choose columns where it reads them."
        )


def producer_of(port: InputPort) -> OutputPort | None:
    """Return the output that an input takes, if it takes one."""
    return port.origin.port if isinstance(port.origin, Produced) else None
