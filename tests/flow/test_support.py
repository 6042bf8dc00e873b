"""What is not honoured yet is refused by the path of its field, and nothing of the API is forgotten."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

import builders
from flow.sightings import a_dataset, a_datastore, a_pipeline, a_run
from towpath.api.dataset import DatasetSpec
from towpath.api.datastore import DatastoreSpec
from towpath.api.pipeline import PipelineSpec
from towpath.api.pipelinerun import PipelineRunSpec
from towpath.flow.support import ALL, HONOURED, not_supported, refusal

STEP = builders.make_step
CSV = {"type": "Tabular", "format": {"csv": {}}}

REFUSED_IN_STEPS: list[tuple[dict[str, Any], list[str]]] = [
    (
        {"code": {"snapshot": {"datastore": "d", "path": "c", "digest": builders.DIGEST}}},
        ["spec.steps[0].code.snapshot"],
    ),
]


@pytest.mark.parametrize(("fields", "paths"), REFUSED_IN_STEPS)
def test_a_field_of_a_step_that_is_not_honoured_is_named(fields: dict[str, Any], paths: list[str]) -> None:
    assert not_supported(a_pipeline(STEP(**fields)).spec) == paths


@pytest.mark.parametrize(
    ("spec", "paths"),
    [
        ({"gcs": {"bucket": "abc", "credentialsSecretRef": {"name": "key"}}}, []),
        ({"azureBlob": {"account": "abc", "container": "abc", "caConfigMapRef": {"name": "ca"}}}, []),
        ({"persistentVolumeClaim": {"claimName": "c", "subPath": "a/b"}}, []),
        ({"mount": [{"persistentVolumeClaim": {"claimName": "c", "subPath": "a"}}]}, []),
        ({"mount": [{"fuseSidecar": {"cacheSize": "1Gi"}}]}, []),
        ({"mount": [{"csi": {"driver": "d", "volumeAttributes": {"share": "s"}}}]}, []),
    ],
)
def test_a_datastore_that_is_not_honoured_is_named(spec: dict[str, Any], paths: list[str]) -> None:
    assert not_supported(a_datastore(**spec).spec) == paths


@pytest.mark.parametrize(
    ("spec", "paths"),
    [
        ({"type": "Tabular", "format": {"parquet": {}}}, []),
        (CSV, []),
        ({"type": "Tabular", "format": {"jsonLines": {}}}, []),
        ({"deletionPolicy": "Delete"}, []),
    ],
)
def test_a_dataset_that_is_not_honoured_is_named(spec: dict[str, Any], paths: list[str]) -> None:
    assert not_supported(a_dataset(**spec).spec) == paths


def test_what_is_honoured_passes() -> None:
    step = STEP(
        inputs=[
            {
                "name": "x",
                "mode": "Mount",
                "onUnavailable": "Download",
                "access": "Partial",
                "mountPath": "/a",
                "allowEmpty": True,
            },
            {"name": "w", "source": {"sources": [{"path": "a/$(params.x)", "datastore": "b"}]}},
            {"name": "v", "transforms": [{"sample": {"percent": 50, "exact": True}}, {"take": {"count": 1}}]},
        ],
        outputs=[
            {
                "name": "y",
                "optional": True,
                "mountPath": "/a/y",
                "register": {"name": "n", "tags": {"a": "b"}},
            }
        ],
        env=[{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
        resources={"limits": {"memory": "1Gi"}},
        reuse="Never",
        securityContext={"runAsUser": 0, "seccompProfile": {"type": "RuntimeDefault"}},
        code={"inline": {"a.py": "x"}},
    )
    assert not_supported(a_pipeline(step, stepDefaults={"retries": 1, "reuse": "Always"}).spec) == []
    assert not_supported(a_datastore(mover={"resources": {"limits": {"memory": "1Gi"}}}).spec) == []
    assert not_supported(a_run(reuse=False, params={"x": 1}).spec) == []
    assert not_supported(a_run(retryOf={"name": "x"}).spec) == []
    assert refusal(a_dataset().spec) is None


def test_a_refusal_names_at_most_five_fields() -> None:
    snapshot = {"snapshot": {"datastore": "d", "path": "c", "digest": builders.DIGEST}}
    steps = [STEP(f"s{index}", code=snapshot) for index in range(7)]

    sentence = refusal(a_pipeline(*steps).spec)

    assert sentence is not None
    assert "spec.steps[4].code.snapshot and 2 more" in sentence


def models_below(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every model that an annotation names, however deep."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in typing.get_args(annotation):
        yield from models_below(part)


def reachable(model: type[BaseModel], found: set[type[BaseModel]]) -> set[type[BaseModel]]:
    """Every model whose fields can be set through honoured fields of this one."""
    if model in found:
        return found
    found.add(model)
    for name, field in model.model_fields.items():
        if HONOURED[model] == ALL or name in HONOURED[model].split():
            for below in models_below(field.annotation):
                reachable(below, found)
    return found


@pytest.mark.parametrize("spec", [DatastoreSpec, DatasetSpec, PipelineSpec, PipelineRunSpec])
def test_every_model_behind_an_honoured_field_is_judged(spec: type[BaseModel]) -> None:
    assert reachable(spec, set()) <= set(HONOURED)


@pytest.mark.parametrize("model", list(HONOURED))
def test_an_honoured_field_is_a_field(model: type[BaseModel]) -> None:
    named = set() if HONOURED[model] == ALL else set(HONOURED[model].split())

    assert named <= set(model.model_fields)
