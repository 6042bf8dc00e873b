"""Breaks an object at every bound of its schema, one at a time: what the server and the models must both refuse."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from builders import Object

Node = dict[str, Any]
Path = tuple[str | int, ...]


@dataclass(frozen=True, eq=False)
class Broken:
    """An object but for one value out of its bounds; `bound` is the schema's word for the bound."""

    good: Object
    place: Path
    bound: str
    wrong: Any

    @property
    def body(self) -> Object:
        """The object; made when it is asked for, since there are hundreds, and each process collects all tests."""
        return with_value(self.good, self.place, self.wrong)

    @property
    def path(self) -> str:
        """The path of the value."""
        return written(self.place)

    @property
    def kind(self) -> str:
        """The kind of the object."""
        return str(self.good["kind"])

    def __str__(self) -> str:
        return f"{self.path} {self.bound}"


def broken_at_every_bound(body: Object, schema: Node) -> Iterator[Broken]:
    """Give the object once for every bound of every value that it holds below `spec`."""
    for path, node, value in values_in(("spec",), schema["properties"]["spec"], body["spec"]):
        for bound, wrong in out_of_bounds(node, value):
            yield Broken(body, path, bound, wrong)


def values_in(path: Path, node: Node, value: Any) -> Iterator[tuple[Path, Node, Any]]:
    """All values below a place, each with its path and its schema."""
    yield path, node, value
    if isinstance(value, dict):
        for key, child in value.items():
            below = node.get("properties", {}).get(key) or node.get("additionalProperties")
            if below:
                yield from values_in((*path, key), below, child)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from values_in((*path, index), node["items"], child)


def out_of_bounds(node: Node, value: Any) -> Iterator[tuple[str, Any]]:
    """For each bound of a node, a value that is just beyond it."""
    for bound, beyond in BEYOND.items():
        if bound in node and (value or not bound.startswith("max")):
            yield bound, beyond(node[bound], value)
    for name in node.get("required", []):
        yield f"required {name}", {key: child for key, child in value.items() if key != name}


# From the bound, and a value that keeps it, to one that does not.
BEYOND: dict[str, Callable[[Any, Any], Any]] = {
    "enum": lambda _, __: "Nonsense",
    "pattern": lambda _, __: "\n",
    "minimum": lambda least, _: least - 1,
    "maximum": lambda most, _: most + 1,
    "minLength": lambda least, _: "a" * (least - 1),
    "maxLength": lambda most, _: "a" * (most + 1),
    "minItems": lambda least, value: value[: least - 1],
    "maxItems": lambda most, value: [value[-1]] * (most + 1),
    "minProperties": lambda _, __: {},
    "maxProperties": lambda most, value: {f"k{n}": next(iter(value.values())) for n in range(most + 1)},
    "type": lambda kind, _: 7 if kind != "integer" else "seven",
}


def with_value(body: Object, path: Path, value: Any) -> Object:
    """A copy of the object with another value at the path."""
    changed = copy.deepcopy(body)
    place: Any = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return changed


def written(path: Path) -> str:
    """The path as the API server writes it."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")
