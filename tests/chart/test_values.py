"""The chart's values: each described, each in the schema, nothing else accepted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from chart.helm import CHART, RELEASE, Helm, flags

SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
# Parts whose form is Kubernetes' own, and that are passed on as they are.
PASSED_ON = {"affinity", "tolerations", "global"}


def parts(
    schema: dict[str, Any], where: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Every object in the schema with its place."""
    if schema.get("type") == "object":
        yield where, schema
    for name, inner in schema.get("properties", {}).items():
        yield from parts(inner, (*where, name))


@pytest.mark.parametrize(("where", "part"), [each for each in parts(SCHEMA) if not PASSED_ON & set(each[0])])
def test_no_part_of_the_schema_takes_unknown_fields(where: tuple[str, ...], part: dict[str, Any]) -> None:
    assert part["additionalProperties"] is False or "type" in part["additionalProperties"], where


def test_schema_and_values_have_the_same_fields() -> None:
    for where, part in parts(SCHEMA):
        value: Any = VALUES
        if where == ("global",):
            continue
        for name in where:
            value = value[name]
        if "properties" in part and where[-1:] != ("resources",):
            assert set(part["properties"]) - {"global"} == set(value), where


def test_every_field_that_is_not_plain_kubernetes_is_described() -> None:
    lines = (CHART / "values.yaml").read_text().splitlines()
    described = {
        lines[number].partition(":")[0]
        for number in range(1, len(lines))
        if lines[number - 1].startswith("#") and ":" in lines[number]
    }
    explained_inside = {
        "mover",
        "pods",
        "limits",
        "sweep",
        "crds",
        "rbac",
        "serviceAccount",
        "serviceMonitor",
        "networkPolicy",
    }
    of_kubernetes = {
        "podAnnotations",
        "podLabels",
        "nodeSelector",
        "tolerations",
        "affinity",
        "priorityClassName",
    }
    of_kubernetes |= {"service", "podDisruptionBudget", "logLevel"}
    assert set(VALUES) - described - explained_inside - of_kubernetes == set()


@pytest.mark.server
@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"nosuch": 1}, "additional properties 'nosuch' not allowed"),
        ({"image__tga": "1"}, "additional properties 'tga' not allowed"),
        ({"mover__resources__limit": {}}, "additional properties 'limit' not allowed"),
        ({"watchNamespaces": "team-a"}, "want array"),
        ({"watchNamespaces": ["Team_A"]}, "does not match pattern"),
        ({"image__digest": "latest"}, "does not match pattern"),
        ({"limits__maxScratchBytes": "10Gi"}, "want"),
        ({"pods__user": 0}, "minimum"),
        ({"stepImage": ""}, "minLength"),
        ({"logLevel": "LOUD"}, "must be one of"),
    ],
)
def test_a_wrong_value_is_refused_by_its_place(helm: Helm, values: dict[str, Any], said: str) -> None:
    done = helm.run("template", RELEASE, str(CHART), *flags(values))
    assert done.returncode != 0
    assert said in done.stderr


@pytest.mark.server
def test_the_chart_is_lint_free(helm: Helm) -> None:
    helm("lint", "--strict", str(CHART))
