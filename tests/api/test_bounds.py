"""Every bound of every field: the models and the API server refuse the same objects, and name the field."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from api.bounds import BEYOND, Node, Path, broken_at_every_bound, values_in
from api.everything import EVERYTHING
from api.judge import Judge
from builders import Object
from towpath.api.crds import object_schema
from towpath.api.kinds import KINDS

MODELS = {kind.info.kind: kind for kind in KINDS}
SCHEMAS = {name: object_schema(kind) for name, kind in MODELS.items()}
# What stands in two places is swept in one: an inline pipeline as a Pipeline, defaults of steps as a step's own.
SWEPT = [body for body in EVERYTHING if "pipelineSpec" not in body["spec"]]
BROKEN = [
    broken
    for body in SWEPT
    for broken in broken_at_every_bound(body, SCHEMAS[body["kind"]])
    if not broken.path.startswith("spec.stepDefaults.")
]
SWEPT_KINDS = tuple(MODELS)


def test_everything_holds_every_field_of_every_model() -> None:
    # Kinds share models: a field is known by its name and what it says.
    given = {(path[-1], node.get("description")) for path, node in everything_given()}
    fields = [
        field for schema in SCHEMAS.values() for field in fields_in("spec", schema["properties"]["spec"])
    ]
    assert [
        path for path, node in fields if (path.split(".")[-1], node.get("description")) not in given
    ] == []


def test_the_sweep_tries_every_kind_of_bound() -> None:
    assert {broken.bound.split()[0] for broken in BROKEN} == {*BEYOND, "required"}
    assert len(BROKEN) > 600


@pytest.mark.parametrize("body", EVERYTHING, ids=lambda body: body["kind"])
def test_models_give_back_what_they_took(body: Object) -> None:
    parsed = MODELS[body["kind"]].model_validate(body)
    assert MODELS[body["kind"]].model_validate(parsed.as_dict()) == parsed


@pytest.mark.parametrize("kind", SWEPT_KINDS)
def test_models_refuse_everything_out_of_bounds(kind: str) -> None:
    assert [str(broken) for broken in BROKEN if broken.kind == kind and is_accepted(broken.body)] == []


@pytest.mark.server
@pytest.mark.parametrize("body", EVERYTHING, ids=lambda body: body["kind"])
def test_the_server_sets_the_same_defaults_as_the_models(judge: Judge, body: Object) -> None:
    assert judge.stores(body)["spec"] == MODELS[body["kind"]].model_validate(body).as_dict()["spec"]


@pytest.mark.server
@pytest.mark.parametrize("kind", SWEPT_KINDS)
def test_the_server_refuses_everything_out_of_bounds_and_names_the_field(judge: Judge, kind: str) -> None:
    answers = {broken: judge.says_of(broken.body) for broken in BROKEN if broken.kind == kind}
    assert {str(broken): says for broken, says in answers.items() if broken.path not in says} == {}


def is_accepted(body: Object) -> bool:
    """Whether the model of its kind takes the object."""
    try:
        MODELS[body["kind"]].model_validate(body)
    except ValidationError:
        return False
    return True


def everything_given() -> Iterator[tuple[Path, Node]]:
    """Every value of the examples, as its path and its schema."""
    for body in EVERYTHING:
        spec = SCHEMAS[body["kind"]]["properties"]["spec"]
        yield from ((path, node) for path, node, _ in values_in(("spec",), spec, body["spec"]))


def fields_in(path: str, node: Node) -> Iterator[tuple[str, Node]]:
    """Every field of a schema, as its path and its schema."""
    for name, child in node.get("properties", {}).items():
        yield f"{path}.{name}", child
        yield from fields_in(f"{path}.{name}", child)
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            yield from fields_in(f"{path}[]", node[key])
