"""The Job that serves a datastore to its user's own machine: restricted, owned, short-lived, without its token."""

from __future__ import annotations

import json
from typing import Any

import pytest

from builders import UID, make_datastore
from jobs.restricted import violations
from towpath.api.datastore import Datastore
from towpath.flow import names
from towpath.flow.sources import Installation
from towpath_operator.jobs.settings import PodSettings
from towpath_operator.jobs.transfer import Opening, mover_of, render

INSTALLATION = Installation("step", "towpath@sha256:" + "2" * 64, "cluster")
OPENING = Opening("0a1b2c3d", "ab" * 32)


def served(settings: PodSettings | None = None, **spec: Any) -> dict[str, Any]:
    status = {"mover": mover_of(INSTALLATION, settings or PodSettings())}
    datastore = Datastore.parse(make_datastore("default", **spec) | {"status": status})
    return render(datastore, UID, "team-a", OPENING)


def test_it_is_restricted_and_goes_with_its_datastore_and_by_itself() -> None:
    job = served()
    pod = job["spec"]["template"]["spec"]
    assert violations(pod) == []
    assert pod["automountServiceAccountToken"] is False
    assert pod["activeDeadlineSeconds"] == 7 * 86_400
    assert job["spec"]["ttlSecondsAfterFinished"] == 60
    (owner,) = job["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("Datastore", "default", UID)
    labels = job["spec"]["template"]["metadata"]["labels"]
    # Not what the operator watches by: it is none of its Jobs.
    assert labels[names.MANAGED_BY_LABEL] != names.MANAGED_BY
    assert labels[names.COMPONENT_LABEL] == "transfer"


def test_it_is_told_the_digest_of_the_token_and_nothing_of_credentials() -> None:
    (container,) = served()["spec"]["template"]["spec"]["containers"]
    (variable,) = container["env"]
    order = json.loads(variable["value"])
    assert (order["tokenSHA256"], order["idleSeconds"], order["namespace"]) == ("ab" * 32, 120, "team-a")
    assert order["datastore"]["credentialsSecret"] == "minio-creds"
    assert container["command"][-1] == "serve"
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == [
        "/tmp",
        "/towpath/credentials/default",
    ]


@pytest.mark.parametrize("user", [1000, None])
def test_it_is_what_the_installations_movers_are(user: int | None) -> None:
    resources = {"limits": {"memory": "512Mi"}}
    settings = PodSettings(
        user=user,
        mover_resources=resources,
        mover_image_pull_policy="Never",
        image_pull_secrets=("registry",),
    )
    pod = served(settings)["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert (container["image"], container["imagePullPolicy"]) == (INSTALLATION.mover_image, "Never")
    assert container["resources"] == resources
    assert pod["imagePullSecrets"] == [{"name": "registry"}]
    assert pod["securityContext"].get("runAsUser") == user


def test_a_claim_is_mounted_and_a_datastores_own_resources_win() -> None:
    own = {"resources": {"limits": {"memory": "1Gi"}}}
    job = served(persistentVolumeClaim={"claimName": "data"}, mover=own)
    pod = job["spec"]["template"]["spec"]
    assert pod["volumes"][-1]["persistentVolumeClaim"] == {"claimName": "data"}
    assert pod["securityContext"]["fsGroup"] == 1000
    assert pod["containers"][0]["resources"]["limits"] == {"memory": "1Gi"}
