"""Movers that look at a source, people who delete its version, and sweeps: every order of their steps.

A copy, or an inventory, is old and of nobody when the story begins; somebody may look at its source at any moment and
take it up. What a sweep condemns, who looks avoids; what was condemned goes when nobody is left who looked before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

import builders
from flow.sightings import LIMITS, later
from flow.test_sweep_flow import a_dataset, a_datastore
from flow.test_sweep_races import Actors, try_all_orders
from towpath.api.datasetversion import DatasetVersion
from towpath.flow import store_keys
from towpath.flow.sweep_flow import SweepSources
from towpath.flow.sweep_plan import References, sweep_of
from towpath.flow.verdicts import Moment
from towpath_mover.sweep_rules import Fate, Life, Rules, fate

NS = builders.NAMESPACE
OLD = store_keys.source_inventory_key(NS, "a" * 64)
NEW = store_keys.source_inventory_key(NS, "a" * 64, "00000000")
# Between two steps of the story: more than what is too young for a sweep, so that only references protect.
STEP_SECONDS = 2 * 86_400

Step = Callable[["World"], bool | None]


@dataclass
class World:
    """One inventory in the store, with what says that it is condemned; `looks` are the movers that are there."""

    store: set[str] = field(default_factory=lambda: {OLD})
    condemned_at: int | None = None
    clock: int = 0
    looks: dict[str, int] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    orders: dict[int, tuple[Rules, tuple[float, float, float]]] = field(default_factory=dict)

    def check(self) -> None:
        for name, path in self.versions.items():
            assert path in self.store, f"the inventory of {name} is gone"

    @property
    def key(self) -> str:
        return repr(self)


def ticking(step: Step) -> Step:
    def later_on(world: World) -> bool | None:
        world.clock += 1
        return step(world)

    return later_on


def begin(name: str) -> Step:
    def step(world: World) -> None:
        world.looks[name] = world.clock

    return step


def take_up(name: str, heeds: bool = True) -> Step:
    """Write the inventory, which may be there with the same name: who looks heeds what is condemned."""

    def step(world: World) -> None:
        world.written[name] = NEW if heeds and world.condemned_at is not None else OLD

    return step


def write(name: str) -> Step:
    def step(world: World) -> None:
        world.store.add(world.written[name])

    return step


def register(name: str) -> Step:
    def step(world: World) -> None:
        # A mover that says where it wrote is believed.
        world.versions[name] = world.written[name]

    return step


def end(name: str) -> Step:
    def step(world: World) -> None:
        del world.looks[name]

    return step


def user_deletes(name: str) -> Step:
    def step(world: World) -> bool | None:
        if name not in world.versions:
            return False
        del world.versions[name]
        return None

    return step


def gather(number: int, heeds: bool = True) -> Step:
    def step(world: World) -> None:
        now = later(world.clock * STEP_SECONDS)
        oldest = min(world.looks.values(), default=None)
        look = later(oldest * STEP_SECONDS) if oldest is not None and heeds else None
        sources = SweepSources(a_datastore(), (a_dataset(),), tuple(map(a_version, world.versions.values())))
        order = sweep_of(replace(sources, oldest_look=look), References(), "c", None, Moment(now, LIMITS))
        rules = Rules(NS, inventories=frozenset(order.inventories), sources=frozenset(order.sources))
        assert order.condemned_before is not None
        world.orders[number] = rules, (0, order.written_before, order.condemned_before)

    return step


def carry_out(number: int) -> Step:
    def step(world: World) -> None:
        rules, bounds = world.orders[number]
        if OLD not in world.store:
            return
        condemned_at = None if world.condemned_at is None else seconds(world.condemned_at)
        match fate(Life(rules.keeps_inventory(OLD), 0, 0, condemned_at), *bounds):
            case Fate.FORGIVEN:
                world.condemned_at = None
            case Fate.CONDEMNED:
                world.condemned_at = world.clock
            case Fate.GOES:
                world.store.discard(OLD)
                world.condemned_at = None

    return step


def seconds(clock: int) -> float:
    return later(clock * STEP_SECONDS).timestamp()


def a_version(path: str) -> DatasetVersion:
    return DatasetVersion.parse(builders.make_version(inventory=builders.make_inventory_ref(path=path)))


def a_look(name: str, heeds: bool = True) -> tuple[Step, ...]:
    return (begin(name), take_up(name, heeds), write(name), register(name), end(name))


def a_sweep(number: int, heeds: bool = True) -> tuple[Step, ...]:
    return (gather(number, heeds), carry_out(number))


def actors(look_heeds: bool = True, sweep_heeds: bool = True) -> Actors[World]:
    sweeps = tuple(step for number in range(2) for step in a_sweep(number, sweep_heeds))
    told = (a_look("one", look_heeds), (user_deletes("one"), *a_look("two", look_heeds)), sweeps)
    return tuple(tuple(map(ticking, steps)) for steps in told)


def test_in_no_order_of_steps_is_the_inventory_of_a_version_deleted() -> None:
    assert try_all_orders(World(), actors()) > 1000


def test_in_some_order_what_nothing_refers_to_is_deleted() -> None:
    world = World()

    for step in actors()[2]:
        step(world)

    assert world.store == set()


@pytest.mark.parametrize("heeds", [(False, True), (True, False)], ids=["who looks", "the sweep"])
def test_where_either_does_not_heed_the_other_a_version_loses_its_inventory(heeds: tuple[bool, bool]) -> None:
    with pytest.raises(AssertionError, match=r"the inventory of .* is gone"):
        try_all_orders(World(), actors(*heeds))
