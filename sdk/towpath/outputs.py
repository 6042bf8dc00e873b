"""An output of a step, and its use as an input of another: what PipelineData and the output configs have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from towpath.datapath import DataPath
from towpath.errors import DefinitionError
from towpath.flow import names
from towpath.inputs import DOWNLOAD, InputPort, in_container
from towpath.view import Fields

if TYPE_CHECKING:
    from towpath.step import Step


@dataclass(eq=False)
class OutputPort:
    """One output: shared by the object that was declared and all that it is turned into. It has one producer."""

    name: str | None
    datastore: str | None = None
    path: str | None = None
    directory: bool | None = None
    make_directory: bool = False
    register: Fields | None = None
    export: Fields | None = None
    producer: Step | None = None
    submitted_as: str | None = None
    default_datastore: str | None = field(default=None, repr=False)

    @property
    def given_name(self) -> str:
        """The name; an output that was given none has one as soon as a step writes it."""
        return self.name or "output"

    def claim(self, step: Step) -> None:
        """Let a step be the one that writes it; DefinitionError names both where another does already."""
        if self.producer is not None and self.producer is not step:
            raise DefinitionError(
                f"The output {self.given_name} is written by step {self.producer.name} already, so step {step.name} "
                "cannot write it too. Declare another output; or, if the step reads it, put it into `inputs`."
            )
        self.producer = step

    def change(self, what: str) -> None:
        """Refuse a change after submit: the run is what it was."""
        if self.submitted_as:
            self._refuse_change(what)

    def as_field(self, default_datastore: str | None) -> Fields:
        """Return the entry of the step's `outputs`."""
        fields: Fields = {
            "name": self.given_name,
            "datastore": self.datastore or default_datastore,
            "register": self.register,
            "directory": self.directory,
            "mountPath": in_container(self.path) if self.path else None,
            "makeDirectory": self._is_made or None,
            "export": self.export,
        }
        return {name: value for name, value in fields.items() if value is not None}

    @property
    def _is_made(self) -> bool:
        # The folder above a relative path is the working directory: only the output itself can be mounted there.
        return self.make_directory or bool(self.path and self.path.endswith("/"))

    def _refuse_change(self, what: str) -> NoReturn:
        step = self.producer.name if self.producer else "?"
        raise DefinitionError(
            f"{what} comes too late: the pipeline was submitted as run {self.submitted_as}. From the finished run: "
            f"`towpath cp run:{self.submitted_as}/{step}/{self.given_name} DATASTORE:/path`, then "
            "Dataset.File.from_files((datastore, path)).register(workspace, name); or register before submit."
        )


@dataclass(frozen=True)
class Produced:
    """The records of an output: its files, or rows that are written so."""

    port: OutputPort
    format: Fields | None = None

    def input_fields(self) -> Fields:
        """Return the input's `from`."""
        producer = self.port.producer
        if producer is None:
            raise DefinitionError(
                f"The output {self.port.given_name} is read, and no step writes it: put it into the `outputs` of one."
            )
        output = {} if len(producer.outputs) == 1 else {"output": self.port.given_name}
        rows = {"format": self.format} if self.format else {}
        return {"from": {"step": producer.name, **output, **rows}}

    def parameter_text(self, parameter: str) -> str:
        """Refuse: a run's parameters are known before its steps write anything."""
        raise DefinitionError(
            f"The parameter {parameter} cannot be the output {self.port.given_name} of a step."
        )


@dataclass(frozen=True)
class InputPortBinding:
    """An output as an input of another step. `format` is how its rows are written, where transforms take some."""

    port: OutputPort
    name: str | None = None
    mode: str = DOWNLOAD
    path_on_compute: str | None = None
    transforms: tuple[Fields, ...] = ()
    format: Fields | None = None

    @property
    def takes_rows(self) -> bool:
        """Whether its records are rows: to choose files, nobody needs to know of any."""
        return any("filter" not in transform for transform in self.transforms)

    def input_port(self) -> InputPort:
        """Return the input, named after the output unless it was given a name."""
        return InputPort(
            self.name or self.port.given_name,
            Produced(self.port, self.format if self.takes_rows else None),
            self.transforms,
            self.mode,
            self.path_on_compute,
        )


class IsOutput:
    """Whatever stands for an output of a step; by itself, in `inputs`, it is that output, downloaded."""

    def __init__(self, port: OutputPort) -> None:
        """Stand for this output."""
        self.port = port

    @property
    def name(self) -> str:
        """The output's name."""
        return self.port.given_name

    def input_port(self) -> InputPort:
        """Return the input that the output is by itself."""
        return InputPortBinding(self.port).input_port()


def datastore_name(datastore: Any) -> str | None:
    """Return the object's name of a datastore that is given as an object, by name, or not at all."""
    if datastore is None:
        return None
    return names.object_name(datastore if isinstance(datastore, str) else datastore.name)


def export_of(destination: Any) -> Fields | None:
    """Return the `export` of an output for a destination: a DataPath, or (datastore, path)."""
    if destination is None:
        return None
    place = destination if isinstance(destination, DataPath) else DataPath(*destination)
    path = place.path_on_datastore or "dataset/{run-id}/{output-name}"
    _check_placeholders(path)
    return {"datastore": place.datastore_object, "path": path}


def _check_placeholders(path: str) -> None:
    rest = path.replace("{run-id}", "").replace("{output-name}", "")
    if "{" in rest or "}" in rest:
        raise DefinitionError(
            f"destination {path!r} has an unknown placeholder: only {{run-id}} and {{output-name}} are replaced."
        )
