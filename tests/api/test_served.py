"""The kinds as the API server serves them and kubectl shows them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from api.everything import EVERYTHING
from api.judge import PLURALS, Judge
from builders import (
    DIGEST,
    in_namespace,
    make_chain,
    make_datastore,
    make_pipeline,
    make_run,
    make_s3,
    make_step_status,
)
from cluster.direct import RefusedError
from cluster.kubectl import Kubectl
from towpath.api.kinds import KINDS
from towpath.api.meta import GROUP

pytestmark = pytest.mark.server

NAMES = [f"{plural}.{GROUP}" for plural in PLURALS.values()]


@pytest.mark.parametrize("name", NAMES)
def test_a_kind_is_established_and_structural(served: Kubectl, name: str) -> None:
    conditions = served.direct.get("customresourcedefinitions", name)["status"]["conditions"]
    by_type = {condition["type"]: condition["status"] for condition in conditions}
    assert by_type["Established"] == "True"
    assert "NonStructuralSchema" not in by_type


@pytest.mark.parametrize(
    "field", ["spec.s3.credentialsSecretRef", "spec.mount.csi", "status.conditions.reason"]
)
def test_explain_prints_what_a_field_of_a_datastore_says(served: Kubectl, field: str) -> None:
    said = " ".join(served("explain", f"datastores.{GROUP}.{field}").split())
    assert {
        "spec.s3.credentialsSecretRef": "Where omitted, movers use the pod's own identity",
        "spec.mount.csi": "An inline CSI volume.",
        "status.conditions.reason": "One CamelCase word from the documented list of reasons.",
    }[field] in said


def test_explain_prints_every_field_of_a_step(served: Kubectl) -> None:
    said = served("explain", f"pipelines.{GROUP}.spec.steps", "--recursive")
    for word in ("onUnavailable", "partitionFormat", "localhostProfile", "terminationGracePeriodSeconds"):
        assert word in said


@pytest.mark.parametrize("body", EVERYTHING, ids=lambda body: body["kind"])
def test_an_unknown_field_is_refused_by_name(judge: Judge, body: dict[str, Any]) -> None:
    misspelt = body | {"spec": body["spec"] | {"imagine": 1}}
    assert 'unknown field "spec.imagine"' in judge.says_of(misspelt)


def test_an_unknown_field_deep_in_a_step_is_refused_by_its_path(judge: Judge) -> None:
    pipeline = make_pipeline("iris", *make_chain("prep", "train"))
    pipeline["spec"]["steps"][1]["inputs"][0]["versoin"] = 3
    assert 'unknown field "spec.steps[1].inputs[0].versoin"' in judge.says_of(pipeline)


def test_a_secret_of_another_namespace_cannot_even_be_named(judge: Judge) -> None:
    elsewhere = make_s3(credentialsSecretRef={"name": "creds", "namespace": "team-b"})
    said = judge.says_of(make_datastore(s3=elsewhere))
    assert 'unknown field "spec.s3.credentialsSecretRef.namespace"' in said


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("securityContext.privileged", True),
        ("securityContext.capabilities", {"add": ["SYS_ADMIN"]}),
        ("securityContext.allowPrivilegeEscalation", True),
        ("hostNetwork", True),
        ("volumes", [{"name": "root", "hostPath": {"path": "/"}}]),
    ],
)
def test_a_step_has_no_field_that_would_take_it_out_of_its_pod(judge: Judge, field: str, value: Any) -> None:
    pipeline = make_pipeline("iris")
    outer, _, inner = field.partition(".")
    pipeline["spec"]["steps"][0] |= {outer: {inner: value} if inner else value}
    assert f'unknown field "spec.steps[0].{field}"' in judge.says_of(pipeline)


def test_mount_flags_cannot_be_given_as_free_text(judge: Judge) -> None:
    said = judge.says_of(make_datastore(mount=[{"fuseSidecar": {"cacheSize": "1Gi", "args": ["--rc"]}}]))
    assert 'unknown field "spec.mount[0].fuseSidecar.args"' in said


def test_a_refusal_read_through_kubectl_says_what_to_do(served: Kubectl, judge: Judge) -> None:
    empty = in_namespace(judge.namespace, make_datastore()) | {"spec": {}}
    said = served.refusal("create", "--dry-run=server", "--filename", "-", stdin=json.dumps(empty))
    assert (
        "a Datastore is exactly one of s3, azureBlob, gcs and persistentVolumeClaim: give one of them" in said
    )


def test_a_pipeline_of_1000_steps_is_accepted_and_stays_small(judge: Judge) -> None:
    stored = judge.stores(make_pipeline("large", *make_chain(*[f"step-{number}" for number in range(1000)])))
    assert len(stored["spec"]["steps"]) == 1000
    # An object may have 1.5 MiB; who set which field must not cost as much as the fields.
    assert len(json.dumps(stored)) < 512 * 1024
    assert len(json.dumps(stored["metadata"])) < 128 * 1024


def test_a_run_with_1000_inline_steps_is_accepted(judge: Judge) -> None:
    steps = make_chain(*[f"step-{number}" for number in range(1000)])
    assert judge.says_of(make_run(pipelineSpec={"steps": steps})) == ""


def test_get_prints_the_columns_of_every_kind(served: Kubectl, judge: Judge) -> None:
    for kind in KINDS:
        body = next(body for body in EVERYTHING if body["kind"] == kind.info.kind)
        served.apply(in_namespace(judge.namespace, body))
    asked = ("get", ",".join(kind.info.short_name for kind in KINDS), "--namespace", judge.namespace)
    narrow, wide = (_headings(served(*asked, *how)) for how in ((), ("--output", "wide")))
    names = [[(column.name.upper(), column.priority) for column in kind.info.columns] for kind in KINDS]
    assert narrow == [["NAME", *[name for name, priority in each if not priority]] for each in names]
    assert wide == [["NAME", *[name for name, _ in each]] for each in names]


def _headings(printed: str) -> list[list[str]]:
    """The first line of each table."""
    return [line.split() for line in printed.splitlines() if line.startswith("NAME ")]


def test_get_prints_the_place_of_every_kind_of_store(served: Kubectl, judge: Judge) -> None:
    places: dict[str, dict[str, Any]] = {
        "ml-data": {"s3": make_s3()},
        "blobs": {"azureBlob": {"account": "acct", "container": "blobs"}},
        "gcs-data": {"gcs": {"bucket": "gcs-data"}},
        "shared": {"persistentVolumeClaim": {"claimName": "shared"}},
    }
    served.apply(
        *(in_namespace(judge.namespace, make_datastore(f"at-{p}", **kind)) for p, kind in places.items())
    )
    rows = served("get", "tpstore", "--namespace", judge.namespace, "--no-headers").splitlines()
    printed = {row.split()[0]: row.split()[1] for row in rows}
    assert {name: place for name, place in printed.items() if name.startswith("at-")} == {
        f"at-{place}": place for place in places
    }


def test_a_run_shows_its_progress_at_a_glance(served: Kubectl, judge: Judge) -> None:
    served.apply(in_namespace(judge.namespace, make_run("glance")))
    progress = {
        "state": "Running",
        "progress": "1/2",
        "dataIn": "3.8 kB",
        "dataOut": "2.1 kB",
        "message": "train runs",
    }
    patch(served, judge, "glance", progress)
    row = served("get", "tprun", "glance", "--namespace", judge.namespace, "--no-headers")
    for text in progress.values():
        assert text in row


def test_get_towpath_lists_all_kinds(served: Kubectl, judge: Judge) -> None:
    served.apply(
        in_namespace(judge.namespace, make_datastore("listed")),
        in_namespace(judge.namespace, make_run("listed")),
    )
    listed = served("get", "towpath", "--namespace", judge.namespace, "--output", "name").split()
    assert {f"datastore.{GROUP}/listed", f"pipelinerun.{GROUP}/listed"} <= set(listed)


def test_runs_are_selected_by_their_pipeline(served: Kubectl, judge: Judge) -> None:
    for name in ("roses", "tulips"):
        served.apply(in_namespace(judge.namespace, make_run(name, pipelineRef={"name": name})))
    selector = "--field-selector=spec.pipelineRef.name=roses"
    found = served("get", "tprun", selector, "--namespace", judge.namespace, "--output", "name").split()
    assert found == [f"pipelinerun.{GROUP}/roses"]


def test_status_is_written_apart_from_spec(served: Kubectl, judge: Judge) -> None:
    served.apply(in_namespace(judge.namespace, make_run("apart") | {"status": {"state": "Succeeded"}}))
    assert "status" not in stored(served, judge, "apart")
    patch(served, judge, "apart", {"state": "Running"})
    run = stored(served, judge, "apart")
    assert (run["status"], run["metadata"]["generation"]) == ({"state": "Running"}, 1)


def test_noting_who_wrote_the_status_of_1000_steps_costs_next_to_nothing(
    served: Kubectl, judge: Judge
) -> None:
    served.apply(in_namespace(judge.namespace, make_run("long")))
    patch(served, judge, "long", {"steps": [make_step_status(f"step-{number}") for number in range(1000)]})
    run = stored(served, judge, "long")
    assert len(run["status"]["steps"]) == 1000
    assert {who["subresource"] for who in run["metadata"]["managedFields"] if "subresource" in who} == {
        "status"
    }
    assert len(json.dumps(run["metadata"])) < 8 * 1024


def test_a_bad_status_is_refused(served: Kubectl, judge: Judge) -> None:
    served.apply(in_namespace(judge.namespace, make_run("wrong")))
    step = {"name": "prep", "state": "Succeeded", "outputs": [{"name": "clean", "digest": DIGEST}]}
    with pytest.raises(RefusedError, match=re.escape("status.steps[0].outputs[0].files: Required value")):
        patch(served, judge, "wrong", {"steps": [step]})


def stored(served: Kubectl, judge: Judge, run: str) -> dict[str, Any]:
    """A run as the server has it."""
    found: dict[str, Any] = served.direct.get("pipelineruns", run, judge.namespace)
    return found


def patch(served: Kubectl, judge: Judge, run: str, status: dict[str, Any]) -> None:
    """Writes a run's status, as the operator would."""
    served.direct.patch("pipelineruns", f"{run}/status", {"status": status}, judge.namespace)
