"""A Dataset's sources are listed when they may have changed; new content is the next version, no number twice."""

from __future__ import annotations

import json
from typing import Any

import pytest

import builders
from flow import sightings
from flow.looks import a_dataset, after, decided, digest, ended, found, looked
from flow.sightings import NOON, a_pod, a_version, container, failure_report
from towpath.api.dataset import Dataset, DatasetSpec
from towpath.api.datasetversion import DatasetVersion
from towpath.flow import support
from towpath.flow.columns import packed
from towpath.flow.dataset_flow import DatasetDecision, ask_of
from towpath.flow.observed import ObservedMover


def test_a_new_dataset_with_sources_is_looked_at() -> None:
    dataset = a_dataset(sources=[{"path": "iris.csv"}, {"path": "more/", "datastore": "other"}])
    stores = {"default": sightings.a_datastore(), "other": sightings.a_datastore("other", readOnly=True)}

    order = decided(looked(dataset, datastores=stores)).inventory

    assert order is not None
    assert order.sources == (
        {"path": "iris.csv", "datastore": "default", "hash": "Reported"},
        {"path": "more/", "datastore": "other", "hash": "Reported"},
    )
    assert (order.into, [store.name for store in order.datastores]) == ("default", ["default", "other"])


def test_the_mover_is_told_all_that_a_source_says() -> None:
    archive = {"type": "Zip", "entryGlob": "**/*.jpg", "maxBytes": 1000}
    dataset = a_dataset(
        sources=[
            {"url": "https://h/a.zip", "archive": archive, "caConfigMapRef": {"name": "ca"}},
            {"path": "x/", "datastore": "other", "hash": "Content", "partitionFormat": "/{a}/x"},
            {"path": "b.tar", "datastore": "other", "archive": {"type": "Tar"}},
        ]
    )
    stores = {"default": sightings.a_datastore(), "other": sightings.a_datastore("other", readOnly=True)}

    order = decided(looked(dataset, datastores=stores)).inventory

    assert order is not None
    assert order.sources == (
        {"url": "https://h/a.zip", "archive": archive, "caConfigMap": "ca"},
        {"path": "x/", "datastore": "other", "hash": "Content", "partitionFormat": "/{a}/x"},
        {"path": "b.tar", "datastore": "other", "hash": "Reported", "archive": {"type": "Tar"}},
    )
    assert [store.name for store in order.datastores] == ["default", "other"]


@pytest.mark.parametrize(
    "source",
    [{"url": "https://h/a"}, {"path": "a.zip", "datastore": "other", "archive": {"type": "Zip"}}],
)
def test_what_is_copied_needs_the_default_datastore_and_may_write_there(source: dict[str, Any]) -> None:
    dataset = a_dataset(sources=[source])
    stores = {"other": sightings.a_datastore("other")}

    missing = decided(looked(dataset, datastores=stores))
    read_only = decided(
        looked(dataset, datastores=stores | {"default": sightings.a_datastore(readOnly=True)})
    )

    for decision, reason in ((missing, "DatastoreNotReady"), (read_only, "ReadOnly")):
        assert decision.inventory is None
        assert decision.status is not None
        said = decision.status["conditions"][0]
        assert (said["reason"], "default" in said["message"]) == (reason, True)


def test_new_content_raises_the_number_before_it_makes_the_version() -> None:
    dataset = a_dataset(tags={"a": "b"}, description="d")

    decision = decided(looked(dataset, inventories=ended(dataset, 0, found("a"))))

    assert decision.status is not None
    assert decision.status["lastVersion"] == 1
    assert "latestVersion" not in decision.status
    assert decision.version is not None
    version = DatasetVersion.parse(decision.version)
    assert (version.metadata.name, version.metadata.namespace) == ("iris-v1", "team-a")
    assert (version.spec.inventory.digest, version.spec.file, version.spec.tags) == (
        digest("a"),
        "iris.csv",
        {"a": "b"},
    )


def test_when_the_version_is_seen_the_dataset_is_ready_and_quiet() -> None:
    dataset = a_dataset()
    inventories = ended(dataset, 0, found("a"))
    raised = after(dataset, decided(looked(dataset, inventories=inventories)))
    version = DatasetVersion.parse(decided(looked(dataset, inventories=inventories)).version or {})

    ready = after(raised, decided(looked(raised, version, inventories=inventories)))

    assert ready.status.conditions[0].reason == "Ready"
    assert (ready.status.latest_version, ready.status.files, ready.status.digest) == (1, 1, digest("a"))
    assert decided(looked(ready, version, inventories=inventories), seconds=9999) == DatasetDecision()


