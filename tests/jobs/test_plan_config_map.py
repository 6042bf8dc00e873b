"""The plan's ConfigMap: immutable, owned by its run, and readable by a mover that mounts two of its keys."""

from __future__ import annotations

import base64
import gzip
import json

from jobs.planned_steps import make_order
from jobs.rendered_examples import PLAN, PREP
from towpath.flow.documents import write
from towpath_operator.jobs import plan
from towpath_operator.jobs.settings import PodSettings
from towpath_operator.jobs.step import render as render_step


def test_it_is_immutable_and_goes_with_its_run() -> None:
    config_map = plan.render(PLAN.run, write(PLAN))
    owner = config_map["metadata"]["ownerReferences"][0]
    assert config_map["immutable"] is True
    assert (owner["kind"], owner["uid"], owner["controller"]) == ("PipelineRun", PLAN.run.uid, True)


def test_a_pod_finds_the_keys_that_it_mounts() -> None:
    config_map = plan.render(PLAN.run, write(PLAN))
    job = render_step(PLAN, PREP, make_order(PREP), PodSettings())
    volumes = {volume["name"]: volume for volume in job["spec"]["template"]["spec"]["volumes"]}
    mounted = volumes["plan"]["configMap"]
    assert mounted["name"] == config_map["metadata"]["name"]
    for item in mounted["items"]:
        document = json.loads(gzip.decompress(base64.b64decode(config_map["binaryData"][item["key"]])))
        assert document["formatVersion"] == 1


def test_the_same_documents_are_the_same_bytes() -> None:
    assert plan.render(PLAN.run, write(PLAN)) == plan.render(PLAN.run, write(PLAN))
