"""Looking again at a Dataset's sources: by the clock and before a run, never more often than asked for, and
without a trace where nothing changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import builders
from flow import sightings
from flow.looks import a_dataset, after, decided, digest, ended, found, looked
from flow.sightings import LIMITS, NOON, a_pod, a_version, container, failure_report, later
from towpath.api.dataset import Dataset
from towpath.api.datasetversion import DatasetVersion
from towpath.api.pipelinerun import PipelineRun
from towpath.flow.dataset_flow import decide_dataset
from towpath.flow.dataset_status import DatasetSources
from towpath.flow.observed import ObservedMover
from towpath.flow.readiness import is_looked_at_for, why_not_ready
from towpath.flow.resolve import resolve
from towpath.flow.sources import Refused, Resolved, Waiting
from towpath.flow.verdicts import Moment

VERSION = a_version(inventory=builders.make_inventory_ref(digest=digest("a")))


def ready_dataset(looked_seconds_ago: float = 0, **refresh: Any) -> Dataset:
    """A Dataset with version 1, whose last look began and ended so long before noon."""
    then = later(-looked_seconds_ago).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = sightings.ready(
        builders.make_dataset("iris", refresh=refresh),
        latestVersion=1,
        lastVersion=1,
        digest=digest("a"),
        files=1,
        bytes=3858,
        observedGeneration=1,
        observedAt=then,
        lookBeganAt=then,
    )
    body["status"]["conditions"][0]["message"] = "version 1 is what its sources hold"
    return Dataset.parse(body)


def a_run(created_at: datetime) -> PipelineRun:
    run = sightings.a_run(pipelineSpec=builders.make_pipeline_spec())
    metadata = run.metadata.model_copy(update={"creation_timestamp": created_at})
    return run.model_copy(update={"metadata": metadata})


def resolved(dataset: Dataset, seconds: float = 1) -> Resolved | Waiting | Refused:
    """What becomes of a run that was created at noon and reads this dataset."""
    read = sightings.sources(datasets={"iris": dataset}, versions={"iris": (VERSION,)}, run=a_run(NOON))
    return resolve(read, later(seconds), LIMITS)


def test_a_dataset_is_looked_at_again_when_its_interval_is_over_and_not_before() -> None:
    dataset = ready_dataset(intervalSeconds=3600)

    early, due = (decided(looked(dataset, VERSION), seconds) for seconds in (3599, 3600))

    assert (early.inventory, early.status, early.check_after_seconds) == (None, None, 1.0)
    assert due.inventory is not None
    assert due.status is None


def test_a_look_that_finds_nothing_new_is_one_write_and_no_version() -> None:
    dataset = ready_dataset(7200, intervalSeconds=3600)
    inventories = ended(dataset, 0, found("a"))

    decision = decided(looked(dataset, VERSION, inventories=inventories))
    again = after(dataset, decision)

    assert decision.version is None
    changes = {
        key: value
        for key, value in again.status.as_dict().items()
        if dataset.status.as_dict().get(key) != value
    }
    assert changes.keys() == {"observedAt", "lookBeganAt"}
    quiet = decided(looked(again, VERSION, inventories=inventories))
    assert (quiet.status, quiet.version, quiet.inventory) == (None, None, None)
    assert quiet.check_after_seconds == 3600


def test_of_looks_that_go_on_and_on_only_the_last_job_is_kept() -> None:
    dataset = ready_dataset(7200, intervalSeconds=3600)
    old = [ObservedMover("iris-inventory-1", "before", NOON, has_ended=True)]

    assert decided(looked(dataset, VERSION, inventories=old)).delete == ("iris-inventory-1",)


def test_a_look_that_fails_is_repeated_sooner_than_the_interval() -> None:
    dataset = ready_dataset(7200, intervalSeconds=3600)
    failed = decided(
        looked(dataset, VERSION, inventories=ended(dataset, 40, failure_report("StoreUnavailable")))
    )

    again = decided(looked(after(dataset, failed), VERSION))

    assert (again.inventory, again.check_after_seconds) == (None, 5.0)


def test_a_run_waits_for_a_look_that_began_after_it_was_created() -> None:
    outcome = resolved(ready_dataset(beforeRun=True))

    assert isinstance(outcome, Waiting)
    assert outcome.message == "Dataset iris is looked at again before the run (refresh.beforeRun)."
    assert (outcome.ask, outcome.look_after) == ((("Dataset", "iris"),), NOON)
    dataset = ready_dataset(-1, beforeRun=True)
    assert isinstance(resolved(dataset), Resolved)


def test_the_look_for_a_run_begins_in_the_next_second_at_the_earliest() -> None:
    dataset = ready_dataset(beforeRun=True)

    early, due, served = (
        decided(looked(dataset, VERSION, wanted_after=later(wanted)), seconds)
        for wanted, seconds in ((0, 0.25), (0, 1), (-1, 1))
    )

    assert (early.inventory, early.check_after_seconds) == (None, 0.75)
    assert due.inventory is not None
    assert (served.inventory, served.check_after_seconds) == (None, None)


def test_two_runs_share_one_look_and_one_that_came_later_gets_its_own() -> None:
    dataset = ready_dataset(60, beforeRun=True)
    look = ended(dataset, 0, found("a"))
    # It began at noon: of use to runs that were created before.
    after_look = after(dataset, decided(looked(dataset, VERSION, inventories=look), seconds=9))

    assert [is_looked_at_for(after_look, later(created)) for created in (-2, -1, 0, 5)] == [
        True,
        True,
        False,
        False,
    ]
    assert decided(looked(after_look, VERSION, wanted_after=later(-1)), seconds=9).inventory is None
    assert decided(looked(after_look, VERSION, wanted_after=later(5)), seconds=9).inventory is not None


def test_a_look_that_fails_holds_the_run_with_its_reason_until_its_patience_is_over() -> None:
    dataset = ready_dataset(60, beforeRun=True)
    look = ended(dataset, 40, failure_report("StoreUnavailable", "503 from the store"))
    failed = after(dataset, decided(looked(dataset, VERSION, inventories=look), seconds=9))

    held, given_up = resolved(failed, 20), resolved(failed, 3600)

    assert isinstance(held, Waiting)
    assert "503 from the store" in held.message
    assert isinstance(given_up, Refused)
    assert given_up.reason == "NotReady"
    assert "storeTimeoutSeconds" in given_up.message


def test_a_run_that_names_a_version_waits_for_no_look() -> None:
    step = builders.make_step(inputs=[{"name": "iris", "dataset": {"name": "iris@1"}}])
    read = sightings.sources(
        step, datasets={"iris": ready_dataset(beforeRun=True)}, versions={"iris": (VERSION,)}
    )

    assert isinstance(resolve(read, NOON, LIMITS), Resolved)


@dataclass
class Simulated:
    """A Dataset whose sources change, runs that come, and an operator that forgets: half a second is a turn."""

    interval: int | None
    look_turns: int
    changes: frozenset[int]
    arrivals: frozenset[int]
    kills: frozenset[int]
    turn: int = 0
    letter: int = 0
    history: list[int] = field(default_factory=list)
    dataset: Dataset = field(init=False)
    versions: tuple[DatasetVersion, ...] = ()
    jobs: dict[str, tuple[int, datetime, int]] = field(default_factory=dict)
    waiting: list[int] = field(default_factory=list)
    wanted: datetime | None = None
    looks: int = 0
    writes: int = 0

    def __post_init__(self) -> None:
        refresh = {"beforeRun": True} | ({"intervalSeconds": self.interval} if self.interval else {})
        self.dataset = a_dataset(refresh=refresh)

    def live(self, turns: int) -> None:
        for self.turn in range(turns):
            self.letter += self.turn in self.changes
            self.history.append(self.letter)
            if self.turn in self.arrivals:
                self.waiting.append(self.turn)
            if self.turn in self.kills:
                self.wanted = None
            self.ask()
            self.look()

    def ask(self) -> None:
        """Each waiting run looks whether it may begin; those that may not ask for a look."""
        for created in list(self.waiting):
            since = cut(created)
            if not is_looked_at_for(self.dataset, since):
                self.wanted = max(self.wanted or since, since)
            elif why_not_ready(self.dataset) is None:
                self.waiting.remove(created)
                latest = max(self.versions, key=lambda version: version.spec.version)
                assert latest.spec.inventory.digest in {word(one) for one in self.history[created:]}

    def look(self) -> None:
        """One pass over the Dataset, carried out."""
        movers = [self.seen(ask, *job) for ask, job in self.jobs.items()]
        stores = {"default": sightings.a_datastore()}
        sources = DatasetSources(self.dataset, self.versions, stores, movers, wanted_after=self.wanted)
        decision = decide_dataset(sources, Moment(NOON + timedelta(seconds=self.turn / 2), LIMITS))
        if decision.status is not None:
            self.writes += 1
            self.dataset = after(self.dataset, decision)
        if decision.version is not None:
            self.versions += (DatasetVersion.parse(decision.version),)
        if decision.inventory is not None:
            self.looks += 1
            self.jobs[decision.ask] = (self.turn + self.look_turns, cut(self.turn), self.turn)

    def seen(self, ask: str, ends: int, created_at: datetime, began: int) -> ObservedMover:
        code = 0 if self.turn >= ends else None
        # What it finds is what lies there at some moment after it began; here at the first.
        told = container("take-inventory", code, message=report(self.history[began]))
        return ObservedMover(f"job-{ask}", ask, created_at, a_pod(told))


def cut(turn: int) -> datetime:
    """A moment as the API server writes it."""
    return NOON + timedelta(seconds=turn // 2)


def word(letter: int) -> str:
    return f"sha256:{letter:064x}"


def report(letter: int) -> str:
    return found("a").replace(digest("a"), word(letter))


TURNS = 400
moments = st.frozensets(st.integers(0, 300), max_size=12)


@settings(max_examples=12, deadline=None)
@given(st.sampled_from([None, 60]), st.integers(1, 30), moments, moments, st.frozensets(st.integers(0, 399)))
def test_every_run_reads_what_lay_there_after_it_came_and_nobody_looks_more_often_than_asked(
    interval: int | None,
    look_turns: int,
    changes: frozenset[int],
    arrivals: frozenset[int],
    kills: frozenset[int],
) -> None:
    world = Simulated(interval, look_turns, changes, arrivals, kills)

    world.live(TURNS)

    assert world.waiting == []
    by_clock = TURNS / 2 / interval if interval else 0
    assert world.looks <= 1 + len(arrivals) + by_clock + 1
    assert len(world.versions) <= 1 + len(changes)
    assert world.writes <= 1 + world.looks + len(world.versions)


@pytest.mark.parametrize("interval", [None, 60])
def test_sources_that_never_change_are_one_version_however_often_they_are_looked_at(
    interval: int | None,
) -> None:
    world = Simulated(interval, 4, frozenset(), frozenset(range(20, 300, 20)), frozenset())

    world.live(TURNS)

    assert world.looks >= 10
    assert len(world.versions) == 1
    assert world.writes == 1 + world.looks + 1
