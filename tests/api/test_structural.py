"""From pydantic's JSON schema to a structural one: what changes, and what is refused with its place."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from towpath.api.markers import IntOrString
from towpath.api.meta import Model
from towpath.api.structural import Node, NotStructuralError, structural_schema


class Colour(StrEnum):
    """A colour."""

    RED = "red"


class Leaf(Model):
    """A leaf."""

    size: Annotated[int, Field(gt=0, le=10)] = 1
    """Its size."""


class Tree(Model):
    """A tree."""

    leaf: Leaf | None = None
    """Its leaf."""
    leaves: tuple[Leaf, ...] = ()
    """Its leaves."""
    colour: Colour = Colour.RED
    """Its colour, over
    two lines."""
    kind: Literal["oak"] = "oak"
    """Always oak."""
    share: Annotated[int | str, IntOrString(r"^[0-9]+%$", minimum=0)] | None = None
    """A share."""
    anything: dict[str, Any] = Field(default_factory=dict)
    """Anything."""
    weight: float
    """In tons."""


def field(name: str) -> Node:
    """The schema of one field of the tree."""
    node: Node = structural_schema(Tree)["properties"][name]
    return node


def test_references_are_written_out_and_the_field_says_what_it_is() -> None:
    assert field("leaf")["description"] == "Its leaf."
    assert field("leaf")["properties"]["size"]["type"] == "integer"
    assert field("leaves")["items"]["description"] == "A leaf."


def test_what_may_be_absent_is_neither_null_nor_defaulted() -> None:
    assert "default" not in field("leaf")
    assert "default" not in field("leaves")
    assert structural_schema(Tree)["required"] == ["weight"]


def test_numbers_have_formats_and_bounds_of_openapi_3_0() -> None:
    size = field("leaf")["properties"]["size"]
    assert (size["format"], size["minimum"], size["exclusiveMinimum"]) == ("int32", 0, True)
    assert field("weight")["format"] == "double"


def test_an_enum_keeps_its_values_and_default() -> None:
    assert (field("colour")["enum"], field("colour")["default"]) == (["red"], "red")
    assert field("kind")["enum"] == ["oak"]


def test_descriptions_are_one_line() -> None:
    assert field("colour")["description"] == "Its colour, over two lines."


def test_an_integer_or_string_has_no_type_of_its_own() -> None:
    share = field("share")
    assert "type" not in share
    assert share["x-kubernetes-int-or-string"] is True
    assert (share["pattern"], share["minimum"]) == ("^[0-9]+%$", 0)


def test_a_map_of_anything_keeps_unknown_fields() -> None:
    assert field("anything")["x-kubernetes-preserve-unknown-fields"] is True
    assert "additionalProperties" not in field("anything")


class Node2(BaseModel):
    """A model that contains itself."""

    children: list[Node2] = []


class Choice(BaseModel):
    """A model with a choice between types."""

    value: int | str


class Untyped(BaseModel):
    """A model with a field of any type."""

    value: Any = None


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (Node2, "Node2 contains itself"),
        (Choice, "Choice.value: a choice between 2 types"),
        (Untyped, "Untyped.value: no type"),
    ],
)
def test_what_cannot_be_said_is_refused_with_its_place(model: type[BaseModel], says: str) -> None:
    with pytest.raises(NotStructuralError, match=says):
        structural_schema(model)
