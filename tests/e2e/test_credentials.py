"""Credentials that change under a run: nothing is counted against a step, and no work is lost."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.space import Space
from cluster.store import Identity
from cluster.waiting import wait_until
from e2e.tenant import Tenant, condition, has_reason, is_ready, step_of

pytestmark = pytest.mark.story

WRONG = Identity("towpath-admin", "not-the-key")


def _a_store_of_its_own(tenant: Tenant, space: Space, name: str) -> None:
    """A Datastore with a Secret of its name."""
    tenant.secret(name, space.s3.admin)
    spec = tenant.s3_datastore(space, prefix=f"{space.prefix}{name}/", credentialsSecretRef={"name": name})
    tenant.apply("Datastore", name, spec)


def _write(store: str, script: str) -> dict[str, Any]:
    command = ["sh", "-c", f'{script}; echo done > "$0"', "$(outputs.out.path)"]
    return {"name": "write", "command": command, "outputs": [{"name": "out", "datastore": store}]}


def _log(tenant: Tenant, pod: str) -> str:
    return tenant.direct.log(pod, tenant.namespace, "publish")


def _mount_again(tenant: Tenant, pod: str, why: str) -> None:
    """Have the kubelet look at the pod's Secrets now: by itself it does so about once a minute."""
    tenant.annotate("pods", pod, **{"test.towpath.dev/mounted": why})


def test_a_run_outlives_keys_that_are_wrong_before_its_step_and_others_that_are_wrong_at_publish(
    tenant: Tenant, space: Space
) -> None:
    for store in ("before", "during"):
        _a_store_of_its_own(tenant, space, store)
    for store in ("before", "during"):
        tenant.until("datastores", store, is_ready)

    # The key is revoked after the last probe: the Datastore is Ready, and the step is refused.
    tenant.secret("before", WRONG)
    early = tenant.start_steps(_write("before", "true"))
    late = tenant.start_steps(_write("during", "sleep 15"))
    held = tenant.until(
        "pipelineruns", early, lambda status: step_of(status, "write").get("reason") == "CredentialsRefused"
    )
    assert step_of(held, "write")["state"] == "Waiting"
    tenant.until("datastores", "before", has_reason("Ready", "CredentialsRefused"))
    tenant.secret("before", space.s3.admin)

    # The other step was let in, and its key is revoked while it works.
    tenant.until("pipelineruns", late, lambda status: step_of(status, "write").get("reason") == "Running")
    [pod] = tenant.pods(late, "write")
    tenant.secret("during", WRONG)
    _mount_again(tenant, pod, "revoked")
    assert wait_until(lambda: "Trying again every 10 s" in _log(tenant, pod), 40, pause=1)
    assert "CredentialsRefused: Could not write" in _log(tenant, pod)
    tenant.until("pipelineruns", late, lambda status: step_of(status, "write").get("reason") == "Publishing")
    tenant.secret("during", space.s3.admin)
    _mount_again(tenant, pod, "repaired")
    ended = tenant.finish(late)
    assert (ended["state"], step_of(ended, "write")["attempt"]) == ("Succeeded", 1), ended

    ended = tenant.finish(early)
    assert (ended["state"], step_of(ended, "write")["attempt"]) == ("Succeeded", 2), ended
    assert "failures" not in step_of(ended, "write")
    assert condition(tenant.status("datastores", "before"), "Ready")["status"] == "True"
    for run, store in ((early, "before"), (late, "during")):
        assert [key for key in space.keys(f"{store}/{tenant.namespace}/runs/{run}") if key.endswith("/out")]
