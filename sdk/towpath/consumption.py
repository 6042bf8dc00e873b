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
from towpath.view import Fields, Origin, Registered, View

# Azure ML's `direct` handed over a dataset's id; a step of ours always gets a path.
_MODES = {"direct": DOWNLOAD, "download": DOWNLOAD, "mount": MOUNT, "auto": AUTO}


class DatasetConsumptionConfig:
    """An input of a step: which data, under which name, and how it comes.

    `dataset` is a dataset, (workspace, name[, version]), an output of another step, or a PipelineParameter whose
    default is a dataset. `mode` is download (also for Azure ML's `direct`: a step always gets a path), mount or auto.
    A relative `path_on_compute` lies below the step's working directory. Without `allow_empty` a step does not start
    with an input that holds nothing, such as a small part of few rows.
    """

    @checks_keywords
    def __init__(
        self,
        name: str,
        dataset: Any,
        mode: str = "direct",
        path_on_compute: str | None = None,
        *,
        allow_empty: bool = False,
    ) -> None:
        """Name the input."""
        self.name = check_port("An input", name)
        self.dataset = dataset
        self.mode = _MODES[one_of("mode", mode, _MODES)]
        self.path_on_compute = path_on_compute
        self.allow_empty = allow_empty

    def as_mount(self, path_on_compute: str | None = None) -> DatasetConsumptionConfig:
        """Return the same input, mounted where that is possible, else downloaded."""
        warn_if_tabular(self.dataset, "mounts")
        return self._as("mount", path_on_compute)

    def as_download(self, path_on_compute: str | None = None) -> DatasetConsumptionConfig:
        """Return the same input, downloaded before the step starts."""
        warn_if_tabular(self.dataset, "downloads")
        return self._as("download", path_on_compute)

    def as_auto(self) -> DatasetConsumptionConfig:
        """Return the same input; the run decides by size and disk how it comes, and records why."""
        return self._as("auto", None)

    def input_port(self) -> InputPort:
        """Return the input."""
        origin, transforms = self._data()
        return InputPort(
            self.name, origin, transforms, self.mode, self.path_on_compute, allow_empty=self.allow_empty
        )

    def _data(self) -> tuple[Origin, tuple[Fields, ...]]:
        dataset = _of_tuple(self.dataset) if isinstance(self.dataset, tuple) else self.dataset
        if isinstance(dataset, PipelineParameter):
            return origin_of_parameter(dataset), ()
        if isinstance(dataset, View):
            return dataset.origin, dataset.transforms
        if isinstance(dataset, TakesPart):
            port = dataset.input_port()
            return port.origin, port.transforms
        raise DefinitionError(f"The input {self.name} takes a dataset, not {dataset!r}.")

    def _as(self, mode: str, path_on_compute: str | None) -> DatasetConsumptionConfig:
        return DatasetConsumptionConfig(
            self.name, self.dataset, mode, path_on_compute, allow_empty=self.allow_empty
        )

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
