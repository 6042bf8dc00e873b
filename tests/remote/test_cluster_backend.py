"""The cluster's `Backend` against a real API server: objects come and go as its users expect, and errors say why."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builders import make_dataset, make_datastore, make_pipeline, make_run, make_step
from cluster.kubectl import Kubectl
from remote.users import with_role
from towpath.backend import Kind
from towpath.cluster import ClusterBackend, open_backend
from towpath.errors import (
    AlreadyExistsError,
    InvalidObjectError,
    NotFoundError,
    UnreachableError,
    UserErrorException,
)
from towpath.flow import documents

pytestmark = pytest.mark.server


def here(backend: ClusterBackend, body: dict[str, Any]) -> dict[str, Any]:
    return body | {"metadata": body["metadata"] | {"namespace": backend.namespace}}


def message(action: Callable[[], object], kind: type[Exception]) -> str:
    with pytest.raises(kind) as raised:
        action()
    return str(raised.value)


def test_what_was_created_is_got_and_listed_by_name_and_gone_once_deleted(backend: ClusterBackend) -> None:
    for name in ("b", "a"):
        backend.create(here(backend, make_dataset(name)))
    found = backend.get(Kind.DATASET, "a")
    assert found is not None
    assert (found["kind"], found["spec"]["sources"]) == (
        "Dataset",
        [{"path": "iris.csv", "hash": "Reported"}],
    )
    listed = backend.list_objects(Kind.DATASET)
    assert [(item["kind"], item["metadata"]["name"]) for item in listed] == [
        ("Dataset", "a"),
        ("Dataset", "b"),
    ]
    backend.delete(Kind.DATASET, "a")
    backend.delete(Kind.DATASET, "a")
    assert backend.get(Kind.DATASET, "a") is None


def test_a_list_is_whole_however_many_pages_it_has(
    backend: ClusterBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("towpath.cluster.client.PAGE", 2)
    for number in range(5):
        body = here(backend, make_dataset(f"d{number}"))
        body["metadata"]["labels"] = {"kept": str(number % 2)}
        backend.create(body)
    assert len(backend.list_objects(Kind.DATASET)) == 5
    names = [item["metadata"]["name"] for item in backend.list_objects(Kind.DATASET, {"kept": "1"})]
    assert names == ["d1", "d3"]


def test_a_run_may_leave_its_name_to_the_server(backend: ClusterBackend) -> None:
    run = here(backend, make_run())
    run["metadata"] = {"generateName": "iris-"}
    made = backend.create(run)
    assert made["metadata"]["name"].startswith("iris-")
    assert made["metadata"]["uid"]


def test_what_is_there_already_is_not_made_again(backend: ClusterBackend) -> None:
    body = here(backend, make_dataset())
    backend.create(body)
    assert "Dataset iris" in message(lambda: backend.create(body), AlreadyExistsError)


def test_a_refused_object_is_told_by_field_and_rule(backend: ClusterBackend) -> None:
    said = message(
        lambda: backend.create(here(backend, make_datastore(s3={"bucket": "B"}))), InvalidObjectError
    )
    assert "spec.s3.bucket" in said
    both = make_datastore(s3={"bucket": "data"}, gcs={"bucket": "data"})
    said = message(lambda: backend.apply(here(backend, both)), InvalidObjectError)
    assert "a Datastore is exactly one of s3, azureBlob, gcs and persistentVolumeClaim" in said


def test_apply_makes_an_object_and_then_brings_its_spec_to_this_and_nothing_else(
    backend: ClusterBackend, kubectl: Kubectl
) -> None:
    body = here(backend, make_pipeline("iris", make_step("a"), make_step("b"), description="old"))
    backend.apply(body)
    label, status = {"metadata": {"labels": {"theirs": "kept"}}}, {"status": {"observedGeneration": 7}}
    for part, change in (("iris", label), ("iris/status", status)):
        kubectl.direct.patch("pipelines", part, change, backend.namespace)
    fewer = here(backend, make_pipeline("iris", make_step("a")))
    fewer["metadata"]["labels"] = {"ours": "new"}
    applied = backend.apply(fewer)
    assert [step["name"] for step in applied["spec"]["steps"]] == ["a"]
    assert "description" not in applied["spec"]
    assert applied["metadata"]["labels"] == {"theirs": "kept", "ours": "new"}
    assert applied["status"]["observedGeneration"] == 7
    again = backend.apply(fewer)
    assert again["metadata"]["resourceVersion"] == applied["metadata"]["resourceVersion"]


def test_an_immutable_field_is_told_as_the_rule_that_it_breaks(backend: ClusterBackend) -> None:
    backend.apply(here(backend, make_datastore(s3={"bucket": "one-bucket"})))
    moved = here(backend, make_datastore(s3={"bucket": "another-bucket"}))
    assert "cannot change" in message(lambda: backend.apply(moved), InvalidObjectError)


def test_a_secret_is_written_without_the_right_to_read_it(
    backend: ClusterBackend, kubectl: Kubectl, tmp_path: Path
) -> None:
    may_write = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create", "update"]}
    user = open_backend(kubeconfig=with_role(kubectl, backend.namespace, [may_write], tmp_path / "config"))
    for value in ("one", "two"):
        user.apply(
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {value: "x"}}
        )
    assert "role `edit`" in message(lambda: user.get(Kind.SECRET, "s"), UserErrorException)
    found = backend.get(Kind.SECRET, "s")
    assert found is not None
    assert list(found["data"]) == ["two"]


def test_a_patch_merges_and_of_a_name_that_is_not_there_near_names_are_told(backend: ClusterBackend) -> None:
    backend.create(here(backend, make_run("iris-1")))
    assert backend.patch(Kind.PIPELINE_RUN, "iris-1", {"spec": {"cancel": True}})["spec"]["cancel"] is True
    said = message(lambda: backend.patch(Kind.PIPELINE_RUN, "irsi-1", {}), NotFoundError)
    assert "Did you mean iris-1?" in said
    assert backend.where in said
    said = message(
        lambda: backend.patch(Kind.PIPELINE_RUN, "iris-1", {"spec": {"cancel": False}}), InvalidObjectError
    )
    assert "a cancelled run stays cancelled" in said


def test_a_watch_shows_each_change_and_ends_when_the_object_goes(backend: ClusterBackend) -> None:
    backend.create(here(backend, make_run("iris-1")))
    seen: list[object] = []

    def change() -> None:
        backend.patch(Kind.PIPELINE_RUN, "iris-1", {"metadata": {"labels": {"a": "b"}}})
        backend.delete(Kind.PIPELINE_RUN, "iris-1")

    for found in backend.watch(Kind.PIPELINE_RUN, "iris-1", 30):
        if not seen:
            threading.Thread(target=change).start()
        seen.append(found["metadata"].get("labels"))
    assert seen == [None, {"a": "b"}]


def test_a_watch_goes_on_over_connections_that_end(
    backend: ClusterBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("towpath.cluster.watching._ONE_WATCH_SECONDS", 1)
    backend.create(here(backend, make_run("iris-1")))
    later = threading.Timer(2.5, backend.patch, (Kind.PIPELINE_RUN, "iris-1", {"spec": {"cancel": True}}))
    later.start()
    started = time.monotonic()
    seen = [found["spec"].get("cancel", False) for found in backend.watch(Kind.PIPELINE_RUN, "iris-1", 5)]
    assert seen == [False, True]
    assert 4 < time.monotonic() - started < 8


def test_a_watch_of_a_name_that_is_not_there_says_so_at_once(backend: ClusterBackend) -> None:
    assert "There are none." in message(lambda: backend.watch(Kind.PIPELINE_RUN, "iris-1", 5), NotFoundError)


def test_a_plan_is_read_from_its_config_map(backend: ClusterBackend, kubectl: Kubectl) -> None:
    packed = documents.pack({"run": {"pipeline": "iris"}, "step-prep": {"name": "prep"}})
    encoded = {key: base64.b64encode(value).decode() for key, value in packed.items()}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "the-plan"}, "binaryData": encoded}
    kubectl.apply(body, namespace=backend.namespace)
    run = {"status": {"plan": "the-plan"}}
    assert backend.plan_of(run) == {"run": {"pipeline": "iris"}, "step-prep": {"name": "prep"}}
    assert backend.plan_of({"status": {"plan": "another"}}) is None
    assert backend.plan_of({"metadata": {}}) is None


def test_a_kind_that_is_not_ours_is_refused(backend: ClusterBackend) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}
    assert "Pod" in message(lambda: backend.apply(pod), UserErrorException)


def test_a_cluster_that_is_not_there_is_told_by_address_and_soon(tmp_path: Path) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "gone", "cluster": {"server": "http://127.0.0.1:9"}}],
        "contexts": [{"name": "c", "context": {"cluster": "gone", "namespace": "team-a"}}],
        "current-context": "c",
    }
    file = tmp_path / "config"
    file.write_text(json.dumps(config))
    backend = open_backend(kubeconfig=file)
    assert backend.where == "namespace team-a of cluster gone"
    started = time.monotonic()
    assert "http://127.0.0.1:9" in message(lambda: backend.get(Kind.DATASET, "iris"), UnreachableError)
    assert time.monotonic() - started < 5
    assert "Did you mean" in message(lambda: open_backend(kubeconfig=file, context="cc"), NotFoundError)
    missing = message(lambda: open_backend(kubeconfig=tmp_path / "nothing"), UserErrorException)
    assert str(tmp_path / "nothing") in missing
