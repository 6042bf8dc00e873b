"""`towpath why`: which component of a step's work is another one, with both values; and what every reason means."""

from __future__ import annotations

import json
from typing import Any

import pytest

import builders
from cli.command_line import towpath
from cli.memory import MemoryBackend
from cli.scenes import PREP, TRAIN, finished, namespace, output_entry, plan_of, run_object, step_entry
from towpath.flow.documents import write
from towpath.flow.fingerprint import HASHED

OTHER = "99999999-2222-3333-4444-555555555555"


def again(
    step: dict[str, Any] | None = None, components: tuple[str, ...] = ("params",), **plan: Any
) -> MemoryBackend:
    """A namespace with a second run, whose prep was another one in these components."""
    backend = namespace()
    second = plan_of("iris-2", OTHER, steps=(step or PREP, TRAIN), **plan)
    miss = {"reason": "Changed", "components": list(components), "run": "iris-1"}
    prep = step_entry("prep", 2, 10, output_entry("clean", "prep", "iris-2"), reuseMiss=miss)
    train = step_entry("train", 10, 10, reusedFrom={"run": "iris-1"}, attempt=0)
    backend.hold(run_object(second, prep, train))
    backend.plans["iris-2"] = write(second)
    return backend


def test_the_parameter_that_changed_is_named_with_both_values() -> None:
    lines = towpath(again(params={"share": 90}), "why", "iris-2", "prep").lines
    assert lines[-2:] == [
        "  it was run: Changed: params (compared with run iris-1)",
        "    param share: was 80, is 90",
    ]


@pytest.mark.parametrize(
    ("changes", "component", "words"),
    [
        (
            {"image": "python@sha256:" + "7" * 64},
            "image",
            f"image: was python@sha256:{'1' * 64}, is python@sha256:{'7' * 64}",
        ),
        ({"command": ["python", "other.py"]}, "command", "command[1]: was prep.py, is other.py"),
        ({"args": ["--share"]}, "args", "args[1]: was $(params.share), is not there"),
        (
            {"env": [{"name": "A", "value": "1"}]},
            "env",
            "env A: was not there, is {'name': 'A', 'value': '1'}",
        ),
        ({"code": {"inline": {"a.py": "x"}}}, "code", "code a.py: was not there, is 1 characters: x"),
        ({"outputs": [{"name": "clean", "optional": True}]}, "outputs", "optional False, directory None"),
        (
            {"inputs": [{"name": "iris", "mountPath": "/data"}]},
            "mountPaths",
            "path of iris: was /towpath/inputs/iris, is /data",
        ),
        (
            {"envFrom": [{"secretRef": {"name": "s"}}]},
            "envFrom",
            "envFrom: was [], is [{'secretRef': {'name': 's'}}]",
        ),
    ],
)
def test_every_component_has_its_words(changes: dict[str, Any], component: str, words: str) -> None:
    assert words in towpath(again({**PREP, **changes}, (component,)), "why", "iris-2/prep").out


def test_an_input_that_changed_is_named_with_both_versions() -> None:
    out = towpath(again(components=("inputs.iris",), version=2), "why", "iris-2", "prep").out
    assert f"input iris: was iris@1 ({'a' * 12}), is iris@2 ({'b' * 12})" in out


def test_the_words_of_every_component_of_a_fingerprint_are_known() -> None:
    for component in (*HASHED, "image", "code", "outputs", "register"):
        out = towpath(again(components=(component,)), "why", "iris-2", "prep").out
        assert f"it was run: Changed: {component} (compared with run iris-1)" in out


def test_a_step_that_was_taken_says_from_where() -> None:
    out = towpath(again(), "why", "iris-2", "train").out
    assert "its work was computed already: taken from run iris-1" in out


def test_what_the_earlier_run_had_is_not_known_once_it_is_gone() -> None:
    backend = again()
    backend.objects.pop(("PipelineRun", "iris-1"))
    out = towpath(backend, "why", "iris-2", "prep").out
    assert "it was run: Changed: params (compared with run iris-1)" in out
    assert "the run or its plan is gone" in out


def test_a_miss_without_components_says_what_it_means() -> None:
    backend = again()
    step = backend.objects["PipelineRun", "iris-2"]["status"]["steps"][0]
    step["reuseMiss"] = {"reason": "NoOutputs"}
    assert (
        "it is run for its effect. Say reuse: Always to skip it."
        in towpath(backend, "why", "iris-2", "prep").out
    )


def test_a_failed_step_says_what_its_reason_means() -> None:
    backend = namespace()
    step = backend.objects["PipelineRun", "iris-1"]["status"]["steps"][1]
    step |= {"state": "Failed", "reason": "OutOfMemory", "message": "limit 64Mi", "logTail": "x"}
    out = towpath(backend, "why", "iris-1", "train").out
    assert "OutOfMemory: The step used more memory than its limit and was killed." in out
    assert "    limit 64Mi" in out
    assert "towpath logs" in out


def test_a_run_that_never_started_says_why() -> None:
    run = builders.make_run("iris-9")
    said = {
        "type": "Succeeded",
        "status": "Unknown",
        "reason": "Waiting",
        "message": "Datastore default is not Ready",
    }
    run["status"] = {"state": "Waiting", "conditions": [said]}
    out = towpath(namespace().hold(run), "why", "iris-9").out
    assert "Datastore default is not Ready" in out
    assert "Something that the run names is missing or not Ready yet" in out


def test_the_same_as_data() -> None:
    told = json.loads(towpath(again(params={"share": 90}), "why", "iris-2", "-o", "json").out)
    assert told["steps"][0]["differences"] == [
        {"component": "params", "what": "param share", "before": "80", "now": "90"}
    ]
    assert told["steps"][1]["reusedFrom"] == {"run": "iris-1"}


def test_an_unknown_step_is_named_with_near_ones() -> None:
    assert "Did you mean prep?" in towpath(namespace(), "why", "iris-1", "perp").err


def test_the_first_run_of_the_scene_is_there() -> None:
    plan, _ = finished()
    assert plan.run.name == "iris-1"
