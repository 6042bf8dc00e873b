"""A quota that refuses what movers need: whatever waits says so in the quota's words, and goes on when it is lifted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cluster.space import Space
from cluster.waiting import wait_until
from e2e.tenant import Tenant, condition, is_ready, step_of

pytestmark = pytest.mark.story

WAITS = 'until test -e /tmp/go; do sleep 0.2; done; echo model > "$0"'
TRAIN: dict[str, Any] = {
    "name": "train",
    "command": ["sh", "-ec", WAITS, "$(outputs.model.path)"],
    "outputs": [{"name": "model", "export": {"path": "exported/{run-id}/{output-name}"}}],
}
SAMPLED = {"name": "limited", "transforms": [{"sample": {"percent": 50, "seed": 1}}], "allowEmpty": True}
LOOK: dict[str, Any] = {"name": "look", "command": ["true"], "inputs": [SAMPLED]}


@contextmanager
def quota(tenant: Tenant, what: str) -> Iterator[None]:
    """A quota that lets nothing more of this be made, once the API server knows it."""
    name = "strict"
    quota = {"metadata": {"name": name}, "spec": {"hard": {what: "0"}}}
    tenant.direct.make("resourcequotas", quota, tenant.namespace)
    try:
        assert wait_until(lambda: "hard" in tenant.get("resourcequotas", name).get("status", {}), 120)
        yield
    finally:
        tenant.delete("resourcequotas", name)


def export_of(status: dict[str, Any]) -> dict[str, Any]:
    outputs = step_of(status, "train").get("outputs") or [{}]
    export: dict[str, Any] = outputs[0].get("export", {})
    return export


@pytest.mark.parametrize("what", ["count/jobs.batch", pytest.param("count/pods", marks=pytest.mark.long)])
def test_an_export_whose_job_or_pod_is_refused_waits_and_is_made_in_the_end(
    tenant: Tenant, space: Space, default_store: str, what: str
) -> None:
    run = tenant.start_steps(TRAIN)
    tenant.until("pipelineruns", run, lambda status: step_of(status, "train").get("reason") == "Running", 120)
    with quota(tenant, what):
        tenant.touch(run, "train", "/tmp/go")
        held = tenant.until(
            "pipelineruns", run, lambda status: export_of(status).get("reason") == "QuotaExceeded", 120
        )
        assert step_of(held, "train")["state"] == "Succeeded"
        assert f"exceeded quota: strict, requested: {what}=1" in export_of(held)["message"]
        assert "completionTime" not in held
    status = tenant.finish(run, 120)
    assert (status["state"], export_of(status)["state"]) == ("Succeeded", "Exported"), json.dumps(status)
    uid = tenant.get("pipelineruns", run)["metadata"]["uid"][:8]
    assert space.get(f"exported/{run}-{uid}/model/data/model") == b"model\n"
    told = [reason for reason, _ in tenant.events(run)]
    assert {"QuotaExceeded", "Exported"} <= set(told)


def test_a_survey_and_a_probe_whose_jobs_are_refused_are_told_by_run_and_datastore(
    tenant: Tenant, space: Space, default_store: str
) -> None:
    space.put("limited/a.txt", b"a")
    tenant.apply("Dataset", "limited", {"sources": [{"path": "limited/"}]})
    tenant.until("datasets", "limited", is_ready, 60)
    with quota(tenant, "count/jobs.batch"):
        run = tenant.start_steps(LOOK)
        tenant.apply("Datastore", "limited", tenant.s3_datastore(space, prefix=f"{space.prefix}other/"))
        waits = tenant.until(
            "pipelineruns", run, lambda status: "exceeded quota" in status.get("message", ""), 60
        )
        assert (waits["state"], condition(waits, "Succeeded")["reason"]) == ("Waiting", "Waiting")
        probed = tenant.until(
            "datastores",
            "limited",
            lambda status: "exceeded quota" in condition(status, "Ready").get("message", ""),
            60,
        )
        assert condition(probed, "Ready")["reason"] == "Probing"
    assert tenant.finish(run, 120)["state"] == "Succeeded"
    tenant.until("datastores", "limited", is_ready, 60)
