"""What is reused without being asked for: a step whose image is known by its digest, and none that has but a tag."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cluster.pods import PYTHON_IMAGE
from cluster.provider import Provider
from e2e.tenant import Tenant, step_of

pytestmark = pytest.mark.story


def _writes(name: str, image: str) -> dict[str, Any]:
    command = ["sh", "-c", f"echo {name} > $0", "$(outputs.rows.path)"]
    return {"name": name, "image": image, "command": command, "outputs": [{"name": "rows"}]}


def test_by_default_a_digest_is_reused_and_a_tag_is_not(
    tenant: Tenant, provider: Provider, default_store: str
) -> None:
    pinned = provider.pinned(PYTHON_IMAGE)
    steps = _writes("by_digest", pinned), _writes("by_tag", PYTHON_IMAGE)

    runs = []
    for _ in range(2):
        runs.append(tenant.start_steps(*steps))
        status = tenant.finish(runs[-1], 180)
        assert status["state"] == "Succeeded", json.dumps(status, indent=1)

    before = tenant.status("pipelineruns", runs[0])
    assert step_of(before, "by_digest")["reuseMiss"]["reason"] == "NothingEarlier"
    taken, run_again = (step_of(status, name) for name in ("by_digest", "by_tag"))
    assert taken["reusedFrom"]["run"] == runs[0]
    assert taken["outputs"][0]["digest"] == step_of(before, "by_digest")["outputs"][0]["digest"]
    assert "reusedFrom" not in run_again
    assert run_again["reuseMiss"] == {"reason": "ImageNotPinned", "message": PYTHON_IMAGE}
    [job] = tenant.jobs(runs[1])
    assert job["metadata"]["labels"]["towpath.dev/step"] == "by_tag"
    [first] = [
        one for one in tenant.jobs(runs[0]) if one["metadata"]["labels"]["towpath.dev/step"] == "by_digest"
    ]
    containers = first["spec"]["template"]["spec"]["containers"]
    assert [one["image"] for one in containers if one["name"] == "step"] == [pinned]
