"""The store: the newest version wins whoever brings it, and what a list lacks was deleted."""

from __future__ import annotations

from typing import Any

from controller.broken_server import job
from towpath_operator.cluster.resources import JOBS
from towpath_operator.cluster.slim import slim_job
from towpath_operator.cluster.store import Store

Json = dict[str, Any]


def store_with(*items: Json) -> tuple[Store, list[str]]:
    changed: list[str] = []
    store = Store(JOBS, lambda item: changed.append(item["metadata"]["name"]))
    for item in items:
        store.put(item)
    changed.clear()
    return store, changed


def test_an_older_version_changes_nothing() -> None:
    store, changed = store_with(job("a", 20))
    assert not store.put(job("a", 19))
    assert not store.put(job("a", 20))
    assert changed == []
    assert store.put(job("a", 21))
    assert changed == ["a"]


def test_the_answer_of_a_create_is_there_at_once_and_the_watch_adds_nothing() -> None:
    store, changed = store_with()
    store.put(job("a", 7))
    assert store.get("ns", "a") is not None
    store.put(job("a", 7))
    assert changed == ["a"]


def test_a_deletion_that_came_before_the_creates_answer_holds() -> None:
    store, _ = store_with()
    store.remove(job("a", 8))
    assert not store.put(job("a", 7))
    assert store.get("ns", "a") is None


def test_the_deletion_of_an_earlier_object_does_not_touch_its_successor() -> None:
    store, _ = store_with(job("a", 9, uid="second"))
    assert not store.remove(job("a", 8, uid="first"))
    assert store.get("ns", "a") is not None


def test_what_a_list_lacks_is_gone_unless_it_is_newer_than_the_list() -> None:
    store, changed = store_with(job("old", 5), job("kept", 6), job("made-after-the-list", 12))
    differences = store.replace([job("kept", 6), job("new", 9)], 10, None)
    assert {item["metadata"]["name"] for item in store.all()} == {"kept", "new", "made-after-the-list"}
    assert sorted(changed) == ["new", "old"]
    assert differences == 2


def test_a_list_of_one_namespace_deletes_nothing_in_another() -> None:
    elsewhere = job("a", 5, namespace="other")
    store, _ = store_with(elsewhere)
    store.replace([], 10, "ns")
    assert store.get("other", "a") is not None


def test_children_are_found_by_their_owners_uid() -> None:
    owned = job("child", 5, ownerReferences=[{"uid": "run-1", "kind": "PipelineRun", "name": "run"}])
    store, _ = store_with(owned, job("orphan", 5))
    assert [item["metadata"]["name"] for item in store.owned_by("run-1")] == ["child"]
    store.remove(owned)
    assert store.owned_by("run-1") == []


def test_a_slim_job_lacks_its_template_and_foreign_annotations() -> None:
    fat = job(
        "a", 5, annotations={"towpath.dev/step-digest": "d", "other.io/x": "y" * 1000}, managedFields=[{}]
    )
    fat["spec"] = {"suspend": True, "template": {"spec": {"containers": []}}}
    slim = slim_job(fat)
    assert slim["spec"] == {"suspend": True}
    assert slim["metadata"]["annotations"] == {"towpath.dev/step-digest": "d"}
    assert "managedFields" not in slim["metadata"]
