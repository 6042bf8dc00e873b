"""DatasetConsumptionConfig: a dataset as a named input of a step."""

from __future__ import annotations

from typing import Any

from towpath.errors import DefinitionError
from towpath.inputs import AUTO, DOWNLOAD, MOUNT, InputPort, TakesPart
from towpath.notices import warn
from towpath.parameter import PipelineParameter
from towpath.path_inputs import origin_of_parameter
from towpath.port_names import check_port
from towpath.spelling import checks_keywords, one_of
from towpath.view import Registered, View

# Azure ML's `direct` handed over a dataset's id; a step of ours always gets a path.
_MODES = {"direct": DOWNLOAD, "download": DOWNLOAD, "mount": MOUNT, "auto": AUTO}


class DatasetConsumptionConfig:
    """An input of a step: which data, under which name, and how it comes.

    `dataset` is a dataset, (workspace, name[, version]), an output of another step, or a PipelineParameter whose
    default is a dataset. `mode` is download (also for Azure ML's `direct`: a step always gets a path), mount or auto.
    A relative `path_on_compute` lies below the step's working directory.
    """

    @checks_keywords
    def __init__(
        self, name: str, dataset: Any, mode: str = "direct", path_on_compute: str | None = None
    ) -> None:
        """Name the input."""
        self.name = check_port("An input", name)
        self.dataset = dataset
        self.mode = _MODES[one_of("mode", mode, _MODES)]
        self.path_on_compute = path_on_compute

    def as_mount(self, path_on_compute: str | None = None) -> DatasetConsumptionConfig:
        """Return the same input, mounted where that is possible, else downloaded."""
        warn_if_tabular(self.dataset, "mounts")
        return DatasetConsumptionConfig(self.name, self.dataset, "mount", path_on_compute)

    def as_download(self, path_on_compute: str | None = None) -> DatasetConsumptionConfig:
        """Return the same input, downloaded before the step starts."""
        warn_if_tabular(self.dataset, "downloads")
        return DatasetConsumptionConfig(self.name, self.dataset, "download", path_on_compute)

    def as_auto(self) -> DatasetConsumptionConfig:
        """Return the same input; the run decides by size and disk how it comes, and records why."""
        return DatasetConsumptionConfig(self.name, self.dataset, "auto")

    def input_port(self) -> InputPort:
        """Return the input."""
        dataset = self.dataset
        if isinstance(dataset, tuple):
            dataset = _of_tuple(dataset)
        if isinstance(dataset, PipelineParameter):
            return InputPort(self.name, origin_of_parameter(dataset), (), self.mode, self.path_on_compute)
        if isinstance(dataset, View):
            return InputPort(self.name, dataset.origin, dataset.transforms, self.mode, self.path_on_compute)
        if isinstance(dataset, TakesPart):
            port = dataset.input_port()
            return InputPort(self.name, port.origin, port.transforms, self.mode, self.path_on_compute)
        raise DefinitionError(f"The input {self.name} takes a dataset, not {dataset!r}.")

    def __repr__(self) -> str:
        """Show name and mode."""
        return f"DatasetConsumptionConfig({self.name!r}, mode={self.mode.lower()!r})"


def warn_if_tabular(dataset: object, what: str) -> None:
    """Tell that Azure ML would have refused, and what we do."""
    if getattr(dataset, "is_tabular", False):
        code = "H3" if what == "mounts" else "H4"
        warn(
            f"Azure ML refused {what} of tabular datasets; Towpath hands over files of the same format.",
            "as it is written",
            code,
        )


def _of_tuple(parts: tuple[Any, ...]) -> View:
    if len(parts) not in (2, 3) or not isinstance(parts[1], str):
        raise DefinitionError(
            f"{parts!r} is no dataset: give (workspace, name) or (workspace, name, version)."
        )
    version = None if len(parts) == 2 or parts[2] == "latest" else int(parts[2])
    return View(Registered(parts[1], version))
