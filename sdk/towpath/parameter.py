"""PipelineParameter: a value that a run may set, used in arguments, environment and inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from towpath.datapath import DataPath
from towpath.errors import DefinitionError
from towpath.port_names import check_param

if TYPE_CHECKING:
    from towpath.inputs import InputPort
    from towpath.view import View

_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
)


@dataclass(frozen=True, eq=False)
class PipelineParameter:
    """A parameter of the pipeline: `default_value` is what a run takes that gives none, and decides the type.

    It is a string, number or boolean, a registered dataset, or a DataPath.
    """

    name: str
    default_value: str | int | float | bool | DataPath | View

    def __post_init__(self) -> None:
        """Refuse a name or a default that cannot be."""
        check_param(self.name)
        self.text_of(self.default_value)

    @property
    def reference(self) -> str:
        """What stands for its value in a manifest."""
        return f"$(params.{self.name})"

    def input_port(self) -> InputPort:
        """Return the input that it chooses, named after it; DefinitionError where it is no data."""
        # Only here: its module knows this one.
        from towpath.path_inputs import path_input  # noqa: PLC0415

        return path_input(self)

    def as_field(self) -> dict[str, Any]:
        """Return the entry of the pipeline's `params`."""
        field: dict[str, Any] = {"name": self.name}
        kind = self._type_of(self.default_value)
        if kind != "string":
            field["type"] = kind
        return {**field, "default": self.text_of(self.default_value)}

    def text_of(self, value: object) -> object:
        """Return what a run's `params` holds for a value; DefinitionError if it cannot be this parameter's."""
        if hasattr(value, "parameter_text"):
            return value.parameter_text(self.name)
        if self._type_of(value) is None:
            raise DefinitionError(
                f"The parameter {self.name} cannot be {value!r}: give a string, a number, a boolean, a registered "
                "dataset or a DataPath."
            )
        return value

    def checked(self, value: object) -> object:
        """Return what a run holds for a value that overrides the default; TypeError for one of another type."""
        wanted, given = self._kind_of(self.default_value), self._kind_of(value)
        if given != wanted and (wanted, given) != ("number", "integer"):
            raise TypeError(
                f"The parameter {self.name} takes a {wanted}, and {value!r} is a {given or 'nothing'}."
            )
        if isinstance(self.default_value, DataPath) and isinstance(value, DataPath):
            self._check_datastore(self.default_value, value)
        return self.text_of(value)

    def _check_datastore(self, default: DataPath, value: DataPath) -> None:
        if default.datastore_object != value.datastore_object:
            raise DefinitionError(
                f"The parameter {self.name} is a path in the datastore {default.datastore_name}, and the value is one "
                f"in {value.datastore_name}: a run may choose the path, not the datastore."
            )

    def _kind_of(self, value: object) -> str | None:
        if isinstance(value, DataPath):
            return "DataPath"
        return "dataset" if hasattr(value, "parameter_text") else self._type_of(value)

    @staticmethod
    def _type_of(value: object) -> str | None:
        if hasattr(value, "parameter_text"):
            return "string"
        return next((name for kind, name in _TYPES if isinstance(value, kind)), None)