def test_a_crash_between_number_and_version_leaves_a_gap_and_no_number_comes_twice() -> None:
    dataset = a_dataset()
    inventories = ended(dataset, 0, found("a"))
    raised = after(dataset, decided(looked(dataset, inventories=inventories)))

    again = decided(looked(raised, inventories=inventories))

    assert again.version is not None
    assert again.version["metadata"]["name"] == "iris-v2"


def test_content_that_only_an_older_version_had_is_a_new_version() -> None:
    dataset = a_dataset()
    versions = [
        a_version(version=number, inventory=builders.make_inventory_ref(digest=digest(letter)))
        for number, letter in ((1, "a"), (2, "b"))
    ]

    same = decided(looked(dataset, *versions, inventories=ended(dataset, 0, found("b"))))
    back = decided(looked(dataset, *versions, inventories=ended(dataset, 0, found("a"))))

    assert same.version is None
    assert back.version is not None
    assert back.version["metadata"]["name"] == "iris-v3"


def test_when_the_latest_version_is_deleted_the_one_before_it_is_latest() -> None:
    body = sightings.ready(builders.make_dataset("iris"), latestVersion=2, lastVersion=2)
    body["status"] |= {"observedGeneration": 1, "observedAt": "2026-06-01T11:00:00Z"}

    decision = decided(looked(Dataset.parse(body), a_version(version=1)))

    assert decision.status is not None
    assert (decision.status["latestVersion"], decision.status["lastVersion"]) == (1, 2)


@pytest.mark.parametrize(
    ("exit_code", "text", "reason", "words"),
    [
        (
            41,
            failure_report("SourceNotFound", "iris.csv matches nothing"),
            "SourceNotFound",
            "iris.csv matches",
        ),
        (40, failure_report("UrlUnavailable", "it answers 503"), "UrlUnavailable", "it answers 503"),
        (41, failure_report("ArchiveTooLarge", "a bomb"), "ArchiveTooLarge", "a bomb"),
        (40, failure_report("StoreUnavailable", "503"), "InventoryFailed", "StoreUnavailable: 503"),
        (0, "garbage", "InventoryFailed", "cannot be read"),
        (1, None, "InventoryFailed", "exit code 1"),
    ],
)
def test_a_look_that_failed_says_why_and_is_repeated_after_a_pause(
    exit_code: int, text: str | None, reason: str, words: str
) -> None:
    dataset = a_dataset()

    failed = after(dataset, decided(looked(dataset, inventories=ended(dataset, exit_code, text))))

    assert failed.status.conditions[0].reason == reason
    assert words in failed.status.conditions[0].message
    assert decided(looked(failed), seconds=4).inventory is None
    assert decided(looked(failed), seconds=5).inventory is not None


def test_a_datastore_that_is_not_ready_holds_the_look_and_is_asked() -> None:
    dataset = a_dataset()
    body = sightings.ready(builders.make_datastore(), status="False")
    store = type(sightings.a_datastore()).parse(body)

    held = decided(looked(dataset, datastores={"default": store}))
    missing = decided(looked(dataset, datastores={}))

    for decision in (held, missing):
        assert decision.inventory is None
        assert decision.status is not None
        assert decision.status["conditions"][0]["reason"] == "DatastoreNotReady"
    assert held.ask_probe == ("default",)
    assert decided(looked(after(dataset, held))).inventory is not None


def test_there_must_be_a_datastore_to_write_the_inventory_to() -> None:
    dataset = a_dataset(sources=[{"path": "x", "datastore": "ro"}])
    stores = {"ro": sightings.a_datastore("ro", readOnly=True)}

    only = decided(looked(dataset, datastores=stores))
    default = decided(looked(dataset, datastores=stores | {"default": sightings.a_datastore()}))

    assert only.status is not None
    assert only.status["conditions"][0]["reason"] == "ReadOnly"
    assert default.inventory is not None
    assert default.inventory.into == "default"


def test_a_dataset_without_sources_is_ready_when_a_run_has_registered() -> None:
    dataset = a_dataset(sources=[])

    empty = decided(looked(dataset))
    filled = decided(looked(dataset, a_version(version=4)))

    assert empty.status is not None
    assert filled.status is not None
    assert empty.status["conditions"][0]["reason"] == "NoVersion"
    assert (filled.status["conditions"][0]["status"], filled.status["latestVersion"]) == ("True", 4)
    assert decided(looked(after(dataset, filled), a_version(version=4))).status is None


