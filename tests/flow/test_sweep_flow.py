"""When a Datastore is swept, and what may go then: nothing that a version, a run or a source refers to."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

import builders
from flow import sightings
from flow.sightings import LIMITS, NOON, a_pod, a_version, container, failure_report, later
from towpath.api.dataset import Dataset
from towpath.api.datasetversion import DatasetVersion
from towpath.api.datastore import Datastore, DatastoreStatus
from towpath.flow import names
from towpath.flow.observed import ObservedMover
from towpath.flow.planned import InventoryRef
from towpath.flow.sweep_flow import References, SweepDecision, SweepSources, decide_sweep, sweep_of
from towpath.flow.verdicts import Moment

TOP = "team-a/datasets/model"
REPORT = json.dumps({"formatVersion": 1, "attempts": 1, "objects": 3, "bytes": 42, "young": 2})


def a_dataset(name: str = "model", last: int = 3, **spec: Any) -> Dataset:
    """A Dataset whose versions come from runs, and whose deleted versions take their data along."""
    body = builders.make_dataset(name, **({"sources": [], "deletionPolicy": "Delete"} | spec))
    return Dataset.parse(sightings.ready(body, lastVersion=last))


def version(number: int, attempt: str = "1-pod", dataset: str = "model") -> DatasetVersion:
    """A version that step `train` of run `r<number>` wrote."""
    path = f"team-a/datasets/{dataset}/r{number}-0a1b2c3d/train/{attempt}/out/inventory.jsonl.gz"
    return a_version(dataset, number, inventory=builders.make_inventory_ref(path=path))


def sources(*numbers: int, **fields: Any) -> SweepSources:
    """The datastore `default` with a Dataset of which these versions exist."""
    there = SweepSources(sightings.a_datastore(), (a_dataset(),), tuple(version(one) for one in numbers))
    return replace(there, **fields)


def decided(given: SweepSources, seconds: float = 0) -> SweepDecision:
    return decide_sweep(given, Moment(later(seconds), LIMITS))


def swept(given: SweepSources, code: int = 0, text: str | None = REPORT, seconds: float = 0) -> SweepSources:
    """The same after the sweep that is due has ended so."""
    ask = decided(given, seconds).ask
    assert ask is not None
    mover = ObservedMover("job", ask, later(seconds), a_pod(container("sweep", code, message=text)))
    status = decided(replace(given, sweeps=(mover,)), seconds).status
    assert status is not None
    store = given.datastore.model_copy(update={"status": DatastoreStatus.model_validate(status)})
    return replace(given, datastore=store, sweeps=())


def test_a_sweep_begins_when_a_version_is_gone_whose_dataset_says_delete() -> None:
    assert decided(sources(1, 3)).ask is not None
    assert decided(sources(1, 2, 3)) == SweepDecision()


@pytest.mark.parametrize(
    "fields",
    [
        {"datasets": (a_dataset(deletionPolicy="Retain"),)},
        {"datasets": (a_dataset(sources=[{"path": "x"}]),)},
        {"datastore": sightings.a_datastore(readOnly=True)},
        {"datastore": Datastore.parse(sightings.ready(builders.make_datastore(), status="False"))},
    ],
    ids=["retain", "sources in place", "read-only", "not ready"],
)
def test_nothing_is_swept_where_data_stays_or_cannot_be_deleted(fields: dict[str, Any]) -> None:
    assert decided(sources(1, **fields)) == SweepDecision()


def test_after_a_sweep_there_is_another_when_more_is_gone_or_a_day_has_passed() -> None:
    done = swept(sources(1, 3))

    assert done.datastore.status.swept == (
        "Deleted 1 attempts of steps: 3 objects, 42 bytes. 2 more are too young."
    )
    assert decided(done, 86_399) == SweepDecision(check_after_seconds=1)
    assert decided(done, 86_400).ask is not None
    assert decided(replace(done, versions=(version(3),)), 1).ask is not None


@pytest.mark.parametrize(
    ("code", "text", "words"),
    [
        (40, failure_report("StoreUnavailable", "503"), "Not swept: StoreUnavailable: 503"),
        (1, None, "Not swept: exit code 1, no report"),
        (0, "garbage", "Not swept: the report cannot be read: the report is not JSON"),
    ],
)
def test_a_sweep_that_failed_says_why_and_is_repeated_after_ten_minutes(
    code: int, text: str | None, words: str
) -> None:
    failed = swept(sources(1, 3), code, text)

    assert failed.datastore.status.swept == words
    assert decided(failed, 599) == SweepDecision(check_after_seconds=1)
    assert decided(failed, 600).ask is not None


def test_what_goes_while_a_sweep_lasts_does_not_end_it() -> None:
    ask = decided(sources(1, 3)).ask
    assert ask is not None
    lasting = ObservedMover("job", ask, NOON, a_pod(container("sweep")))

    meanwhile = decided(sources(3, sweeps=(lasting,)))

    assert (meanwhile.ask, meanwhile.delete, meanwhile.status) == (None, (), None)
    done = swept(sources(1, 3))
    assert decided(replace(done, versions=(version(3),))).ask is not None


def test_versions_pinned_inventories_and_unfinished_runs_stay() -> None:
    pinned = InventoryRef("default", f"{TOP}/r2-0a1b2c3d/train/1-pod/out/inventory.jsonl.gz", "sha256:x")
    same_place = replace(pinned, datastore="alias", path=pinned.path.replace("r2", "r5"))
    elsewhere = replace(pinned, path="team-a/runs/r9-0a1b2c3d/train/1-pod/out/inventory.jsonl.gz")
    references = References(("r7-0a1b2c3d",), (pinned, same_place, elsewhere))

    order = sweep_of(sources(1, 3), references, Moment(NOON, LIMITS))

    assert order is not None
    assert (order.datasets, order.runs) == (("model",), ("r7-0a1b2c3d",))
    stays = [f"{TOP}/r{number}-0a1b2c3d/train/1-pod/" for number in (1, 2, 3, 5)]
    assert set(order.kept) == {names.prefix_mark(prefix) for prefix in stays}
    assert order.written_before == NOON.timestamp() - 86_400


@pytest.mark.parametrize("path", [f"{TOP}/", f"{TOP}/r1-0a1b2c3d/**", "team-a/**/*.csv", "team-a/"])
def test_what_another_dataset_reads_in_place_stays(path: str) -> None:
    reader = a_dataset("reader", sources=[{"path": path}])

    order = sweep_of(sources(1, datasets=(a_dataset(), reader)), References(), Moment(NOON, LIMITS))

    assert order is None


def test_other_datasets_are_swept_whatever_one_reads_in_place() -> None:
    reader = a_dataset("reader", sources=[{"path": f"{TOP}/"}, {"path": "*.csv"}])
    read = sources(1, datasets=(a_dataset(), a_dataset("other"), reader))

    order = sweep_of(read, References(), Moment(NOON, LIMITS))

    assert order is not None
    assert order.datasets == ("other",)


def test_more_than_an_order_can_say_is_not_swept() -> None:
    there = tuple(version(number) for number in range(1, 6002))

    assert sweep_of(sources(versions=there[:-1]), References(), Moment(NOON, LIMITS)) is not None
    assert sweep_of(sources(versions=there), References(), Moment(NOON, LIMITS)) is None
