"""A step on a compute target: the pod that a real API server makes has what the PodTemplate says, and it runs."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from controller.runs import Shared, plain_step

pytestmark = pytest.mark.server

BIG: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "PodTemplate",
    "metadata": {"name": "big"},
    "template": {
        "metadata": {"labels": {"team": "vision"}},
        "spec": {
            "nodeSelector": {"kubernetes.io/os": "linux"},
            "tolerations": [{"key": "gpu", "operator": "Exists"}],
            "volumes": [{"name": "scratch", "emptyDir": {}}],
            "containers": [
                {
                    "name": "step",
                    "image": "never/pulled:1",
                    "env": [{"name": "WHERE", "value": "/scratch"}],
                    "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}],
                    "resources": {"requests": {"cpu": "10m"}},
                }
            ],
        },
    },
}


def test_a_step_runs_on_its_target_and_keeps_what_it_says_itself(shared: Shared) -> None:
    runs = shared.runs
    hostile = copy.deepcopy(BIG) | {"metadata": {"name": "hostile"}}
    hostile["template"]["spec"]["hostPID"] = True
    runs.kubectl.apply(BIG, hostile, namespace=runs.namespace)
    program = ("import os", "open(os.environ['WHERE'] + '/x', 'w').write('x')")
    runs.create("targeted", plain_step("only", *program, computeTarget="big"))
    runs.create("refused", plain_step("only", computeTarget="hostile"))
    status = runs.finish("targeted")
    assert status["state"] == "Succeeded", status
    (pod,) = runs.pods("targeted")
    assert pod["metadata"]["labels"]["team"] == "vision"
    assert pod["spec"]["nodeSelector"] == {"kubernetes.io/os": "linux"}
    assert {"key": "gpu", "operator": "Exists"} in pod["spec"]["tolerations"]
    container = pod["spec"]["containers"][0]
    # The step has an image of its own, and no requests.
    assert container["image"] == "localhost/python:3.11-slim"
    assert container["resources"] == {"requests": {"cpu": "10m"}}
    refused = runs.finish("refused", 30)
    assert refused["conditions"][0]["reason"] == "InvalidPipeline"
    assert "spec.hostPID" in refused["message"]
