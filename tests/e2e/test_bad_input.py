"""Bad input becomes a condition that says what, where, why and what to do; and nothing is started."""

from __future__ import annotations

import json
import secrets
from typing import Any

import pytest

from cluster.space import Space
from cluster.store import Identity
from e2e.tenant import Tenant, condition, has_reason, is_ready, step_of

pytestmark = pytest.mark.story

Begun = dict[str, str]

STORES: dict[str, dict[str, Any]] = {
    "wrong-key": {"credentialsSecretRef": {"name": "wrong"}},
    "no-secret": {"credentialsSecretRef": {"name": "nowhere"}},
    "no-bucket": {"bucket": f"missing-{secrets.token_hex(4)}"},
    "no-host": {"endpoint": "http://nowhere.invalid:9000"},
    "no-port": {"endpoint": "http://198.18.0.2:9"},
    "reads-only": {"credentialsSecretRef": {"name": "reader"}},
}
ECHO: dict[str, Any] = {"name": "say", "command": ["echo", "hello"]}


def _refusal(tenant: Tenant, run: str, seconds: int = 60) -> dict[str, Any]:
    """The condition of a run that must fail, after a look that no Job of it was made."""
    status = tenant.finish(run, seconds)
    assert status["state"] == "Failed", status
    assert tenant.jobs(run) == []
    return condition(status, "Succeeded")


@pytest.fixture(scope="module")
def begun(tenant: Tenant, space: Space) -> Begun:
    """All Datastores and the slow runs at once, since most of their time is waiting; the names of the runs."""
    tenant.secret("wrong", Identity("towpath-admin", "not-the-key"))
    assert space.s3.reader is not None
    tenant.secret("reader", space.s3.reader)
    for name, changed in STORES.items():
        tenant.apply("Datastore", name, tenant.s3_datastore(space, **changed))
    space.put("raw/flowers.csv", b"a,b\n1,2\n")
    tenant.apply("Dataset", "flowers", {"sources": [{"path": "raw/flowers.csv"}]})
    words = ["sh", "-c", "echo reading; echo 'no column species' >&2; exit 3"]
    steps = {
        "no-image": {**ECHO, "image": "localhost/nothing/here:1"},
        "no-dataset": {**ECHO, "inputs": [{"name": "flower"}]},
        "failed": {"name": "read", "command": words},
    }
    return {name: tenant.start_steps(step) for name, step in steps.items()}


def test_an_image_that_cannot_be_pulled_shows_at_once_and_fails_in_the_kubelets_words(
    tenant: Tenant, begun: Begun
) -> None:
    run = begun["no-image"]
    shown = tenant.until(
        "pipelineruns", run, lambda status: step_of(status, "say").get("reason") == "ImageNotPulled"
    )
    assert step_of(shown, "say")["state"] == "Waiting"
    assert "localhost/nothing/here:1" in step_of(shown, "say")["message"]
    status = tenant.finish(run, 90)
    assert status["state"] == "Failed"
    assert "localhost/nothing/here:1" in step_of(status, "say")["message"]


@pytest.mark.usefixtures("begun")
def test_a_wrong_secret_key_is_a_reason_on_the_datastore(tenant: Tenant) -> None:
    status = tenant.until("datastores", "wrong-key", has_reason("Ready", "CredentialsRefused"))
    message = condition(status, "Ready")["message"]
    assert "'towp…' of Secret 'wrong'" in message
    assert "the secret key does not belong to the access key" in message
    assert "not-the-key" not in message


@pytest.mark.usefixtures("begun")
def test_a_missing_secret_is_named(tenant: Tenant) -> None:
    status = tenant.until("datastores", "no-secret", has_reason("Ready", "CredentialsMissing"))
    assert "nowhere" in condition(status, "Ready")["message"]


@pytest.mark.usefixtures("begun")
def test_a_missing_bucket_is_named_and_can_be_made(tenant: Tenant, space: Space) -> None:
    missing = STORES["no-bucket"]["bucket"]
    status = tenant.until("datastores", "no-bucket", has_reason("Ready", "BucketNotFound"))
    message = condition(status, "Ready")["message"]
    assert missing in message
    assert "createBucket" in message
    tenant.apply("Datastore", "made-bucket", tenant.s3_datastore(space, bucket=missing, createBucket=True))
    tenant.until("datastores", "made-bucket", has_reason("Ready", "Ready"))
    space.client.remove_object(missing, f"{space.prefix}{tenant.namespace}/owner.json")
    space.client.remove_bucket(missing)


