"""One dataset, split without a copy: what one step trains on, the other never sees, and together they see all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cluster.space import Space
from e2e.tenant import Tenant, condition, is_ready, step_of
from flow.naive_subsets import naive_select

pytestmark = pytest.mark.story

LIST = """
import json, os, sys
top = sys.argv[1]
found = [os.path.relpath(os.path.join(folder, name), top) for folder, _, names in os.walk(top) for name in names]
context = json.load(open(os.environ["TOWPATH_CONTEXT"]))
print(json.dumps({"files": sorted(found), "transforms": context["inputs"]["cats"]["transforms"]}))
"""
FILES = {f"{number % 3}/{number:02}.jpg": bytes(number + 1) for number in range(40)}
PARTS = [{"name": "train", "percent": "$(params.share)"}, {"name": "test"}]


def _reads(part: str) -> dict[str, object]:
    """A step that says which files of this part it sees."""
    given = {"name": "cats", "transforms": [{"split": {"parts": PARTS, "part": part}}]}
    return {
        "name": part,
        "command": ["python3", "-c", LIST, "$(inputs.cats.path)"],
        "inputs": [given],
    }


def test_two_steps_read_train_and_test_of_one_split_with_a_percent_from_a_param(
    tenant: Tenant, space: Space, default_store: str
) -> None:
    for path, content in FILES.items():
        space.put(f"cats/{path}", content)
    tenant.apply("Dataset", "cats", {"sources": [{"path": "cats/"}]})
    tenant.until("datasets", "cats", is_ready)
    params = [{"name": "share", "type": "number", "default": 50}]
    tenant.apply("Pipeline", "split", {"params": params, "steps": [_reads("train"), _reads("test")]})

    run = tenant.start({"pipelineRef": {"name": "split"}, "params": {"share": 72.5}})
    status = tenant.finish(run)

    assert status["state"] == "Succeeded", json.dumps(status, indent=1)
    seen = {part: _said(tenant, run, part) for part in ("train", "test")}
    files = {part: set(said["files"]) for part, said in seen.items()}
    assert not files["train"] & files["test"]
    assert files["train"] | files["test"] == FILES.keys()
    records = sorted((path, len(content)) for path, content in FILES.items())
    for part, said in seen.items():
        [split] = [transform["split"] for transform in said["transforms"]]
        assert split["parts"][0]["percent"] == "72.5"
        assert files[part] == {path for path, _ in naive_select(said["transforms"], records)}
        step = step_of(status, part)
        assert step["notes"] == [f"input cats: seed {split['seed']} was drawn"]
        assert step["bytesIn"] == sum(len(FILES[path]) for path in files[part])


def test_a_view_without_files_and_a_percent_that_is_none_are_said_by_name(
    tenant: Tenant, space: Space, default_store: str
) -> None:
    space.put("dogs/1.jpg", b"1")
    tenant.apply("Dataset", "dogs", {"sources": [{"path": "dogs/"}]})
    tenant.until("datasets", "dogs", is_ready)
    step = {"name": "look", "command": ["ls", "$(inputs.dogs.path)"]}
    none = step | {"inputs": [{"name": "dogs", "transforms": [{"filter": {"path": "**/*.png"}}]}]}
    wrong = step | {"inputs": [{"name": "dogs", "transforms": [{"sample": {"percent": "$(params.share)"}}]}]}

    empty = tenant.start_steps(none)
    refused = tenant.start(
        {
            "pipelineSpec": {"params": [{"name": "share", "type": "number"}], "steps": [wrong]},
            "params": {"share": 150},
        }
    )

    nothing = condition(tenant.finish(empty), "Succeeded")
    assert nothing["reason"] == "EmptyInput", nothing
    assert "Step look, input dogs: its transforms select none of the 1 files" in nothing["message"]
    said = condition(tenant.finish(refused), "Succeeded")
    assert said["reason"] == "InvalidPipeline"
    assert "Step look, input dogs: transforms[0].sample.percent" in said["message"]


def test_a_run_reads_a_view_of_files_that_nobody_registered_and_asks_for_their_disk_only(
    tenant: Tenant, space: Space, default_store: str
) -> None:
    for number in range(6):
        space.put(f"loose/june/{number}.bin", bytes(20_000_000 if number == 5 else 10))
    given = {
        "name": "cats",
        "source": {"sources": [{"path": "loose/$(params.month)/*.bin"}]},
        "transforms": [{"take": {"count": 3}}],
    }
    look = {"name": "look", "command": ["python3", "-c", LIST, "$(inputs.cats.path)"], "inputs": [given]}
    params = [{"name": "month"}]
    missing = tenant.start({"pipelineSpec": {"params": params, "steps": [look]}, "params": {"month": "may"}})

    run = tenant.start({"pipelineSpec": {"params": params, "steps": [look]}, "params": {"month": "june"}})
    status = tenant.finish(run)

    assert status["state"] == "Succeeded", json.dumps(status, indent=1)
    assert _said(tenant, run, "look")["files"] == ["0.bin", "1.bin", "2.bin"]
    planned = tenant.plan(run)["step-look"]["inputs"][0]
    assert planned["counted"] == {"files": 3, "bytes": 30, "scratchBytes": 4 * 4096}
    assert planned["source"]["content"]["files"] == 6
    assert planned["source"]["sources"][0]["path"] == "loose/june/*.bin"
    [job] = tenant.jobs(run)
    volumes = {volume["name"]: volume for volume in job["spec"]["template"]["spec"]["volumes"]}
    assert int(volumes["inputs"]["emptyDir"]["sizeLimit"]) < 34 * 2**20
    said = condition(tenant.finish(missing), "Succeeded")
    assert said["reason"] == "InputRefused"
    assert said["message"].startswith("Step look, input cats: SourceNotFound:")


def test_a_compute_target_takes_no_more_of_a_nodes_disk_than_it_allows(
    tenant: Tenant, space: Space, default_store: str
) -> None:
    for number in range(5):
        space.put(f"birds/{number}.jpg", b"1")
    tenant.apply("Dataset", "birds", {"sources": [{"path": "birds/"}]})
    tenant.until("datasets", "birds", is_ready)
    # What the API server wants of every PodTemplate: a container with an image.
    container = {"name": "step", "image": "localhost/python:3.11-slim"}
    template = {"template": {"spec": {"containers": [container]}}}
    metadata = {"name": "small-disk", "annotations": {"towpath.dev/max-scratch": "16Ki"}}
    small = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": metadata} | template
    tenant.kubectl("apply", "-f", "-", stdin=json.dumps(small))
    look = {"name": "look", "command": ["ls", "$(inputs.birds.path)"], "computeTarget": "small-disk"}

    whole = tenant.start_steps(look | {"inputs": [{"name": "birds"}]})
    two = tenant.start_steps(look | {"inputs": [{"name": "birds", "transforms": [{"take": {"count": 2}}]}]})

    refused = condition(tenant.finish(whole), "Succeeded")
    assert refused["reason"] == "TooLarge", refused
    numbers = (
        "its inputs take 24576 bytes of a node's disk, and the computeTarget small-disk allows 16384 (its"
    )
    assert f"Step look: {numbers} annotation towpath.dev/max-scratch)" in refused["message"]
    assert not tenant.jobs(whole)
    status = tenant.finish(two)
    assert status["state"] == "Succeeded", json.dumps(status, indent=1)
    assert tenant.plan(two)["step-look"]["computeTarget"]["maxScratchBytes"] == 16384


def _said(tenant: Tenant, run: str, step: str) -> dict[str, Any]:
    """What a step printed."""
    said: dict[str, Any] = json.loads(tenant.log(run, step))
    return said
