"""Fingerprints: golden vectors that no release may change, each component by itself, and what makes no difference."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import builders
from flow.sightings import a_pipeline, a_run, planned, sources, surveyed
from towpath.flow.fingerprint import changed, components, fingerprint, image_digest
from towpath.flow.plan import plan
from towpath.flow.planned import PlannedStep
from towpath.flow.sources import Resolved
from towpath.flow.upstream import contents_of

VECTORS = json.loads((Path(__file__).parents[1] / "golden" / "fingerprints" / "vectors.json").read_text())
PINNED = "python:3.12@sha256:" + "1" * 64
PARAMS = [{"name": "share", "type": "number", "default": 80}, {"name": "note", "default": "x"}]


def of(step: dict[str, Any], **params: Any) -> PlannedStep:
    """A step as it is planned with these params."""
    return planned(pipeline=a_pipeline(step, params=PARAMS), run=a_run(params=params)).steps[0]


def parts(step: PlannedStep) -> dict[str, str]:
    """Its components, its inputs being what was pinned."""
    return components(step, contents_of(step, {}))


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_a_fingerprint_is_what_it_has_always_been(vector: dict[str, Any]) -> None:
    step = of(vector["step"], **vector["params"])

    assert parts(step) == vector["components"]
    assert fingerprint(step, contents_of(step, {})) == vector["fingerprint"]


BASE = builders.make_step(
    "prep",
    image=PINNED,
    command=["python", "prep.py", "--share", "$(params.share)"],
    code={"inline": {"prep.py": "print(1)"}},
    inputs=[{"name": "iris"}],
    outputs=[{"name": "clean"}],
)


@pytest.mark.parametrize(
    ("change", "component"),
    [
        ({"image": "python@sha256:" + "2" * 64}, "image"),
        ({"command": ["python", "prep.py", "-s", "$(params.share)"]}, "command"),
        ({"args": ["--fast"]}, "args"),
        ({"env": [{"name": "A", "value": "b"}]}, "env"),
        ({"envFrom": [{"secretRef": {"name": "s"}}]}, "envFrom"),
        ({"code": {"inline": {"prep.py": "print(2)"}}}, "code"),
        ({"outputs": [{"name": "clean", "optional": True}]}, "outputs"),
        ({"outputs": [{"name": "clean", "allowEmpty": True}]}, "outputs"),
        ({"inputs": [{"name": "iris", "mountPath": "/data"}]}, "mountPaths"),
        ({"inputs": [{"name": "iris", "transforms": [{"take": {"count": 1}}]}]}, "transforms"),
    ],
)
def test_a_change_shows_in_its_own_component_and_nowhere_else(change: dict[str, Any], component: str) -> None:
    assert changed(parts(of(BASE | change)), parts(of(BASE))) == (component,)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other"},
        {"resources": {"limits": {"memory": "1Gi"}}},
        {"retries": 3},
        {"timeoutSeconds": 60},
        {"image": "mirror.example/python@sha256:" + "1" * 64},
        {"outputs": [{"name": "clean", "register": {"name": "clean", "tags": {"a": "b"}}}]},
        {"reuse": "Always"},
    ],
)
def test_what_does_not_change_the_work_does_not_change_the_fingerprint(change: dict[str, Any]) -> None:
    assert parts(of(BASE | change)) == parts(of(BASE))


def test_another_content_of_an_input_shows_as_that_input() -> None:
    step = of(BASE)
    contents = contents_of(step, {})
    other = contents["iris"]
    as_folder = {"iris": type(other)(**vars(other) | {"directory": True, "file": None})}

    assert changed(components(step, as_folder), parts(step)) == ("inputs.iris",)


@pytest.mark.parametrize(
    ("change", "uses_note"),
    [
        ({}, False),
        ({"args": ["$(params.note)"]}, True),
        ({"command": ["sh", "-c", "echo $TOWPATH_PARAM_NOTE"]}, True),
        ({"command": ["sh", "-c", "echo $TOWPATH_PARAM_SHARE"]}, False),
        ({"code": {"inline": {"prep.py": "import os\nos.environ['TOWPATH_PARAM_NOTE']"}}}, True),
        ({"code": {"inline": {"prep.py": "Run.get_context()"}}}, True),
        ({"env": [{"name": "NOTE", "value": "$(params.note)"}]}, True),
    ],
)
def test_a_parameter_counts_where_the_step_can_be_seen_to_read_it(
    change: dict[str, Any], uses_note: bool
) -> None:
    step = BASE | change

    assert (parts(of(step, note="y")) != parts(of(step, note="x"))) is uses_note


def test_code_in_a_config_map_counts_for_the_parameters_that_it_reads() -> None:
    step = BASE | {"code": {"configMapRef": {"name": "code"}}}
    contracts = []
    for note in ("x", "y"):
        read = sources(
            pipeline=a_pipeline(step, params=PARAMS),
            run=a_run(params={"note": note}),
            config_maps={"code": builders.DIGEST},
            params_read={"code": frozenset({"NOTE"})},
        )
        resolved = surveyed(read)
        assert isinstance(resolved, Resolved)
        contracts.append(plan(resolved).steps[0].contract)

    assert changed(*contracts) == ("params",)


@pytest.mark.parametrize(
    ("image", "digest"),
    [
        (PINNED, "sha256:" + "1" * 64),
        ("python@sha256:" + "1" * 64, "sha256:" + "1" * 64),
        ("python:3.12", None),
        ("python@sha256:" + "1" * 63, None),
        ("python:sha256-" + "1" * 64, None),
    ],
)
def test_an_image_is_pinned_by_a_whole_digest_only(image: str, digest: str | None) -> None:
    assert image_digest(image) == digest
