"""PipelineData: data that one step hands to others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from towpath.errors import DefinitionError
from towpath.inputs import DOWNLOAD, MOUNT
from towpath.notices import warn
from towpath.outputs import InputPortBinding, IsOutput, OutputPort, datastore_name
from towpath.port_names import check_port
from towpath.spelling import checks_keywords, one_of

if TYPE_CHECKING:
    from towpath.datastore import Datastore
    from towpath.promoted import PipelineOutputFileDataset


class PipelineData(IsOutput):
    """An output of one step, and an input of others.

    It is written to the local disk and published when its step has ended well, whole or not at all: so `output_mode`
    ("mount" or "upload") and `output_overwrite` change nothing. The step finds the parent of the path there, and the
    path itself not: both `open(path, "w")` and `os.makedirs(path)` work. With `is_directory` or `data_type` what was
    written is checked. A relative `output_path_on_compute` lies below the working directory; one that ends in `/` is a
    folder, and is there when the step starts.
    """

    @checks_keywords
    def __init__(  # noqa: PLR0913, PLR0917 - Azure ML's keywords
        self,
        name: str,
        datastore: Datastore | str | None = None,
        output_name: str | None = None,
        output_mode: str = "mount",
        output_path_on_compute: str | None = None,
        output_overwrite: bool | None = None,  # noqa: ARG002 - each attempt has a place of its own
        data_type: str | None = None,
        is_directory: bool | None = None,
        pipeline_output_name: str | None = None,
        training_output: None = None,
    ) -> None:
        """Name the output, and perhaps the datastore that keeps it; the default datastore where omitted."""
        if training_output is not None:
            raise DefinitionError("training_output is not offered: there is no AutoML. Declare an output.")
        self._mode = one_of("output_mode", output_mode, ("mount", "upload"))
        if self._mode == "upload" and output_path_on_compute is None:
            warn(
                'Azure ML failed at the end of a step with output_mode="upload" and no output_path_on_compute.',
                "PipelineData(name): every output is published when its step has ended well",
                "H13",
            )
        self.data_type = data_type
        self.pipeline_output_name = pipeline_output_name
        port = OutputPort(check_port("An output", output_name or check_port("An output", name)))
        port.datastore = datastore_name(datastore)
        port.path = output_path_on_compute
        port.directory = _directory(is_directory, output_path_on_compute, name)
        super().__init__(port)
        self.datastore = datastore

    def as_dataset(self) -> PipelineOutputFileDataset:
        """Return it as a dataset, which can be registered; both are the same output."""
        # Only here: the two know each other.
        from towpath.promoted import PipelineOutputFileDataset  # noqa: PLC0415

        return PipelineOutputFileDataset(self.port)

    @checks_keywords
    def as_mount(self, input_name: str | None = None) -> InputPortBinding:
        """Return it as an input, mounted where that is possible, else downloaded."""
        return self._binding(input_name, MOUNT, None)

    @checks_keywords
    def as_download(
        self,
        input_name: str | None = None,
        path_on_compute: str | None = None,
        overwrite: bool | None = None,  # noqa: ARG002 - an input's folder is always fresh
    ) -> InputPortBinding:
        """Return it as an input, downloaded before the step starts."""
        return self._binding(input_name, DOWNLOAD, path_on_compute)

    @checks_keywords
    def as_input(self, input_name: str) -> InputPortBinding:
        """Return it as an input of another name."""
        return self._binding(input_name, DOWNLOAD, None)

    @checks_keywords
    def create_input_binding(
        self,
        input_name: str | None = None,
        mode: str | None = None,
        path_on_compute: str | None = None,
        overwrite: bool | None = None,  # noqa: ARG002 - an input's folder is always fresh
    ) -> InputPortBinding:
        """Return it as an input in a mode."""
        chosen = one_of("mode", mode or "download", ("mount", "download"))
        return self._binding(input_name, MOUNT if chosen == "mount" else DOWNLOAD, path_on_compute)

    def get_env_variable_name(self) -> str:
        """Return the variable in which the step that writes it finds the path."""
        return f"TOWPATH_OUTPUT_{self.name.upper()}"

    def _binding(self, name: str | None, mode: str, path: str | None) -> InputPortBinding:
        return InputPortBinding(self.port, name and check_port("An input", name), mode, path)

    def __repr__(self) -> str:
        """Show the name."""
        return f"PipelineData({self.name!r})"


def _directory(is_directory: bool | None, path: str | None, name: str) -> bool | None:
    if not (path and path.endswith("/")):
        return is_directory
    if is_directory is False:
        raise DefinitionError(
            f"The output {name}: {path!r} ends in / and is a folder, and is_directory is False."
        )
    return True
