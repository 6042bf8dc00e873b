"""What holds for the Job of every step, whatever its names, ports, datastores and wishes are."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given

from jobs.any_step import IN_ANY_TIME, attempts
from jobs.planned_steps import make_order, make_output, make_plan, make_step
from jobs.restricted import containers, violations
from towpath.flow import names
from towpath.flow.decision import AttemptOrder
from towpath.flow.planned import Plan, PlannedStep
from towpath.flow.planned_datastores import ClaimMount, InlineCsiMount, PlannedDatastore, SidecarMount
from towpath_operator.jobs import step
from towpath_operator.jobs.settings import PodSettings

Attempt = tuple[Plan, PlannedStep, AttemptOrder]

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
# What a pod may hold that the user's container must not see.
MOUNTS = "/towpath/mounts/"
SECRETIVE = ("/towpath/credentials", "/towpath/ca", "/towpath/plan", "/towpath/code", "/towpath/volumes")


def render(attempt: Attempt) -> dict[str, Any]:
    return step.render(*attempt, PodSettings())


def pod_of(job: dict[str, Any]) -> dict[str, Any]:
    pod: dict[str, Any] = job["spec"]["template"]["spec"]
    return pod


def read_where_they_lie(attempt: Attempt) -> list[PlannedDatastore]:
    """The datastores of an attempt's mounted inputs."""
    plan, planned, order = attempt
    contents = [order.inputs[given.name] for given in planned.inputs if given.is_mounted]
    used = {name for content in contents for name in content.datastores or (content.inventory.datastore,)}
    return [one for one in plan.datastores if one.name in used]


def is_sidecar(container: dict[str, Any]) -> bool:
    return str(container["name"]).startswith("mount-")


