"""Planned steps → a warning at each input whose split does not match another split of the same data.

Parts of two different splits overlap: a model would be tested with what it was trained on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from towpath.flow.contents import PinnedSource, PinnedVersion
from towpath.flow.planned import PlannedInput, PlannedStep


@dataclass(frozen=True)
class _Split:
    """The first split of an input: its place in the chain, and its fields but for the part that is taken."""

    step: str
    input: str
    place: int
    fields: Mapping[str, Any]


def with_warnings(steps: Iterable[PlannedStep]) -> tuple[PlannedStep, ...]:
    """The steps, with a note at each input whose split differs from the first of the same data."""
    first: dict[str, _Split] = {}
    return tuple(
        replace(step, inputs=tuple(_warned(step, given, first) for given in step.inputs)) for step in steps
    )


def _warned(step: PlannedStep, given: PlannedInput, first: dict[str, _Split]) -> PlannedInput:
    split = next(_splits(step, given), None)
    if split is None:
        return given
    other = first.setdefault(_data(given), split)
    if (split.place, split.fields) == (other.place, other.fields):
        return given
    warning = (
        f"its split of {_data(given)} differs from that of input {other.input} of step {other.step} in "
        f"{_differing(split, other)}: their parts overlap"
    )
    note = f"{given.note}; {warning}" if given.note else f"input {given.name}: {warning}"
    return replace(given, note=note)


def _splits(step: PlannedStep, given: PlannedInput) -> Iterator[_Split]:
    for place, transform in enumerate(given.transforms):
        if "split" in transform:
            fields = {name: value for name, value in transform["split"].items() if name != "part"}
            yield _Split(step.name, given.name, place, fields)


def _data(given: PlannedInput) -> str:
    source = given.source
    if isinstance(source, PinnedVersion):
        # Two versions of a dataset share most of their files.
        return f"dataset {source.dataset}"
    if isinstance(source, PinnedSource):
        return f"source {source.content.inventory.digest}"
    return f"output {source.output} of step {source.step}"


def _differing(split: _Split, other: _Split) -> str:
    if split.place != other.place:
        return "its place in the transforms"
    names = sorted({*split.fields, *other.fields})
    return " and ".join(name for name in names if split.fields.get(name) != other.fields.get(name))