def test_what_is_not_honoured_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    # Of a Dataset everything is honoured by now: as it was before there were formats.
    honoured = dict(support.HONOURED)
    honoured[DatasetSpec] = "type sources"
    monkeypatch.setattr(support, "HONOURED", honoured)
    decision = decided(looked(a_dataset(type="Tabular", format={"jsonLines": {}})))

    assert decision.inventory is None
    assert decision.status is not None
    assert "spec.format" in decision.status["conditions"][0]["message"]


def test_a_look_that_does_not_start_says_why() -> None:
    dataset = a_dataset()
    waiting = a_pod(
        container("take-inventory", state="waiting", reason="ErrImagePull", message="no such image")
    )
    mover = ObservedMover("job", ask_of(dataset), NOON, waiting)

    shown = decided(looked(dataset, inventories=[mover]), seconds=9)
    assert shown.status is not None
    assert shown.status["conditions"][0]["message"] == "ErrImagePull: no such image"
    given_up = decided(looked(dataset, inventories=[mover]), seconds=300)
    assert given_up.status is not None
    assert given_up.status["conditions"][0]["reason"] == "InventoryFailed"


def test_a_changed_annotation_asks_for_a_new_look() -> None:
    body = sightings.ready(builders.make_dataset("iris"), latestVersion=1, lastVersion=1)
    body["status"] |= {"observedGeneration": 1, "observedAt": "2026-06-01T11:00:00Z"}
    assert decided(looked(Dataset.parse(body), a_version())).inventory is None

    body["metadata"]["annotations"] = {"towpath.dev/requested-at": "now"}

    assert decided(looked(Dataset.parse(body), a_version())).inventory is not None


CSV: dict[str, Any] = {"type": "Tabular", "format": {"csv": {"separator": ";"}}}
WHOLE_CSV = {"csv": {"separator": ";", "header": "AllFilesHaveSameHeaders", "encoding": "utf8"}}


def test_rows_are_listed_and_recorded_with_their_format_and_columns() -> None:
    dataset = a_dataset(**CSV)
    columns = packed([("id", "integer"), ("name", "string")])
    report = json.dumps(json.loads(found("a")) | {"columns": columns})

    listing = decided(looked(dataset)).inventory
    decision = decided(looked(dataset, inventories=ended(dataset, 0, report)))

    assert listing is not None
    assert listing.format == WHOLE_CSV
    assert decision.version is not None
    spec = DatasetVersion.parse(decision.version).spec.as_dict()
    assert spec["type"] == "Tabular"
    assert spec["format"] == WHOLE_CSV
    assert spec["schema"] == {
        "columns": [{"name": "id", "type": "integer"}, {"name": "name", "type": "string"}]
    }


def test_the_same_bytes_in_another_format_are_another_version() -> None:
    dataset = a_dataset(**CSV)
    inventories = ended(dataset, 0, found("a"))
    same = a_version(inventory={"datastore": "default", "path": "x", "digest": digest("a")}, **CSV)
    other = a_version(inventory={"datastore": "default", "path": "x", "digest": digest("a")})

    assert decided(looked(dataset, same, inventories=inventories)).version is None
    version = decided(looked(dataset, other, inventories=inventories)).version
    assert version is not None
    assert version["spec"]["version"] == 2


def test_a_report_with_columns_that_are_none_is_not_read() -> None:
    dataset = a_dataset(**CSV)
    report = json.dumps(json.loads(found("a")) | {"columns": "x"})

    status = after(dataset, decided(looked(dataset, inventories=ended(dataset, 0, report)))).status

    assert status.conditions[0].reason == "InventoryFailed"
    assert "columns" in status.conditions[0].message


def test_a_dataset_whose_looks_job_is_refused_says_why_unless_it_has_a_version_that_can_be_used() -> None:
    words = "exceeded quota: strict"
    new = a_dataset()

    refused = decided(looked(new, refused={ask_of(new): words}))

    assert refused.status is not None
    said = refused.status["conditions"][0]
    assert (said["reason"], said["message"]) == ("TakingInventory", f"the Job is refused: {words}")
    assert refused.inventory is not None
    ready = Dataset.parse(
        sightings.ready(builders.make_dataset(refresh={"intervalSeconds": 60}), latestVersion=1)
    )
    assert decided(looked(ready, refused={ask_of(ready): words})).status is None
