"""What the order of a sweep says: nothing may go that a version, a run or a source refers to."""

from __future__ import annotations

from typing import Any

import pytest

import builders
from flow import sightings
from flow.sightings import LIMITS, NOON, planned
from flow.test_sweep_flow import a_dataset, sources, version
from towpath.api.datastore import Datastore
from towpath.flow import store_keys
from towpath.flow.mover_orders import Sweep
from towpath.flow.sweep_flow import SweepSources
from towpath.flow.sweep_plan import References, sweep_of
from towpath.flow.verdicts import Moment

Json = dict[str, Any]
TOP = "team-a/datasets/model"


def order_of(given: SweepSources, references: References | None = None, asked: str | None = None) -> Sweep:
    return sweep_of(given, references or References(), "cluster-1", asked, Moment(NOON, LIMITS))


def marks(*words: str) -> set[str]:
    return set(map(store_keys.prefix_mark, words))


def a_run(name: str, done: bool = True, **step: Any) -> Json:
    """A run with one step that went well at once, unless said otherwise."""
    body = builders.make_run(name)
    usual = {"name": "train", "state": "Succeeded", "attempt": 1, "attemptId": "1-pod"}
    ended = {"completionTime": "2026-06-01T00:00:00Z"} if done else {}
    meta = body["metadata"] | {"uid": "0a1b2c3d-1111"}
    return body | {"metadata": meta, "status": {"steps": [usual | step]} | ended}


def test_an_order_says_whose_place_it_is_and_in_which_time_was_written_what_may_go() -> None:
    order = order_of(sources(1, 3))

    assert (order.cluster_id, order.datasets, order.is_dry) == ("cluster-1", ("model",), False)
    assert (order.written_since, order.written_before) == (NOON.timestamp(), NOON.timestamp() - 86_400)


def test_versions_and_what_unfinished_runs_pinned_stay() -> None:
    path = f"{TOP}/r2-0a1b2c3d/train/1-pod/out/inventory.jsonl.gz"
    pinned = sightings.a_version(inventory=builders.make_inventory_ref(path=path))
    plan = planned(builders.make_step(inputs=[{"name": "iris"}]), versions={"iris": (pinned,)})

    order = order_of(sources(1, 3), References({"uid": plan}))

    assert set(order.kept) == marks(*(f"{TOP}/r{number}-0a1b2c3d/train/1-pod/" for number in (1, 2, 3)))


def test_runs_that_are_unfinished_or_have_nothing_to_sweep_are_not_looked_into() -> None:
    reused = {"reusedFrom": {"run": "first", "uid": "ffffffff-1111"}}
    runs = (a_run("settled"), a_run("lasts", done=False, **reused), a_run("tried-again", attempt=2))

    order = order_of(sources(1, 2, 3, runs=runs))

    assert set(order.runs) == marks("settled-0a1b2c3d", "lasts-0a1b2c3d", "first-ffffffff")
    assert store_keys.prefix_mark("team-a/runs/tried-again-0a1b2c3d/train/1-pod/") in order.kept
    assert store_keys.prefix_mark("team-a/runs/settled-0a1b2c3d/train/1-pod/") not in order.kept


def test_what_a_run_reused_stays_though_its_own_run_is_gone() -> None:
    taken = [{"name": "out", "inventory": "team-a/runs/gone-0a1b2c3d/prep/2-pod/out/inventory.jsonl.gz"}]

    order = order_of(sources(runs=(a_run("settled", outputs=taken),)))

    assert store_keys.prefix_mark("team-a/runs/gone-0a1b2c3d/prep/2-pod/") in order.kept


@pytest.mark.parametrize(
    ("path", "base"),
    [
        (f"{TOP}/", f"{TOP}/"),
        (f"{TOP}/r1-0a1b2c3d/**", f"{TOP}/r1-0a1b2c3d/"),
        ("team-a/**/*.csv", "team-a/"),
        ("team-a/runs/x/", "team-a/runs/x/"),
        ("**/*.csv", None),
        ("team-ab/", None),
    ],
)
def test_what_a_dataset_reads_in_place_is_told(path: str, base: str | None) -> None:
    reader = a_dataset("reader", sources=[{"path": path}])

    order = order_of(sources(1, datasets=(a_dataset(), reader)))

    assert order.in_place == (() if base is None else (f"team-a/{base}",))


def another(prefix: str, bucket: str = "ml-data") -> Datastore:
    body = builders.make_datastore("another")
    place = body["spec"]["s3"] | {"prefix": prefix, "bucket": bucket, "endpoint": "http://by-another-name:1"}
    return Datastore.parse(body | {"spec": {"s3": place}})


@pytest.mark.parametrize(
    ("store", "told"),
    [
        (another(""), ("**",)),
        (another("team-a/team-a/"), ("team-a/team-a/",)),
        (another("", bucket="another-bucket"), ()),
        (another("team-a/"), ()),
    ],
    ids=["all of the bucket", "just our part", "another bucket", "the same place"],
)
def test_a_pattern_by_another_datastore_of_the_same_place_sees_more(
    store: Datastore, told: tuple[str, ...]
) -> None:
    reader = a_dataset("reader", sources=[{"path": "**", "datastore": "another"}])

    order = order_of(sources(1, datasets=(reader,)), References({}, (store,)))

    assert order.in_place == tuple(base.rstrip("*") for base in told)


def test_asked_what_would_go_it_only_says_so() -> None:
    assert order_of(sources(1, 3), asked="dry-run-7").is_dry
    assert not order_of(sources(1, 3), asked="now").is_dry
    assert order_of(sources(1, 3), asked="now").requested == "now"


def test_any_number_of_attempts_is_told() -> None:
    there = tuple(version(number) for number in range(1, 6002))

    assert len(order_of(sources(versions=there)).kept) == 6001
