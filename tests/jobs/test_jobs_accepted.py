"""The API server takes every Job that we render, in a `restricted` namespace, without a warning."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

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


def dry_run(kubectl: Kubectl, namespace: str, *objects: dict[str, Any]) -> str:
    """Everything that kubectl printed, warnings too; as the object's creation would, but nothing is stored."""
    items = [{**each, "metadata": {**each["metadata"], "namespace": namespace}} for each in objects]
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    command = [
        str(kubectl.program),
        "--kubeconfig",
        str(kubectl.kubeconfig),
        "create",
        "--dry-run=server",
        "-f",
        "-",
    ]
    done = subprocess.run(command, input=listed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - {ROOT, SIDECAR}))
def test_a_restricted_namespace_takes_the_job_without_a_warning_and_its_pod_too(
    kubectl: Kubectl, namespace: str, name: str
) -> None:
    assert "Warning" not in dry_run(kubectl, namespace, EXAMPLES[name], _pod_of(EXAMPLES[name]))


def _pod_of(job: dict[str, Any]) -> dict[str, Any]:
    template = job["spec"]["template"]
    metadata = {"name": "pod", "labels": template["metadata"]["labels"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def test_a_privileged_namespace_takes_the_sidecar_and_a_restricted_one_warns_of_it(
    kubectl: Kubectl, namespace: str
) -> None:
    assert 'container "mount-0" must not set securityContext.privileged=true' in dry_run(
        kubectl, namespace, EXAMPLES[SIDECAR]
    )
    with fresh_namespace(kubectl, level="privileged") as privileged:
        job = EXAMPLES[SIDECAR]
        assert "Warning" not in dry_run(kubectl, privileged, job, _pod_of(job))


def test_the_server_warns_of_nothing_but_root_where_a_step_is_root(kubectl: Kubectl, namespace: str) -> None:
    said = dry_run(kubectl, namespace, EXAMPLES[ROOT])
    assert "Warning" in said
    assert "runAsNonRoot" in said
    assert not any(word in said for word in ("capabilities", "seccompProfile", "allowPrivilegeEscalation"))


def test_the_plan_is_taken_too(kubectl: Kubectl, namespace: str) -> None:
    assert "Warning" not in dry_run(kubectl, namespace, plan.render(PLAN.run, write(PLAN)))
