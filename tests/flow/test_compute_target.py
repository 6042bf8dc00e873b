"""A PodTemplate that a step names: what is taken of it, in which order settings win, and what is refused by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import builders
from flow.sightings import (
    LIMITS,
    NOON,
    a_job,
    a_pipeline,
    a_run,
    begun,
    later,
    pod_of,
    publish_report,
    seen,
    sources,
)
from towpath.flow.compute_target import read_target
from towpath.flow.conditions import RunReason, StepReason
from towpath.flow.decide import decide
from towpath.flow.decision import Decision, Limits
from towpath.flow.documents import write
from towpath.flow.plan import plan
from towpath.flow.planned import PlannedStep
from towpath.flow.quantities import amount
from towpath.flow.resolve import resolve, what_is_needed
from towpath.flow.restore import restore
from towpath.flow.sources import Refused, Resolved, Waiting
from towpath.flow.stalled import StalledError

# As the API server gives one back: what nobody said stands there too.
GPU: dict[str, Any] = {
    "metadata": {"name": "gpu"},
    "template": {
        "metadata": {"labels": {"team": "vision"}, "annotations": {"example.org/note": "x"}},
        "spec": {
            "restartPolicy": "Always",
            "dnsPolicy": "ClusterFirst",
            "terminationGracePeriodSeconds": 30,
            "schedulerName": "default-scheduler",
            "securityContext": {"runAsUser": 2000, "runAsNonRoot": True},
            "serviceAccountName": "trainer",
            "serviceAccount": "trainer",
            "nodeSelector": {"gpu": "yes"},
            "tolerations": [{"key": "gpu", "operator": "Exists"}],
            "imagePullSecrets": [{"name": "registry"}],
            "volumes": [{"name": "scratch", "emptyDir": {}}],
            "containers": [
                {
                    "name": "step",
                    "image": "cuda:12",
                    "imagePullPolicy": "IfNotPresent",
                    "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "File",
                    "resources": {"limits": {"nvidia.com/gpu": "1"}},
                    "env": [{"name": "A", "value": "target"}, {"name": "B", "value": "target"}],
                    "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}],
                    "securityContext": {"readOnlyRootFilesystem": True, "runAsGroup": 3000},
                }
            ],
        },
    },
}
STEP = {"name": "train", "command": ["true"], "computeTarget": "gpu"}


def test_a_volume_of_the_target_and_a_port_do_not_lie_in_each_other() -> None:
    for path in ("/scratch", "/scratch/out/model"):
        step = STEP | {"outputs": [{"name": "model", "mountPath": path, "makeDirectory": True}]}
        read = sources(run=a_run(), pipeline=a_pipeline(step), pod_templates={"gpu": GPU})
        refused = resolve(read, NOON, LIMITS)
        assert isinstance(refused, Refused)
        assert refused.reason is RunReason.INVALID_PIPELINE
        assert f"gpu mounts a volume at /scratch, and the output model lies at {path}" in refused.message


def on_target(step: dict[str, Any], template: dict[str, Any] = GPU, **spec: Any) -> PlannedStep:
    """The step as it is planned with this PodTemplate."""
    read = sources(run=a_run(), pipeline=a_pipeline(step, **spec), pod_templates={"gpu": template})
    resolved = resolve(read, NOON, LIMITS)
    assert isinstance(resolved, Resolved), resolved
    made = plan(resolved)
    assert restore(write(made)) == made
    return made.steps[0]


def with_spec(**fields: Any) -> dict[str, Any]:
    """The PodTemplate with these fields in its pod's spec."""
    template = {**GPU["template"], "spec": {**GPU["template"]["spec"], **fields}}
    return {**GPU, "template": template}


def with_container(**fields: Any) -> dict[str, Any]:
    """The PodTemplate with these fields in its container."""
    return with_spec(containers=[{**GPU["template"]["spec"]["containers"][0], **fields}])


def test_a_step_takes_the_whole_of_its_target() -> None:
    step = on_target(STEP)
    assert step.image == "cuda:12"
    assert step.resources == {"limits": {"nvidia.com/gpu": "1"}}
    assert step.security_context == {"runAsUser": 2000, "runAsGroup": 3000}
    assert step.image_pull_secrets == ("registry",)
    assert [entry["name"] for entry in step.env] == ["A", "B"]
    assert step.target is not None
    assert step.target.labels == {"team": "vision"}
    assert step.target.pod == {
        "schedulerName": "default-scheduler",
        "serviceAccountName": "trainer",
        "nodeSelector": {"gpu": "yes"},
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
    }
    assert step.target.volume_mounts == ({"name": "scratch", "mountPath": "/scratch"},)
    assert step.target.read_only_root
    # What is merged into the step stands in the plan once.
    assert (step.target.image, step.target.env, step.target.resources) == (None, (), {})


