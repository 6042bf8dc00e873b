"""The plan: everything a run will do, the same byte for byte, and read back as it was written."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import builders
from flow.sightings import INSTALLATION, RUN_UID, a_pipeline, a_run, planned
from towpath.flow import documents, graph
from towpath.flow.documents import (
    UnreadablePlanError,
    digest_of,
    digested_plan,
    pack,
    plan_digest,
    unpack,
    write,
)
from towpath.flow.planned import Plan, StepOutputRef
from towpath.flow.planned_datastores import PlannedDatastore
from towpath.flow.restore import restore

TEXTS = st.text(max_size=8)
EVERYTHING: dict[str, Any] = {
    "inputs": [{"name": "iris", "mode": "Mount", "onUnavailable": "Download", "allowEmpty": True}],
    "outputs": [
        {"name": "clean", "optional": True, "allowEmpty": True, "makeDirectory": True},
        {
            "name": "model",
            "directory": False,
            "register": {"name": "My_Model", "tags": {"a": "b"}, "description": "d"},
        },
    ],
    "args": ["$(params.share)", "$(HOME)"],
    "env": [
        {"name": "A", "value": ""},
        {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
    ],
    "envFrom": [{"secretRef": {"name": "s"}}],
    "code": {"inline": {"a.py": "é"}},
    "resources": {"requests": {"cpu": 1}, "limits": {"memory": "1Gi"}},
    "securityContext": {"runAsUser": 0, "seccompProfile": {"type": "RuntimeDefault"}},
    "imagePullSecrets": [{"name": "pull"}],
    "retries": 2,
    "timeoutSeconds": 60,
    "pendingTimeoutSeconds": 60,
    "terminationGracePeriodSeconds": 0,
}


def everything() -> Plan:
    """A plan that uses every field."""
    params = [{"name": "share", "type": "number", "default": 80}, {"name": "unused", "default": "x"}]
    after = builders.make_step(
        "after", dependsOn=["prep"], inputs=[{"name": "m", "from": {"step": "prep", "output": "model"}}]
    )
    pipeline = a_pipeline(after, builders.make_step(**EVERYTHING), params=params)
    return planned(pipeline=pipeline, run=a_run(timeoutSeconds=99, continueOnStepFailure=True))


def test_a_plan_is_read_back_as_it_was_written() -> None:
    plan = everything()

    assert restore(write(plan)) == plan
    assert restore(unpack(pack(write(plan)))) == plan


def test_a_plan_says_of_what_kind_each_of_its_datastores_is() -> None:
    claim = PlannedDatastore("shared", {"claimName": "data", "subPath": "team-a"}, "persistentVolumeClaim")
    plan = digested_plan(replace(everything(), datastores=(claim,)))

    assert write(plan)["run"]["datastores"][0]["persistentVolumeClaim"] == claim.location
    assert restore(unpack(pack(write(plan)))) == plan


def test_the_plan_of_a_pipeline_written_out_in_its_run_is_read_back_too() -> None:
    run = a_run(pipelineSpec=builders.make_pipeline_spec(builders.make_step()))

    plan = planned(run=run, pipeline=None)

    assert plan.pipeline == ""
    assert restore(write(plan)) == plan


def test_the_same_facts_give_the_same_plan_byte_for_byte() -> None:
    assert pack(write(everything())) == pack(write(everything()))
    assert plan_digest(write(everything())) == plan_digest(write(restore(write(everything()))))


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(TEXTS, max_size=4), order=st.permutations(["a", "b", "c"]))
def test_any_plan_survives_its_documents(texts: list[str], order: list[str]) -> None:
    steps = [builders.make_step(name, args=[text.replace("$", "") for text in texts]) for name in order]
    plan = planned(*steps)

    again = restore(unpack(pack(write(plan))))

    assert again == plan
    assert pack(write(again)) == pack(write(plan))
    assert plan_digest(write(again)) == plan_digest(write(plan))


def test_steps_stand_in_the_order_of_their_data() -> None:
    plan = planned(*reversed(builders.make_chain("a", "b", "c")))

    names = [step.name for step in plan.steps]
    for step in plan.steps:
        assert all(names.index(other) < names.index(step.name) for other in graph.upstream(step))


def test_a_plan_holds_paths_prefixes_and_sources() -> None:
    plan = everything()
    prep, after = plan.steps

    assert prep.result_prefix == "team-a/runs/iris-1-11111111/prep/"
    assert [output.prefix for output in prep.outputs] == [
        "team-a/runs/iris-1-11111111/prep/",
        "team-a/datasets/my-model/iris-1-11111111/prep/",
    ]
    assert prep.inputs[0].path == "/towpath/inputs/iris"
    assert after.inputs[0].source == StepOutputRef("prep", "model")
    assert plan.params == {"share": "80", "unused": "x"}
    assert plan.run.uid == RUN_UID


def test_a_download_instead_of_a_mount_is_noted() -> None:
    plan = everything()

    note = (
        "input iris: downloaded, since it cannot be mounted: Datastore default has no `mount`, which says through "
        "what it can be read without a copy"
    )
    assert (plan.steps[0].inputs[0].note, plan.steps[0].inputs[0].is_mounted) == (note, False)
    assert plan.notes == (f"step prep, {note}",)


def test_step_defaults_fill_in_what_a_step_does_not_say() -> None:
    defaults = {
        "env": [{"name": "A", "value": "default"}, {"name": "B", "value": "default"}],
        "retries": 3,
        "resources": {"limits": {"memory": "1Gi"}},
        "imagePullSecrets": [{"name": "x"}],
    }
    own = builders.make_step(env=[{"name": "B", "value": "own"}], retries=0, imagePullSecrets=[{"name": "y"}])
    step = planned(pipeline=a_pipeline(own, stepDefaults=defaults)).steps[0]

    assert step.env == ({"name": "A", "value": "default"}, {"name": "B", "value": "own"})
    assert step.retries == 0
    assert step.resources == {"limits": {"memory": "1Gi"}}
    assert step.image_pull_secrets == ("x", "y")


def test_an_image_that_is_not_given_is_the_installations() -> None:
    step = builders.make_step()
    del step["image"]

    assert planned(step).steps[0].image == INSTALLATION.step_image


@pytest.mark.parametrize(
    ("change", "component"),
    [
        ({"image": "other"}, "image"),
        ({"command": ["other"]}, "command"),
        ({"args": ["other"]}, "args"),
        ({"env": []}, "env"),
        ({"envFrom": []}, "envFrom"),
        ({"code": {"inline": {"a.py": "other"}}}, "code"),
        ({"outputs": EVERYTHING["outputs"][:1]}, "outputs"),
    ],
)
def test_a_contract_tells_which_component_differs(change: dict[str, Any], component: str) -> None:
    params = [{"name": "share", "type": "number", "default": 80}]
    before, after = (
        planned(pipeline=a_pipeline(builders.make_step(**fields), params=params)).steps[0].contract
        for fields in (EVERYTHING, EVERYTHING | change)
    )

    different = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert component in different
    assert different <= {component, "params"}


def test_a_contract_holds_only_the_params_that_a_step_uses() -> None:
    params = [{"name": "share", "type": "number"}, {"name": "unused"}]
    pipeline = a_pipeline(builders.make_step(**EVERYTHING), params=params)
    contracts = [
        planned(pipeline=pipeline, run=a_run(params=given)).steps[0].contract
        for given in ({"share": 1, "unused": "a"}, {"share": 1, "unused": "b"}, {"share": 2, "unused": "a"})
    ]

    assert contracts[0] == contracts[1]
    assert contracts[0]["params"] != contracts[2]["params"]


def test_a_step_document_has_a_digest_of_its_own() -> None:
    first, second = (step.digest for step in everything().steps)

    assert first != second
    assert first == digest_of(write(everything())["step-prep"])


def test_a_step_that_another_release_wrote_keeps_the_digest_that_its_jobs_carry() -> None:
    written = write(everything())
    written["step-prep"] |= {"aFieldThatIsNoMore": 1}

    assert restore(written).step("prep").digest == digest_of(written["step-prep"])


def test_documents_are_canonical_json_gzipped_without_a_clock() -> None:
    data = pack(write(everything()))["step-prep"]

    text = gzip.decompress(data).decode()
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert data[4:8] == b"\0\0\0\0"


def test_a_damaged_plan_is_not_read() -> None:
    written = write(everything())
    damages: list[dict[str, Any]] = [
        {name: document for name, document in written.items() if name != "step-prep"},
        written | {"run": written["run"] | {"formatVersion": 2}},
        written | {"run": {}},
    ]
    for damaged in damages:
        with pytest.raises(UnreadablePlanError):
            restore(damaged)
    with pytest.raises(UnreadablePlanError):
        unpack({"run": b"no gzip"})


def test_a_plan_that_does_not_fit_is_refused_with_the_numbers() -> None:
    assert documents.why_too_large(pack(write(everything()))) is None
    why = documents.why_too_large({"run": b"", "step-a": b"x" * 10, "step-b": b"x" * documents.LIMIT_BYTES})

    assert why is not None
    assert str(documents.LIMIT_BYTES) in why
    assert "step-b" in why


def test_a_plan_of_a_thousand_steps_fits() -> None:
    steps = [builders.make_step(f"s{index}", outputs=[{"name": "a"}]) for index in range(1000)]

    assert documents.why_too_large(pack(write(planned(*steps)))) is None