@pytest.mark.usefixtures("begun")
def test_a_wrong_endpoint_is_named(tenant: Tenant) -> None:
    tenant.until("datastores", "no-host", has_reason("Ready", "EndpointNotFound"))
    tenant.until("datastores", "no-port", has_reason("Ready", "EndpointUnreachable"))


@pytest.mark.usefixtures("begun")
def test_a_reader_without_the_right_to_write_is_told_so(tenant: Tenant, space: Space) -> None:
    status = tenant.until("datastores", "reads-only", has_reason("Ready", "PermissionDenied"))
    assert "write" in condition(status, "Ready")["message"]
    spec = tenant.s3_datastore(space, **STORES["reads-only"])
    tenant.apply("Datastore", "said-so", spec | {"readOnly": True})
    tenant.until("datastores", "said-so", has_reason("Ready", "Ready"))


def test_a_place_of_another_cluster_is_told_by_name_may_be_read_and_is_taken_once_it_is_free(
    tenant: Tenant, space: Space
) -> None:
    key = f"theirs/{tenant.namespace}/owner.json"
    space.put(key, json.dumps({"clusterID": "another", "namespace": tenant.namespace}).encode())
    spec = tenant.s3_datastore(space, prefix=f"{space.prefix}theirs/")
    tenant.apply("Datastore", "theirs", spec | {"readOnly": True})
    tenant.until("datastores", "theirs", is_ready)
    tenant.apply("Datastore", "theirs", spec | {"readOnly": False})
    status = tenant.until("datastores", "theirs", has_reason("Ready", "OwnedElsewhere"))
    assert "of the cluster 'another'" in condition(status, "Ready")["message"]
    assert "readOnly: true" in condition(status, "Ready")["message"]
    space.client.remove_object(space.bucket, space.prefix + key)
    tenant.annotate("datastores", "theirs", **{"towpath.dev/requested-at": "now"})
    tenant.until("datastores", "theirs", is_ready)
    ours = tenant.direct.get("namespaces", "kube-system")["metadata"]["uid"]
    assert json.loads(space.get(key))["clusterID"] == ours


def test_an_unknown_dataset_fails_the_run_and_lists_near_names(
    tenant: Tenant, begun: Begun, default_store: str
) -> None:
    refused = _refusal(tenant, begun["no-dataset"])
    assert refused["reason"] == "NotFound"
    assert "flower" in refused["message"]
    assert "flowers" in refused["message"]


def test_a_cycle_is_named_by_its_path(tenant: Tenant) -> None:
    run = tenant.start_steps(
        {**ECHO, "name": "a", "dependsOn": ["b"]}, {**ECHO, "name": "b", "dependsOn": ["a"]}
    )
    refused = _refusal(tenant, run)
    assert refused["reason"] == "InvalidPipeline"
    assert "a" in refused["message"]
    assert "→" in refused["message"] or "->" in refused["message"]


def test_an_unknown_reference_is_named_with_what_there_is(tenant: Tenant, default_store: str) -> None:
    step = {"name": "say", "command": ["echo", "$(inputs.ra.path)"], "outputs": [{"name": "raw"}]}
    refused = _refusal(tenant, tenant.start_steps(step))
    assert refused["reason"] == "InvalidPipeline"
    assert "$(inputs.ra.path)" in refused["message"]
    assert "say" in refused["message"]


def test_a_missing_command_is_refused_by_the_api_server(tenant: Tenant) -> None:
    with pytest.raises(AssertionError, match="command"):
        tenant.start_steps({"name": "say", "outputs": [{"name": "model"}]})


def test_a_field_that_is_not_honoured_yet_is_refused_by_its_name(tenant: Tenant) -> None:
    code = {"snapshot": {"datastore": "default", "path": "code.tar.gz", "digest": "sha256:" + "0" * 64}}
    refused = _refusal(tenant, tenant.start_steps({**ECHO, "code": code}))
    assert refused["reason"] == "NotSupportedYet"
    assert "steps[0].code.snapshot" in refused["message"]


def test_a_failed_run_ends_with_a_time_and_the_last_lines_of_the_log(tenant: Tenant, begun: Begun) -> None:
    status = tenant.finish(begun["failed"])
    assert status["state"] == "Failed"
    assert "completionTime" in status
    failed = step_of(status, "read")
    assert failed["exitCode"] == 3
    assert "no column species" in failed["logTail"]
    assert "read" in status["message"]