def mounts_of(pod: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [
        mount
        for container in containers(pod)
        if container["name"] == name
        for mount in container["volumeMounts"]
    ]


@IN_ANY_TIME
@given(attempts())
def test_names_and_labels_are_such_as_kubernetes_takes(attempt: Attempt) -> None:
    job = render(attempt)
    assert LABEL.fullmatch(job["metadata"]["name"])
    for metadata in (job["metadata"], job["spec"]["template"]["metadata"]):
        assert all(LABEL_VALUE.fullmatch(value) for value in metadata["labels"].values())


@IN_ANY_TIME
@given(attempts())
def test_every_volume_has_its_own_valid_name_and_is_mounted(attempt: Attempt) -> None:
    pod = pod_of(render(attempt))
    names = [volume["name"] for volume in pod["volumes"]]
    assert len(set(names)) == len(names)
    assert all(LABEL.fullmatch(name) for name in names)
    assert set(names) == {
        mount["name"] for container in containers(pod) for mount in container["volumeMounts"]
    }


@IN_ANY_TIME
@given(attempts())
def test_no_mount_of_a_container_hides_another(attempt: Attempt) -> None:
    for container in containers(pod_of(render(attempt))):
        paths = [f"{mount['mountPath']}/" for mount in container["volumeMounts"]]
        for number, path in enumerate(paths):
            assert not any(other.startswith(path) for other in paths[number + 1 :] + paths[:number])


@IN_ANY_TIME
@given(attempts())
def test_the_step_sees_no_credential_no_certificate_and_no_plan(attempt: Attempt) -> None:
    pod = pod_of(render(attempt))
    hidden = {volume["name"] for volume in pod["volumes"] if not volume.keys() & {"emptyDir"}}
    for mount in mounts_of(pod, "step"):
        if not mount["mountPath"].startswith(MOUNTS):
            assert mount["name"] not in hidden
        assert not mount["mountPath"].startswith(SECRETIVE)


@IN_ANY_TIME
@given(attempts())
def test_the_step_reads_just_the_datastores_of_mounted_inputs_where_they_lie_and_so_does_who_looks_first(
    attempt: Attempt,
) -> None:
    pod = pod_of(render(attempt))
    expected = {one.name: one.mount for one in read_where_they_lie(attempt) if one.mount}
    sources = {one["name"]: one for one in pod["volumes"]}
    for container in ("step", "stage-in", "publish"):
        seen = {
            mount["mountPath"].removeprefix(MOUNTS): (
                _source_of(sources[mount["name"]]),
                mount.get("subPath"),
                mount["readOnly"],
            )
            for mount in mounts_of(pod, container)
            if mount["mountPath"].startswith(MOUNTS)
        }
        ours = [one for one in mounts_of(pod, container) if one["mountPath"] == names.CONTAINER_FUSE]
        wanted = {
            name: (*_wanted_of(one), True)
            for name, one in expected.items()
            if not isinstance(one, SidecarMount)
        }
        assert seen == wanted
        by_us = any(isinstance(one, SidecarMount) for one in expected.values())
        fuse = {"name": "fuse", "mountPath": names.CONTAINER_FUSE, "readOnly": True}
        assert ours == ([fuse | {"mountPropagation": "HostToContainer"}] if by_us else [])


def _source_of(volume: dict[str, Any]) -> Any:
    return volume.get("csi") or volume["persistentVolumeClaim"]["claimName"]


def _wanted_of(mount: ClaimMount | InlineCsiMount) -> tuple[Any, str | None]:
    if isinstance(mount, ClaimMount):
        return mount.claim_name, mount.sub_path
    volume: dict[str, Any] = {"driver": mount.driver, "readOnly": True}
    volume |= {"volumeAttributes": mount.attributes} if mount.attributes else {}
    volume |= {"nodePublishSecretRef": {"name": mount.secret}} if mount.secret else {}
    return volume, None


@IN_ANY_TIME
@given(attempts())
def test_nothing_is_privileged_but_a_sidecar_for_each_datastore_that_is_mounted_so_with_its_credentials_alone(
    attempt: Attempt,
) -> None:
    pod = pod_of(render(attempt))
    wanted = [one for one in read_where_they_lie(attempt) if isinstance(one.mount, SidecarMount)]
    privileged = [one for one in containers(pod) if one["securityContext"].get("privileged")]
    told = [json.loads(one["env"][0]["value"].replace("$$", "$"))["datastore"]["name"] for one in privileged]
    assert told == [one.name for one in wanted]
    for container, datastore in zip(privileged, wanted, strict=True):
        assert container["restartPolicy"] == "Always"
        places = [one["mountPath"] for one in container["volumeMounts"]]
        secret = [f"/towpath/credentials/{datastore.name}"] if datastore.credentials_secret else []
        assert [one for one in places if one.startswith("/towpath/credentials")] == secret
    if pod.get("initContainers"):
        assert pod["initContainers"][-1]["name"] == "stage-in"


@IN_ANY_TIME
@given(attempts())
def test_inputs_launcher_and_context_cannot_be_changed_by_the_step(attempt: Attempt) -> None:
    _, planned, _ = attempt
    written = {
        mount["mountPath"]
        for mount in mounts_of(pod_of(render(attempt)), "step")
        if not mount.get("readOnly")
    }
    outputs = {output.path.rpartition("/")[0] for output in planned.outputs}
    work = {"/towpath/work"} if planned.needs_movers else set()
    assert written == {"/dev/shm"} | outputs | work


@IN_ANY_TIME
@given(attempts())
def test_movers_find_each_output_where_the_step_writes_it(attempt: Attempt) -> None:
    _, planned, _ = attempt
    pod = pod_of(render(attempt))
    for output in planned.outputs:
        place = inside(pod, "step", output.path)
        assert inside(pod, "publish", names.output_place(output.path)) == place
        assert inside(pod, "stage-in", names.output_place(output.path)) == place


def test_an_output_that_is_made_beforehand_hides_nothing_of_the_image_but_itself() -> None:
    output = make_output("model", path="/opt/ml/model", make_directory=True)
    planned = make_step(outputs=(output, make_output("log", path="/out/log")))
    pod = pod_of(step.render(make_plan(planned), planned, make_order(planned), PodSettings()))
    assert inside(pod, "step", "/opt/ml/model") == inside(pod, "publish", names.output_place("/opt/ml/model"))
    paths = {mount["mountPath"] for mount in mounts_of(pod, "step")}
    assert {"/opt/ml/model", "/out"} < paths
    assert "/opt/ml" not in paths


def inside(pod: dict[str, Any], container: str, path: str) -> tuple[str, str]:
    """The volume that a path of a container lies on, and where on it."""
    [mount] = [one for one in mounts_of(pod, container) if f"{path}/".startswith(f"{one['mountPath']}/")]
    below = path.removeprefix(mount["mountPath"])
    return mount["name"], f"/{mount['subPath']}{below}" if "subPath" in mount else below


@IN_ANY_TIME
@given(attempts())
def test_a_mover_enters_only_the_datastores_that_it_must(attempt: Attempt) -> None:
    _, planned, order = attempt
    pod = pod_of(render(attempt))
    written = {output.datastore for output in planned.outputs}
    contents = order.inputs.values()
    read = {name for content in contents for name in (content.inventory.datastore, *content.datastores)}
    if planned.needs_movers:
        assert entered(pod, "publish") == written
        assert entered(pod, "stage-in") == written | read
    assert entered(pod, "step") == set()


def entered(pod: dict[str, Any], container: str) -> set[str]:
    paths = [mount["mountPath"] for mount in mounts_of(pod, container)]
    places = ("/towpath/credentials/", "/towpath/volumes/")
    return {path.removeprefix(place) for path in paths for place in places if path.startswith(place)}


@IN_ANY_TIME
@given(attempts())
def test_a_claim_is_one_volume_that_is_written_only_where_its_datastore_may_be(attempt: Attempt) -> None:
    plan, _, _ = attempt
    pod = pod_of(render(attempt))
    claims = {
        volume["name"]: volume["persistentVolumeClaim"]
        for volume in pod["volumes"]
        if "persistentVolumeClaim" in volume
    }
    assert len({claim["claimName"] for claim in claims.values()}) == len(claims)
    known = {datastore.name: datastore for datastore in plan.datastores}
    for mount in mounts_of(pod, "publish") + mounts_of(pod, "stage-in"):
        if mount["name"] in claims and not mount["mountPath"].startswith(MOUNTS):
            datastore = known[mount["mountPath"].removeprefix("/towpath/volumes/")]
            assert claims[mount["name"]]["claimName"] == datastore.location["claimName"]
            assert mount.get("subPath") == datastore.location.get("subPath")
            assert mount.get("readOnly", False) == datastore.read_only
            assert not claims[mount["name"]].get("readOnly") or datastore.read_only


@IN_ANY_TIME
@given(attempts())
def test_the_group_of_a_pod_with_a_claim_owns_its_volumes(attempt: Attempt) -> None:
    _, planned, _ = attempt
    pod = pod_of(render(attempt))
    security = pod["securityContext"]
    # What is only mounted is only read: its owner stays who it is.
    if any(volume["name"].startswith("claim-") for volume in pod["volumes"]):
        assert security["fsGroup"] == planned.security_context.get("fsGroup", security["runAsGroup"])
        assert security["fsGroupChangePolicy"] == "OnRootMismatch"
    else:
        assert security.get("fsGroup") == planned.security_context.get("fsGroup")


@IN_ANY_TIME
@given(attempts())
def test_every_pod_is_restricted_unless_the_step_wants_to_be_root(attempt: Attempt) -> None:
    _, planned, _ = attempt
    pod = pod_of(render(attempt))
    pod["initContainers"] = [one for one in pod.get("initContainers", []) if not is_sidecar(one)]
    found = violations(pod)
    if planned.security_context.get("runAsUser") == 0:
        assert {violation.partition(": ")[2] for violation in found} == {"may be root"}
    else:
        assert found == []


@IN_ANY_TIME
@given(attempts())
def test_all_containers_run_as_one_user_without_a_token(attempt: Attempt) -> None:
    pod = pod_of(render(attempt))
    assert pod["automountServiceAccountToken"] is False
    ours = [one for one in containers(pod) if not is_sidecar(one)]
    assert not any("runAsUser" in container["securityContext"] for container in ours)


@IN_ANY_TIME
@given(attempts())
def test_a_job_makes_one_pod_once(attempt: Attempt) -> None:
    spec = render(attempt)["spec"]
    assert (spec["backoffLimit"], spec["template"]["spec"]["restartPolicy"]) == (0, "Never")
    assert {rule["action"] for rule in spec["podFailurePolicy"]["rules"]} == {"FailJob"}
