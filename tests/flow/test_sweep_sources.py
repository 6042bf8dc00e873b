"""Which inventories and copies of sources a sweep is told to leave: what a version, a run or a Dataset refers to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import builders
from flow import sightings
from flow.sightings import begun, later, planned
from flow.test_sweep_flow import a_dataset, a_finished_run, sources
from flow.test_sweep_plan import marks, order_of
from towpath.api.datasetversion import DatasetVersion
from towpath.flow import store_keys, sweep_sources
from towpath.flow.listing import written_into
from towpath.flow.planned import Plan
from towpath.flow.restored_status import read_status
from towpath.flow.status import write_status
from towpath.flow.sweep_plan import References
from towpath.flow.sweep_sources import pinned_inventories

URL = {"url": "https://h/a.zip", "archive": {"type": "Zip", "entryGlob": "**/*.jpg"}}
FOLDER = store_keys.copies_prefix("team-a", store_keys.copied_source(URL))


def listed(letter: str) -> str:
    """The key of an inventory of sources."""
    return store_keys.source_inventory_key("team-a", letter * 64)


def a_version(letter: str, number: int = 1) -> DatasetVersion:
    return sightings.a_version("photos", number, inventory=builders.make_inventory_ref(path=listed(letter)))


def reading(letter: str) -> Plan:
    """The plan of a run that reads a version with this inventory."""
    step = builders.make_step(inputs=[{"name": "iris"}])
    there = sightings.a_version(inventory=builders.make_inventory_ref(path=listed(letter)))
    return planned(step, versions={"iris": (there,)})


def reading_in_place() -> Plan:
    """The plan of a run with an input that is defined in place."""
    given = {"name": "photos", "source": {"sources": [URL]}}
    return planned(builders.make_step(inputs=[given]))


def test_inventories_of_versions_and_of_what_unfinished_and_finished_runs_pinned_stay() -> None:
    ended = a_finished_run("done", inventories=store_keys.prefix_mark(listed("c")))
    given = sources(3, runs=(ended,))
    given = replace(given, versions=(*given.versions, a_version("a")))

    order = order_of(given, References({"uid": reading("b")}))

    assert set(order.inventories) == marks(*map(listed, "abc"))


def test_a_run_says_in_its_status_which_inventories_its_plan_pinned() -> None:
    plan = reading_in_place()
    run = {"metadata": {"name": "iris-1", "uid": plan.run.uid, "generation": 1}}

    status = write_status(run, begun(plan), later(0))

    assert status["inventories"] == store_keys.prefix_mark("team-a/inventories/e.jsonl.gz")
    read = read_status(status)
    assert read is not None
    assert write_status(run, read, later(0)) == status
    assert "inventories" not in write_status(run, begun(planned(builders.make_step())), later(0))


def test_of_a_run_that_pinned_more_than_it_can_say_nothing_of_sources_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = reading("b")
    monkeypatch.setattr(sweep_sources, "MOST_PINNED", 0)

    assert pinned_inventories(plan) == ("all",)
    assert order_of(sources(3, runs=(a_finished_run(inventories="all"),))).condemned_before is None


def photos(**spec: Any) -> Any:
    return a_dataset("photos", sources=[{"path": "raw/"}, URL], **spec)


def test_whole_copies_stay_of_datasets_that_retain_and_of_unfinished_runs() -> None:
    retaining = sources(3, datasets=(photos(deletionPolicy="Retain"),))
    letting_go = sources(3, datasets=(photos(),))

    assert order_of(retaining).sources == tuple(marks(FOLDER))
    assert order_of(letting_go).sources == ()
    assert order_of(letting_go, References({"uid": reading_in_place()})).sources == tuple(marks(FOLDER))


def test_what_was_condemned_while_somebody_looked_stays_as_long_as_he_is_there() -> None:
    day, hour, now = 86_400, 3600, int(later(0).timestamp())

    assert order_of(sources(3)).condemned_before == now - day
    assert order_of(sources(3, oldest_look=later(-60))).condemned_before == now - day
    assert order_of(sources(3, oldest_look=later(-2 * day))).condemned_before == now - 2 * day - hour


def test_the_inventory_of_copies_lies_beside_them_where_a_sweep_finds_both() -> None:
    given = photos().spec.sources
    stores = {name: sightings.a_datastore(name) for name in ("default", "lake")}
    lake = given[0].model_copy(update={"datastore": "lake"})

    assert written_into((lake, given[1]), stores) == "default"
    assert written_into((lake,), stores) == "lake"
