"""The API server takes every Job that we render, in a `restricted` namespace, without a warning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from builders import in_namespace
from cluster.kubectl import Kubectl, fresh_namespace
from jobs.rendered_examples import PLAN, examples
from towpath.flow.documents import write
from towpath_operator.jobs import plan

pytestmark = pytest.mark.server

# Says of itself that it wants to be root, which `restricted` refuses: its user chose.
ROOT = "step-as-root-second-attempt"
# Privileged, which only an installation and a namespace that want it have.
SIDECAR = "step-with-fuse-sidecar"
EXAMPLES = examples()


@pytest.fixture(scope="module")
def namespace(kubectl: Kubectl) -> Iterator[str]:
    """One for all: nothing is stored there."""
    with fresh_namespace(kubectl) as name:
        yield name


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - {ROOT, SIDECAR}))
def test_a_restricted_namespace_takes_the_job_without_a_warning_and_its_pod_too(
    kubectl: Kubectl, namespace: str, name: str
) -> None:
    assert warnings(kubectl, namespace, EXAMPLES[name], _pod_of(EXAMPLES[name])) == []


def warnings(kubectl: Kubectl, namespace: str, *objects: dict[str, Any]) -> list[str]:
    """What the server says at these objects in that namespace; nothing is stored."""
    return kubectl.direct.would_warn(*(in_namespace(namespace, each) for each in objects))


def _pod_of(job: dict[str, Any]) -> dict[str, Any]:
    template = job["spec"]["template"]
    metadata = {"name": "pod", "labels": template["metadata"]["labels"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def test_a_privileged_namespace_takes_the_sidecar_and_a_restricted_one_warns_of_it(
    kubectl: Kubectl, namespace: str
) -> None:
    [said] = warnings(kubectl, namespace, EXAMPLES[SIDECAR])
    assert 'container \\"mount-0\\" must not set securityContext.privileged=true' in said
    with fresh_namespace(kubectl, level="privileged") as privileged:
        job = EXAMPLES[SIDECAR]
        assert warnings(kubectl, privileged, job, _pod_of(job)) == []


def test_the_server_warns_of_nothing_but_root_where_a_step_is_root(kubectl: Kubectl, namespace: str) -> None:
    [said] = warnings(kubectl, namespace, EXAMPLES[ROOT])
    assert "runAsNonRoot" in said
    assert not any(word in said for word in ("capabilities", "seccompProfile", "allowPrivilegeEscalation"))


def test_the_plan_is_taken_too(kubectl: Kubectl, namespace: str) -> None:
    assert warnings(kubectl, namespace, plan.render(PLAN.run, write(PLAN))) == []
