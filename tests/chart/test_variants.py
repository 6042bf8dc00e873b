"""What the chart makes of its values: namespaces, CRDs, users, optional objects, the operator's settings."""

from __future__ import annotations

from typing import Any

import pytest

from chart.helm import NAMESPACE, WATCHING, Helm, Object, of_kind, operator_pod, the_one
from jobs.restricted import violations
from towpath_operator.jobs.settings import MOVER_RESOURCES, SIDECAR_RESOURCES
from towpath_operator.settings import PREFIX, Settings, read_settings

pytestmark = pytest.mark.server

CRDS = "CustomResourceDefinition"


def environment(objects: list[Object]) -> dict[str, str]:
    entries = operator_pod(objects)["containers"][0]["env"]
    return {entry["name"]: entry["value"] for entry in entries if "value" in entry}


def settings(helm: Helm, **values: Any) -> Settings:
    """What the operator makes of the environment that the chart gives it."""
    return read_settings(environment(helm.render(**values)))


def test_every_variable_is_a_setting_that_the_operator_has(helm: Helm) -> None:
    names = {
        entry["name"]
        for entry in operator_pod(helm.render(limits__maxScratchBytes=1))["containers"][0]["env"]
    }
    assert names <= {PREFIX + name.upper() for name in Settings.__dataclass_fields__}


def test_the_chart_says_by_default_what_the_operator_does_by_default(helm: Helm) -> None:
    given, own = settings(helm), Settings()
    assert given.mover_resources == MOVER_RESOURCES
    assert given.fuse_sidecar_resources == SIDECAR_RESOURCES
    differ = {name for name in Settings.__dataclass_fields__ if getattr(given, name) != getattr(own, name)}
    # Where it runs, and what the chart knows better.
    chosen = {"identity", "namespace", "lease_name", "step_image", "mover_image"}
    assert differ <= chosen | {"mover_resources", "fuse_sidecar_resources"}


def test_values_arrive_in_the_operator(helm: Helm) -> None:
    given = settings(
        helm,
        watchNamespaces=WATCHING,
        clusterID="here",
        stepImage="python@sha256:" + "ab" * 32,
        mover__resources={"limits": {"memory": "1Gi"}},
        limits__maxScratchBytes=1_000_000_000_000,
        limits__startTimeoutSeconds=1_000_000,
        sweep={"olderThanSeconds": 1_000_000, "intervalSeconds": 1_000_000, "dryRun": True},
        pods__platformAssignsUser=True,
        pods__imagePullSecrets=["one", "two"],
        image={"repository": "r/i", "digest": "sha256:" + "cd" * 32},
    )
    assert given.watch_namespaces == tuple(WATCHING)
    assert (given.cluster_id, given.step_image) == ("here", "python@sha256:" + "ab" * 32)
    assert given.mover_image == "r/i@sha256:" + "cd" * 32
    assert given.mover_resources["limits"] == {"memory": "1Gi"}
    assert (given.max_scratch_bytes, given.start_timeout_seconds) == (1_000_000_000_000, 1_000_000)
    assert (given.sweep_older_than_seconds, given.sweep_is_dry) == (1_000_000, True)
    assert given.sweep_interval_seconds == 1_000_000
    assert given.platform_assigns_user is True
    assert given.image_pull_secrets == ("one", "two")


def test_without_namespaces_the_rights_are_for_all(helm: Helm) -> None:
    objects = helm.render()
    assert {each["metadata"]["namespace"] for each in of_kind(objects, "Role")} == {NAMESPACE}
    assert len(of_kind(objects, "ClusterRoleBinding")) == 1


def test_with_namespaces_the_rights_are_for_these_only(helm: Helm) -> None:
    objects = helm.render(watchNamespaces=WATCHING)
    places = {each["metadata"]["namespace"] for each in of_kind(objects, "Role", "RoleBinding")}
    assert places == {NAMESPACE, *WATCHING}
    bound = the_one(objects, "ClusterRoleBinding")["roleRef"]["name"]
    (role,) = [each for each in of_kind(objects, "ClusterRole") if each["metadata"]["name"] == bound]
    # What there is to look up is in no namespace.
    assert [rule["resources"] for rule in role["rules"]] == [["csidrivers"], ["namespaces"]]


def test_with_namespaces_and_an_identity_nothing_is_bound_cluster_wide(helm: Helm) -> None:
    assert of_kind(helm.render(watchNamespaces=WATCHING, clusterID="here"), "ClusterRoleBinding") == []


def test_crds_are_kept_unless_told_otherwise_and_can_be_left_out(helm: Helm) -> None:
    policy = {"helm.sh/resource-policy": "keep"}
    kept = of_kind(helm.render(), CRDS)
    assert len(kept) == 5
    assert all(each["metadata"]["annotations"].items() >= policy.items() for each in kept)
    for each in of_kind(helm.render(crds__keep=False), CRDS):
        assert not each["metadata"].get("annotations", {}).keys() & policy.keys()
    assert of_kind(helm.render(crds__enabled=False), CRDS) == []


def test_optional_objects_are_made_when_asked_for(helm: Helm) -> None:
    kinds = {"ServiceMonitor", "PodDisruptionBudget", "NetworkPolicy"}
    assert of_kind(helm.render(), *kinds) == []
    asked: dict[str, Any] = {f"{kind[0].lower()}{kind[1:]}__enabled": True for kind in kinds}
    assert {each["kind"] for each in of_kind(helm.render(**asked), *kinds)} == kinds


def test_roles_and_account_can_be_made_by_others(helm: Helm) -> None:
    objects = helm.render(
        rbac={"create": False, "aggregate": False}, serviceAccount={"create": False, "name": "theirs"}
    )
    kinds = ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "ServiceAccount")
    assert of_kind(objects, *kinds) == []
    assert operator_pod(objects)["serviceAccountName"] == "theirs"


@pytest.mark.parametrize("platform", [False, True])
def test_every_pod_of_the_chart_is_restricted(helm: Helm, platform: bool) -> None:
    objects = helm.render(pods__platformAssignsUser=platform)
    pods = [operator_pod(objects), the_one(objects, "Pod")["spec"]]
    for pod in pods:
        assert violations({"volumes": [], **pod}) == []
        assert pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True
        assert ("runAsUser" in pod["securityContext"]) is not platform


def test_two_releases_of_one_name_share_no_object(helm: Helm) -> None:
    def names(namespace: str) -> set[tuple[str, str, str]]:
        objects = helm.render(namespace, crds__enabled=False)
        return {
            (each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"])
            for each in objects
        }

    assert names("one") & names("two") == set()


def test_row_78_nothing_runs_beside_the_operator(helm: Helm) -> None:
    objects = helm.render()
    running = {
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "Job",
        "CronJob",
        "ReplicaSet",
        "PersistentVolumeClaim",
    }

    assert [each["kind"] for each in objects if each["kind"] in running] == ["Deployment"]
    [container] = operator_pod(objects)["containers"]
    assert "initContainers" not in operator_pod(objects)
    assert container["name"] == "operator"
    assert (
        of_kind(objects, "APIService", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration") == []
    )
    [test] = of_kind(objects, "Pod")
    assert "helm.sh/hook" in test["metadata"]["annotations"]
