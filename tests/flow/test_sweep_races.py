"""Runs that pin, reuse what another wrote or take it up again, people who delete, and two sweeps: every order of them.

A sweep gathers what it keeps at one moment, and deletes when it likes; a run finds, writes down, and looks again.
What the steps do is done by the operator's and the mover's own functions; all orders of them are tried, not some.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import pytest

import builders
from flow.sightings import LIMITS, NOON
from flow.test_sweep_flow import a_dataset, a_datastore
from towpath.api.datasetversion import DatasetVersion
from towpath.flow import store_keys
from towpath.flow.sweep_flow import SweepSources
from towpath.flow.sweep_plan import References, sweep_of
from towpath.flow.sweep_references import why_lost
from towpath.flow.verdicts import Moment
from towpath_mover.sweep_rules import Rules

Json = dict[str, Any]
NS, DONE = builders.NAMESPACE, "2026-06-01T00:00:00Z"
UIDS = {"first": "0000000a", "later": "0000000b", "reader": "0000000c"}
FIRST = {"run": "first", "uid": f"{UIDS['first']}-1111-2222"}


def an_output(kind: str, **fields: Any) -> Json:
    """What step `train` of the run `first` wrote, and registered in the second case."""
    folder = {"plain": "runs", "registered": "datasets/model"}[kind]
    path = f"{NS}/{folder}/first-{UIDS['first']}/train/1-pod/out/inventory.jsonl.gz"
    return {"name": "out", "inventory": path} | fields


def attempt_of(output: Json) -> str:
    found = store_keys.attempt_at(NS, output["inventory"])
    assert found is not None
    return found


@dataclass
class World:
    """A namespace and its store, where everything is old: only what is told to a sweep protects it."""

    kind: str
    runs: dict[str, Json]
    versions: set[str]
    store: set[str]
    orders: dict[int, Rules] = field(default_factory=dict)
    pins: dict[str, str] = field(default_factory=dict)
    found: Json | None = None
    taken: str | None = None

    def check(self) -> None:
        """Nothing is gone that is a version, is pinned by an unfinished run, was reused, or is shown by its run."""
        needed = {attempt_of(an_output("registered")): "model-v1"} if "model-v1" in self.versions else {}
        if "reader" in self.runs and self.pins.get("reader"):
            needed[self.pins["reader"]] = "what `reader` pinned"
        if "later" in self.runs and self.taken:
            needed[self.taken] = "what `later` reused"
        if "first" in self.runs and self.kind == "plain":
            needed[attempt_of(an_output("plain"))] = "what `first` shows"
        for prefix, words in needed.items():
            assert prefix in self.store, f"{words} is gone"

    @property
    def key(self) -> str:
        """Two worlds with one key go on alike."""
        parts = (self.runs, sorted(self.versions), sorted(self.store), self.orders, self.pins)
        return repr((*parts, self.found, self.taken))


Step = Callable[[World], bool | None]


def a_run(name: str, *steps: Json, **status: Any) -> Json:
    body = builders.make_run(name)
    meta = body["metadata"] | {"uid": f"{UIDS[name]}-1111-2222"}
    return body | {"metadata": meta, "status": {"steps": list(steps)} | status}


def a_world(kind: str, is_planned: bool = True) -> World:
    """`first` has ended, `later` runs and may reuse, `reader` has come and is not planned yet.

    Where `later` takes up `first` (`retryOf`), it is not planned yet either.
    """
    output = an_output(kind, **({"version": 1} if kind == "registered" else {}))
    step = {"name": "train", "state": "Succeeded", "attempt": 1, "attemptId": "1-pod", "outputs": [output]}
    runs = {
        "first": a_run("first", step, completionTime=DONE),
        "later": a_run("later", **({"planDigest": "sha256:x"} if is_planned else {})),
        "reader": a_run("reader"),
    }
    versions = {"model-v1"} if kind == "registered" else set()
    return World(kind, runs, versions, {attempt_of(output)})


# Each step gives False where it cannot be made yet.


def gather(number: int) -> Step:
    def step(world: World) -> bool | None:
        if any(
            "planDigest" not in run["status"] and run["status"].get("completionTime") is None
            for run in world.runs.values()
        ):
            return False
        versions = (a_version(),) if world.versions else ()
        sources = SweepSources(a_datastore(), (a_dataset(last=1),), versions, tuple(world.runs.values()))
        order = sweep_of(sources, References(), "cluster", None, Moment(NOON, LIMITS))
        pinned = {store_keys.prefix_mark(pin) for run, pin in world.pins.items() if run in world.runs}
        kept = frozenset(order.kept) | pinned
        world.orders[number] = Rules(
            NS, frozenset(order.datasets), frozenset(order.runs), kept, order.in_place
        )
        return None

    return step


def delete(number: int) -> Step:
    def step(world: World) -> None:
        rules = world.orders[number]
        for prefix in sorted(world.store):
            is_seen = rules.is_looked_into(store_keys.run_folder_of(prefix)) and rules.may_go(prefix)
            if is_seen and rules.goes_with_its_version(prefix):
                world.store.remove(prefix)

    return step


def user_deletes(run: str) -> Step:
    def step(world: World) -> None:
        del world.runs[run]

    return step


def user_deletes_the_version(world: World) -> None:
    world.versions.discard("model-v1")


def reader_is_planned(world: World) -> None:
    world.runs["reader"]["status"]["planDigest"] = "sha256:x"
    if "model-v1" in world.versions:
        world.pins["reader"] = attempt_of(an_output("registered"))


def later_is_planned(world: World) -> None:
    """It has the plan of `first`; with what that pinned it goes as with what `reader` pins."""
    world.runs["later"]["status"]["planDigest"] = "sha256:x"


def find(world: World) -> None:
    source = world.runs.get("first")
    world.found = source["status"]["steps"][0]["outputs"][0] if source else None


def write_down(world: World) -> None:
    if world.found:
        world.runs["later"]["status"]["steps"] = [{"name": "train", "reusedFrom": FIRST}]


def look_again(world: World) -> None:
    source = world.runs.get("first")
    entry = source["status"]["steps"][0] if source else None
    if source is None or entry is None or why_lost(source, entry, world.versions.__contains__):
        world.found = None


def verify(world: World) -> None:
    if world.found and attempt_of(world.found) in world.store:
        world.taken = attempt_of(world.found)
        step = {"name": "train", "state": "Succeeded", "outputs": [world.found], "reusedFrom": FIRST}
        world.runs["later"]["status"]["steps"] = [step]


def end(world: World) -> None:
    world.runs["later"]["status"]["completionTime"] = DONE


REUSE = (find, write_down, look_again, verify, end)
RETRY = (later_is_planned, *REUSE)
OTHERS: tuple[tuple[Step, ...], ...] = (
    (gather(1), delete(1)),
    (gather(2), delete(2)),
    (user_deletes("first"),),
    (user_deletes_the_version,),
    (reader_is_planned,),
)


class Checked(Protocol):
    """What is gone through: it judges itself, and two with one key go on alike."""

    def check(self) -> None:
        """Fail where something is lost."""

    @property
    def key(self) -> str:
        """What tells it from others."""


W = TypeVar("W", bound=Checked)
Actors = tuple[tuple[Callable[[W], bool | None], ...], ...]


def try_all_orders(world: W, actors: Actors[W]) -> int:
    """Make every step of every actor in every order, checking the world after each; the number of worlds seen."""
    seen: set[str] = set()
    waiting = [(world, (0,) * len(actors))]
    while waiting:
        there, places = waiting.pop()
        for after, following in _next(there, places, actors):
            after.check()
            if (key := f"{following} {after.key}") not in seen:
                seen.add(key)
                waiting.append((after, following))
    return len(seen)


def _next(world: W, places: tuple[int, ...], actors: Actors[W]) -> Iterator[tuple[W, tuple[int, ...]]]:
    for number, steps in enumerate(actors):
        if places[number] < len(steps):
            after = copy.deepcopy(world)
            if steps[places[number]](after) is not False:
                yield after, (*places[:number], places[number] + 1, *places[number + 1 :])


def a_version() -> DatasetVersion:
    inventory = builders.make_inventory_ref(path=an_output("registered")["inventory"])
    return DatasetVersion.parse(builders.make_version("model", 1, inventory=inventory))


@pytest.mark.parametrize("kind", ["plain", "registered"])
def test_in_no_order_of_steps_is_anything_lost_that_is_needed(kind: str) -> None:
    assert try_all_orders(a_world(kind), (REUSE, *OTHERS)) > 1000


@pytest.mark.parametrize("kind", ["plain", "registered"])
def test_in_no_order_of_steps_does_a_run_lose_what_it_takes_up_of_the_one_that_it_retries(kind: str) -> None:
    assert try_all_orders(a_world(kind, is_planned=False), (RETRY, *OTHERS)) > 1000


@pytest.mark.parametrize("left_out", [write_down, look_again])
@pytest.mark.parametrize("kind", ["plain", "registered"])
@pytest.mark.parametrize("steps", [REUSE, RETRY], ids=["reuse", "retry"])
def test_without_either_check_something_is_lost(kind: str, left_out: Step, steps: tuple[Step, ...]) -> None:
    fewer = tuple(step for step in steps if step is not left_out)

    with pytest.raises(AssertionError, match="what `later` reused is gone"):
        try_all_orders(a_world(kind, is_planned=steps is REUSE), (fewer, *OTHERS))


def test_a_sweep_that_does_not_wait_for_plans_loses_what_is_being_pinned() -> None:
    # The run has read that the version is there, and writes its plan a moment later.
    def read(world: World) -> None:
        world.pins["reader"] = attempt_of(an_output("registered")) if "model-v1" in world.versions else ""
        world.runs["reader"]["status"].pop("planDigest", None)

    def hasty(world: World) -> None:
        world.runs["reader"]["status"]["planDigest"] = "sha256:x"
        pinned = world.pins.pop("reader", "")
        gather(1)(world)
        world.pins["reader"] = pinned

    world = a_world("registered")
    del world.runs["first"]
    with pytest.raises(AssertionError, match="what `reader` pinned is gone"):
        try_all_orders(world, ((read,), (user_deletes_the_version, hasty, delete(1))))
