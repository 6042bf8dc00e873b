"""What every generated schema keeps to, so that any API server from 1.33 on takes it: pure, without a server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from api.judge import PLURALS, crds, rules_in
from towpath.api.documents import manifest

KINDS = tuple(PLURALS.values())
Node = dict[str, Any]
STRUCTURE = {"properties", "items", "additionalProperties"}
UNTYPED = {"x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields"}
FORBIDDEN = {"$ref", "$defs", "title", "anyOf", "oneOf", "allOf", "not", "const", "nullable", "uniqueItems"}


def schema_of(kind: str) -> Node:
    """The schema of the kind's only version."""
    schema: Node = crds()[kind]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def nodes(path: str, node: Node) -> Iterator[tuple[str, Node]]:
    """Every node of a schema, with where it stands; what Kubernetes owns is left out."""
    yield path, node
    for name, child in node.get("properties", {}).items():
        if f"{path}.{name}" != ".metadata":
            yield from nodes(f"{path}.{name}", child)
    for key in ("items", "additionalProperties"):
        if key in node:
            yield from nodes(f"{path}[]", node[key])


def failing(kind: str, is_right: Any) -> list[str]:
    """Where a schema does not keep to a rule."""
    return [path for path, node in nodes("", schema_of(kind)) if not is_right(path, node)]


def bound_of(node: Node) -> str | None:
    """The word that must bound a node, if its values can grow."""
    if node.get("x-kubernetes-int-or-string"):
        return "maxLength"
    if "additionalProperties" in node or (
        "type" in node and node.get("x-kubernetes-preserve-unknown-fields")
    ):
        return "maxProperties"
    return {"array": "maxItems", "string": "maxLength", "integer": "maximum"}.get(node.get("type", ""))


@pytest.mark.parametrize("kind", KINDS)
def test_no_node_says_what_a_structural_schema_cannot(kind: str) -> None:
    assert failing(kind, lambda _, node: not FORBIDDEN & node.keys()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_node_has_a_type(kind: str) -> None:
    assert failing(kind, lambda _, node: "type" in node or UNTYPED & node.keys()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_no_object_has_both_fields_and_other_keys(kind: str) -> None:
    assert failing(kind, lambda _, node: len(STRUCTURE & node.keys()) <= 1) == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_described_in_a_sentence(kind: str) -> None:
    def is_described(path: str, node: Node) -> bool:
        says = str(node.get("description", ""))
        return path.endswith("[]") or (len(says.split()) >= 2 and says.endswith((".", "`.")))

    assert failing(kind, is_described) == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_list_map_string_and_number_is_bounded(kind: str) -> None:
    def is_bounded(path: str, node: Node) -> bool:
        is_fixed = path in (".apiVersion", ".kind") or "enum" in node or node.get("format") == "date-time"
        return is_fixed or bound_of(node) in (None, *node)

    assert failing(kind, is_bounded) == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_list_says_how_it_is_merged(kind: str) -> None:
    def is_said(_: str, node: Node) -> bool:
        return node.get("type") != "array" or "x-kubernetes-list-type" in node

    assert failing(kind, is_said) == []


@pytest.mark.parametrize("kind", KINDS)
def test_patterns_are_of_the_kind_that_go_understands(kind: str) -> None:
    patterns = [node["pattern"] for _, node in nodes("", schema_of(kind)) if "pattern" in node]
    assert [pattern for pattern in patterns if re.search(r"\(\?[=!<]|\\[0-9pZ]", pattern)] == []
    assert [pattern for pattern in patterns if not (pattern.startswith("^") and pattern.endswith("$"))] == []


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_are_plain_values(kind: str) -> None:
    def is_plain(_: str, node: Node) -> bool:
        return isinstance(node.get("default", ""), str | int | bool)

    assert failing(kind, is_plain) == []


@pytest.mark.parametrize("kind", KINDS)
def test_status_has_no_defaults_and_conditions_by_type(kind: str) -> None:
    status = schema_of(kind)["properties"]["status"]
    assert [path for path, node in nodes("status", status) if "default" in node] == []
    assert status["properties"]["conditions"]["x-kubernetes-list-map-keys"] == ["type"]
    assert "observedGeneration" in status["properties"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_crd_is_small_enough_for_every_way_of_applying_it(kind: str) -> None:
    # Client-side apply keeps a copy in an annotation, and all annotations may have 256 KiB.
    assert len(manifest(crds()[kind]).encode()) < 256 * 1024


@pytest.mark.parametrize("kind", KINDS)
def test_every_rule_has_a_message(kind: str) -> None:
    assert all(rule["rule"] and rule["message"] for rule in rules_in(crds()[kind]))


@pytest.mark.parametrize("kind", KINDS)
def test_the_manifest_is_the_crd(kind: str) -> None:
    assert yaml.safe_load(manifest(crds()[kind])) == crds()[kind]


def test_every_kind_is_in_the_category_and_has_its_short_name() -> None:
    names = {crd["spec"]["names"]["kind"]: crd["spec"]["names"] for crd in crds().values()}
    assert {kind: name["shortNames"] for kind, name in names.items()} == {
        "Datastore": ["tpstore"],
        "Dataset": ["tpset"],
        "DatasetVersion": ["tpver"],
        "Pipeline": ["tppipe"],
        "PipelineRun": ["tprun"],
    }
    assert all(name["categories"] == ["towpath"] for name in names.values())


def test_a_step_is_owned_whole_so_that_a_large_pipeline_stays_small() -> None:
    steps = schema_of("pipelines")["properties"]["spec"]["properties"]["steps"]
    assert steps["items"]["x-kubernetes-map-type"] == "atomic"
    status = schema_of("pipelineruns")["properties"]["status"]["properties"]["steps"]
    assert status["x-kubernetes-list-type"] == "atomic"
