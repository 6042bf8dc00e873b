"""What an input is made of: where its records come from, and the transforms they go through. Nothing is read here.

Every method that narrows a view gives a new one. Standard library only: steps get it too.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from towpath.errors import DefinitionError
from towpath.notices import warn

Fields = dict[str, Any]
_MOST_TRANSFORMS = 16


class Origin(Protocol):
    """Where records come from."""

    def input_fields(self) -> Fields:
        """Return `dataset`, `from` or `source` of an input."""

    def parameter_text(self, parameter: str) -> str:
        """Return what a run's `params` holds for it; DefinitionError where no text can stand for it."""


@dataclass(frozen=True)
class Registered:
    """A registered dataset: one of its versions, or the latest when a run starts."""

    name: str
    version: int | None = None

    def input_fields(self) -> Fields:
        """Return the input's `dataset`."""
        version = {} if self.version is None else {"version": self.version}
        return {"dataset": {"name": self.name, **version}}

    def parameter_text(self, parameter: str) -> str:  # noqa: ARG002 - others need it
        """Return NAME or NAME@VERSION."""
        return self.name if self.version is None else f"{self.name}@{self.version}"


@dataclass(frozen=True)
class InPlace:
    """Files that are not registered: the fields of a Dataset's spec."""

    spec: Fields

    def input_fields(self) -> Fields:
        """Return the input's `source`."""
        return {"source": self.spec}

    def parameter_text(self, parameter: str) -> str:
        """Refuse: a run chooses among registered datasets, by name."""
        raise DefinitionError(
            f"The parameter {parameter} would be a dataset that is not registered: register it first, so that a run "
            "can name another in its place."
        )


class View:
    """Records, and the transforms they go through: what FileDataset and TabularDataset have in common."""

    def __init__(self, origin: Origin, transforms: tuple[Fields, ...] = ()) -> None:
        """Begin with records as they are."""
        self.origin = origin
        self.transforms = transforms

    def parameter_text(self, parameter: str) -> str:
        """Return what a run's `params` holds for it."""
        if self.transforms:
            raise DefinitionError(
                f"The parameter {parameter} would be a part of a dataset: make the dataset the parameter, and take the "
                "part in the input."
            )
        return self.origin.parameter_text(parameter)

    def with_transform(self, kind: str, fields: Fields) -> Any:
        """Return the view of this one that a transform gives; of the same class."""
        if len(self.transforms) == _MOST_TRANSFORMS:
            raise DefinitionError(f"A view has at most {_MOST_TRANSFORMS} transforms.")
        narrowed = self.with_origin(self.origin)
        narrowed.transforms = (*self.transforms, {kind: fields})
        return narrowed

    def with_origin(self, origin: Origin) -> Any:
        """Return the same kind of view of other records."""
        return type(self)(origin, self.transforms)


def sample(probability: float, seed: int | None) -> Fields:
    """Return the fields of `sample`."""
    if not _is_number(probability) or not 0 < probability <= 1:
        raise DefinitionError(f"probability is above 0 and at most 1, not {probability!r}.")
    return {"percent": percent(probability), **_seed(seed)}


def halves(percentage: float, seed: int | None) -> tuple[Fields, Fields]:
    """Return the fields of both parts of a `split`."""
    if not _is_number(percentage) or not 0 <= percentage <= 1:
        raise DefinitionError(f"percentage is from 0.0 to 1.0, not {percentage!r}.")
    if percentage in (0, 1):
        warn(f"percentage={percentage} leaves one side empty, and its step fails.", "a share between 0 and 1")
    parts: list[Fields] = [{"name": "first", "percent": percent(percentage)}, {"name": "second"}]
    first, second = ({"parts": parts, "part": part["name"], **_seed(seed)} for part in parts)
    return first, second


def count(value: int) -> Fields:
    """Return the fields of `take` or `skip`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise DefinitionError(f"count is a whole number from 0, not {value!r}.")
    return {"count": value}


def columns(how: str, given: str | list[str]) -> Fields:
    """Return the fields of `columns`: `keep` or `drop` one, or a list of them."""
    names = [given] if isinstance(given, str) else list(given)
    if not names or not all(isinstance(name, str) and name for name in names):
        raise DefinitionError(f"{how}_columns takes the name of a column or a list of them, not {given!r}.")
    return {how: list(dict.fromkeys(names))}


def percent(share: float) -> int | str:
    """Return a share of 1 as the API writes it: 0.125 is "12.5"."""
    exact = Decimal(str(share)) * 100
    if exact != round(exact, 9):
        raise DefinitionError(f"{share!r} has more than 11 decimals: round it.")
    return int(exact) if exact == int(exact) else format(exact.normalize(), "f")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _seed(seed: int | None) -> Fields:
    if seed is None:
        return {}
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise DefinitionError(f"seed is a whole number, not {seed!r}.")
    return {"seed": seed}