def test_the_step_wins_over_the_defaults_and_they_win_over_the_target() -> None:
    own = {"env": [{"name": "B", "value": "own"}], "image": "own:1", "securityContext": {"runAsUser": 7}}
    defaults = {"env": [{"name": "A", "value": "default"}], "resources": {"limits": {"cpu": "1"}}}
    step = on_target({**STEP, **own}, stepDefaults=defaults)
    assert step.image == "own:1"
    assert step.resources == {"limits": {"cpu": "1"}}
    assert {entry["name"]: entry["value"] for entry in step.env} == {"A": "default", "B": "own"}
    assert step.security_context == {"runAsUser": 7, "runAsGroup": 3000}


def test_a_target_may_be_that_of_all_steps() -> None:
    target = on_target({"name": "train", "command": ["true"]}, stepDefaults={"computeTarget": "gpu"}).target
    assert target is not None
    assert target.name == "gpu"


def test_a_target_is_asked_for_and_waited_for() -> None:
    run, pipeline = a_run(), a_pipeline(STEP)
    assert what_is_needed(run, pipeline).pod_templates == ("gpu",)
    read = sources(run=run, pipeline=pipeline, pod_templates={"cpu": GPU, "gpus": GPU})
    assert isinstance(resolve(read, NOON, LIMITS), Waiting)
    refused = resolve(read, later(60), LIMITS)
    assert isinstance(refused, Refused)
    assert refused.reason is RunReason.NOT_FOUND
    assert "PodTemplate gpu does not exist (computeTarget of step train)" in refused.message
    assert "gpus" in refused.message


