"""What a step takes as inputs: every form that a user may write → one `InputPort`.

Standard library only: steps get it too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from towpath.errors import DefinitionError
from towpath.flow import names
from towpath.port_names import port_name
from towpath.view import Fields, Origin, Registered, View

if TYPE_CHECKING:
    from towpath.parameter import PipelineParameter

MOUNT, DOWNLOAD, AUTO = "Mount", "Download", "Auto"


@dataclass(frozen=True)
class InputPort:
    """One input of a step. `path` is where it appears in the container, if not at the usual place."""

    name: str
    origin: Origin
    transforms: tuple[Fields, ...] = ()
    mode: str = DOWNLOAD
    path: str | None = None
    allow_empty: bool = False

    @property
    def parameter(self) -> PipelineParameter | None:
        """The parameter that chooses the data, where one does."""
        found: PipelineParameter | None = getattr(self.origin, "parameter", None)
        return found

    def as_field(self) -> Fields:
        """Return the entry of the step's `inputs`."""
        field: Fields = {"name": self.name, **self._source()}
        if self.transforms:
            field["transforms"] = list(self.transforms)
        if self.mode != DOWNLOAD:
            # Where nothing can be mounted, an input that is mounted for speed is downloaded.
            field |= {"mode": self.mode, "onUnavailable": "Download"}
        if self.path is not None:
            field["mountPath"] = in_container(self.path)
        return {**field, "allowEmpty": True} if self.allow_empty else field

    def _source(self) -> Fields:
        is_named_alike = self.origin == Registered(self.name)
        return {} if is_named_alike else self.origin.input_fields()


@runtime_checkable
class TakesPart(Protocol):
    """Whatever knows which input it is."""

    def input_port(self) -> InputPort:
        """Return the input."""


def in_container(path: str) -> str:
    """Return where a path of the user's lies in the container: relative ones below the working directory."""
    text = path.rstrip("/")
    while text.startswith("./"):
        text = text[2:]
    if not text or any(part in ("", ".", "..") for part in text.removeprefix("/").split("/")):
        raise DefinitionError(
            f"{path!r} is no path for data in a container: give one such as data or /mnt/data."
        )
    return text if text.startswith("/") else f"{names.CONTAINER_WORK}/{text}"


def input_of(given: object) -> InputPort:
    """Return the input that an entry of `inputs` (or of `arguments`) is."""
    if isinstance(given, tuple) and len(given) == 2 and hasattr(given[1], "path_on_compute"):
        return _of_pair(*given)
    if isinstance(given, TakesPart):
        return given.input_port()
    raise DefinitionError(
        f"{given!r} is no input: give a dataset, dataset.as_named_input('name'), an output of another step, a "
        "DataReference, or (DataPath, DataPathComputeBinding())."
    )


def is_input(given: object) -> bool:
    """Whether an argument is an input rather than text."""
    return isinstance(given, (TakesPart, tuple))


def unnamed_input(view: View, name: str | None, mode: str = DOWNLOAD, path: str | None = None) -> InputPort:
    """Return the input of a dataset for which no name was given: it is named after the dataset."""
    if name is None:
        raise DefinitionError(
            "A dataset that is not registered has no name of its own: write dataset.as_named_input('name')."
        )
    return InputPort(port_name(name), view.origin, view.transforms, mode, path)


def _of_pair(given: Any, binding: Any) -> InputPort:
    # Only here: their modules import this one.
    from towpath.path_inputs import path_input  # noqa: PLC0415

    return replace(path_input(given), mode=binding.mode.capitalize(), path=binding.path_on_compute)
