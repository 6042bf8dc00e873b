"""Inputs that are places in a datastore, or that a parameter chooses: DataPath, DataReference, PipelineParameter."""

from __future__ import annotations

from dataclasses import dataclass

from towpath.datapath import DataPath, sources_of
from towpath.errors import DefinitionError
from towpath.inputs import InputPort
from towpath.parameter import PipelineParameter
from towpath.port_names import port_name
from towpath.view import Fields, InPlace, Origin, View


@dataclass(frozen=True)
class Chosen:
    """A registered dataset that a parameter names, as NAME or NAME@VERSION."""

    parameter: PipelineParameter

    def input_fields(self) -> Fields:
        """Return the input's `dataset`."""
        return {"dataset": {"name": self.parameter.reference}}

    def parameter_text(self, parameter: str) -> str:
        """Refuse: a parameter is no value of a parameter."""
        raise DefinitionError(f"The parameter {parameter} cannot be the parameter {self.parameter.name}.")


@dataclass(frozen=True)
class ChosenPath(Chosen):
    """A path that a parameter gives, in the datastore of its default."""

    datastore: str

    def input_fields(self) -> Fields:
        """Return the input's `source`."""
        return {"source": {"sources": [{"path": self.parameter.reference, "datastore": self.datastore}]}}


def path_input(given: object) -> InputPort:
    """Return the input that a DataPath or a parameter is, named after it."""
    if isinstance(given, DataPath):
        return InputPort(port_name(given.name), origin_of_path(given))
    if isinstance(given, PipelineParameter):
        return InputPort(port_name(given.name), origin_of_parameter(given))
    raise DefinitionError(
        f"{given!r} cannot be bound: give a DataPath, or a PipelineParameter that holds one."
    )


def origin_of_path(path: DataPath) -> Origin:
    """Return where the records of a place come from."""
    return InPlace({"sources": sources_of(path)})


def origin_of_parameter(parameter: PipelineParameter) -> Origin:
    """Return where the records of a parameter come from; only datasets and paths have any."""
    default = parameter.default_value
    if isinstance(default, DataPath):
        return ChosenPath(parameter, default.datastore_object)
    if isinstance(default, View):
        return Chosen(parameter)
    raise DefinitionError(
        f"The parameter {parameter.name} is no data: its default is {default!r}. An input takes a parameter whose "
        "default is a registered dataset or a DataPath."
    )
