"""A release from its installation to its end: it gets ready, tests itself, is upgraded, and leaves users' objects."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from builders import in_namespace, make_dataset, make_datastore, make_pipeline, make_version
from chart.helm import Helm
from cluster.access import Access
from cluster.installation import Tools, create_namespace, install, uninstall
from cluster.kubectl import Kubectl
from cluster.towpath_image import load_image

pytestmark = pytest.mark.story

KINDS = ("datastores", "datasets", "datasetversions", "pipelines", "pipelineruns")


@dataclass(frozen=True)
class Release:
    """An installed release, and a namespace that it watches."""

    tools: Tools
    name: str
    system: str
    watched: str


@pytest.fixture(scope="module")
def release(cluster: Access) -> Iterator[Release]:
    """A release of our image; its namespaces go in the end, whatever became of it."""
    load_image()
    mark = secrets.token_hex(3)
    made = Release(Tools(cluster), f"chart-{mark}", f"chart-{mark}-system", f"chart-{mark}-team")
    for namespace in (made.system, made.watched):
        create_namespace(made.tools, namespace)
    install(made.tools, made.name, made.system, [made.watched])
    yield made
    if made.name in made.tools.helm("list", "--namespace", made.system, "--short"):
        uninstall(made.tools, made.name, made.system)
    for namespace in (made.system, made.watched):
        made.tools.kubectl.direct.delete("namespaces", namespace, wait=False)


def test_helm_test_passes(helm: Helm, release: Release) -> None:
    said = helm("test", release.name, "--namespace", release.system, "--logs", "--timeout", "60s")
    assert "operator: ok" in said
    assert "kinds: Dataset, DatasetVersion, Datastore, Pipeline, PipelineRun" in said


def test_one_of_two_replicas_leads_and_both_are_ready(release: Release) -> None:
    install(release.tools, release.name, release.system, [release.watched], replicas=2)
    pods = release.tools.kubectl.direct.select("pods", release.system)
    lease = release.tools.kubectl.direct.select("leases", release.system)
    ready = [pod for pod in pods if all(each["ready"] for each in pod["status"].get("containerStatuses", []))]
    assert len(ready) == 2
    assert [
        each["spec"]["holderIdentity"] in {pod["metadata"]["name"] for pod in pods} for each in lease
    ] == [True]


def test_the_operator_was_never_refused_by_the_api_server(release: Release) -> None:
    log = release.tools.kubectl("logs", "--selector", "app.kubernetes.io/component=operator", "--tail=-1",
                                "--namespace", release.system)  # fmt: skip
    assert "leading as" in log
    assert "Forbidden" not in log
    assert "Traceback" not in log


def test_uninstalling_keeps_kinds_and_users_objects_and_nothing_else(release: Release) -> None:
    kubectl = release.tools.kubectl
    objects = [make_datastore(), make_dataset(), make_version(), make_pipeline()]
    kubectl.apply(*(in_namespace(release.watched, each) for each in objects))
    uninstall(release.tools, release.name, release.system)
    for plural in KINDS:
        kubectl.direct.get("customresourcedefinitions", f"{plural}.towpath.dev")
    for each in objects:
        kubectl.direct.get(f"{each['kind'].lower()}s", each["metadata"]["name"], release.watched)
    assert left_of(kubectl, release) == []


def left_of(kubectl: Kubectl, release: Release) -> list[str]:
    """The objects with the release's label that are still there, but for the kinds."""
    kinds = "deployments,services,serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings"
    label = f"app.kubernetes.io/instance={release.name}"
    found = kubectl.json("get", kinds, "--all-namespaces", "--selector", label)["items"]
    return [f"{each['kind']} {each['metadata']['name']}" for each in found]