REFUSED = [
    (with_spec(hostNetwork=True), "spec.hostNetwork"),
    (with_spec(restartPolicy="OnFailure"), "spec.restartPolicy"),
    (with_spec(terminationGracePeriodSeconds=90), "spec.terminationGracePeriodSeconds"),
    (with_spec(initContainers=[{"name": "i", "image": "i"}]), "spec.initContainers"),
    (with_spec(shareProcessNamespace=True), "spec.shareProcessNamespace"),
    (with_spec(containers=[{"name": "main", "image": "i"}]), "spec.containers: main"),
    (with_spec(volumes=[{"name": "node", "hostPath": {"path": "/"}}]), "node is a hostPath"),
    (with_spec(securityContext={"sysctls": [{"name": "a", "value": "b"}]}), "spec.securityContext.sysctls"),
    (with_container(command=["x"]), "spec.containers[step].command"),
    (
        with_container(securityContext={"privileged": True}),
        "spec.containers[step].securityContext.privileged",
    ),
    (
        with_container(securityContext={"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}}),
        "spec.containers[step].securityContext.capabilities",
    ),
    (with_container(env=[{"name": "TOWPATH_X", "value": "1"}]), "TOWPATH_X is set by Towpath"),
    (with_container(env=[{"name": "X", "value": "$(params.x)"}]), "X holds a reference"),
    (
        with_container(volumeMounts=[{"name": "scratch", "mountPath": "/towpath/bin/"}]),
        "/towpath/bin/ belongs",
    ),
    (
        {**GPU, "template": {**GPU["template"], "metadata": {"labels": {"towpath.dev/run": "x"}}}},
        "metadata.labels.towpath.dev/run",
    ),
]


@pytest.mark.parametrize(("template", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_what_a_step_cannot_take_is_refused_by_its_name(template: dict[str, Any], words: str) -> None:
    with pytest.raises(StalledError) as refused:
        read_target("gpu", template)
    assert words in refused.value.message
    assert refused.value.message.startswith("The computeTarget gpu (a PodTemplate)")


SCRATCH = "towpath.dev/max-scratch"
READS = {**STEP, "inputs": [{"name": "iris"}]}


def with_annotations(**annotations: str) -> dict[str, Any]:
    """The PodTemplate with annotations of its own, which do not go into pods."""
    return {**GPU, "metadata": {"name": "gpu", "annotations": annotations}}


def with_scratch(quantity: str) -> dict[str, Any]:
    """The PodTemplate with a bound of what inputs may take."""
    return with_annotations(**{SCRATCH: quantity, "example.org/note": "x"})


def resolved_on(template: dict[str, Any], limits: Limits = LIMITS) -> Resolved | Waiting | Refused:
    """What becomes of a run whose step takes 4,096 bytes of a node's disk."""
    read = sources(run=a_run(), pipeline=a_pipeline(READS), pod_templates={"gpu": template})
    return resolve(read, NOON, limits)


@pytest.mark.parametrize("quantity", ["4Ki", "4096", "4.096k", "1Ti", "9999E"])
def test_a_target_bounds_what_inputs_take_of_the_disk(quantity: str) -> None:
    step = on_target(READS, with_scratch(quantity))
    assert step.target is not None
    assert step.target.max_scratch_bytes == amount(quantity)
    # The bound is no part of what the step computes, nor of its pod.
    assert step.contract == on_target(READS).contract
    assert step.target.annotations == {"example.org/note": "x"}


@pytest.mark.parametrize(("quantity", "bound"), [("4095", 4095), ("3Ki", 3072), ("0", 0), ("4095.9", 4095)])
def test_inputs_that_exceed_their_target_are_refused_before_anything_starts(
    quantity: str, bound: int
) -> None:
    refused = resolved_on(with_scratch(quantity))
    assert isinstance(refused, Refused)
    assert refused.reason is RunReason.TOO_LARGE
    assert refused.message == (
        f"Step train: its inputs take 4096 bytes of a node's disk, and the computeTarget gpu allows {bound} (its "
        "annotation towpath.dev/max-scratch). Take a part of them (transforms), mount them (mode: Mount) where the "
        "datastore can be mounted, or let an administrator raise it."
    )


def test_of_the_target_and_the_installation_the_smaller_bound_counts() -> None:
    def words(target: int, installation: int) -> str:
        limits = replace(LIMITS, max_scratch_bytes=installation)
        refused = resolved_on(with_scratch(str(target)), limits)
        assert isinstance(refused, Refused)
        return refused.message

    assert "the computeTarget gpu allows 7 " in words(7, 8)
    assert "the installation allows 7 " in words(8, 7)
    assert "the installation allows 7 " in words(10**12, 7)
    assert "the computeTarget gpu allows 7 " in words(7, 10**12)


def test_inputs_from_steps_are_judged_by_the_target_as_it_was_planned() -> None:
    after = builders.make_step("b", inputs=[{"name": "data", "from": {"step": "prep"}}], computeTarget="gpu")
    first = builders.make_step("prep", outputs=[{"name": "out"}])

    def decided(quantity: str) -> Decision:
        read = sources(
            run=a_run(), pipeline=a_pipeline(first, after), pod_templates={"gpu": with_scratch(quantity)}
        )
        resolved = resolve(read, NOON, LIMITS)
        assert isinstance(resolved, Resolved), resolved
        made = restore(write(plan(resolved)))
        report = publish_report(made.step("prep"))
        pod = pod_of(made, "prep", publish={"exit_code": 0, "message": report})
        return decide(made, begun(made), seen(a_job(made, "prep", pod=pod)), later(20), LIMITS)

    small, enough = decided("4095"), decided("4096")
    failed = {step.name: step for step in small.recorded.steps}["b"]
    assert (failed.reason, small.create) == (StepReason.TOO_LARGE, ())
    assert "take 4096 bytes of a node's disk, and the computeTarget gpu allows 4095" in (failed.message or "")
    assert [order.step for order in enough.create] == ["b"]


UNKNOWN = [
    (with_scratch("ten"), "'ten' is no quantity: write a number, perhaps with a unit such as 500m or 2Gi"),
    (with_scratch(""), "'' is no quantity"),
    (with_scratch("10GB"), "'10GB' is no quantity"),
    (with_scratch("1.2.3"), "'1.2.3' is no quantity"),
    (with_scratch("1e99999999999"), "'1e99999999999' is no quantity"),
    (with_scratch("9" * 100_000), "it has 100000 characters"),
    (with_scratch("-1Gi"), "'-1Gi' is less than nothing"),
    (with_annotations(**{"towpath.dev/maxScratch": "1Gi"}), "known is towpath.dev/max-scratch"),
    (
        {**GPU, "template": {"metadata": {"annotations": {SCRATCH: "1Gi"}}}},
        "stands in the PodTemplate's own metadata, not in its template's",
    ),
]


@pytest.mark.parametrize(("template", "words"), UNKNOWN)
def test_a_bound_that_bounds_nothing_is_refused_by_name(template: dict[str, Any], words: str) -> None:
    refused = resolved_on(template)
    assert isinstance(refused, Refused)
    assert refused.reason is RunReason.INVALID_PIPELINE
    assert refused.message.startswith("The computeTarget gpu (a PodTemplate) says what a step cannot take: ")
    assert words in refused.message
    assert "towpath.dev/max" in refused.message
    assert len(refused.message) < 400


def test_the_fingerprint_follows_the_image_and_not_the_place() -> None:
    def contract(template: dict[str, Any]) -> dict[str, str]:
        return dict(on_target(STEP, template).contract)

    assert contract(with_spec(nodeSelector={"gpu": "no"})) == contract(GPU)
    assert contract(with_container(image="cuda:13")) != contract(GPU)


def test_an_empty_template_changes_nothing() -> None:
    plain = builders.make_step("train")
    step = on_target({**plain, "computeTarget": "gpu"}, {"metadata": {"name": "gpu"}, "template": {}})
    assert step.image == plain["image"]
    assert step.target is not None
    assert step.target.pod == {}
