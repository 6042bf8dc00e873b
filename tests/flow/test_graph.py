"""Order comes from data and dependsOn: a topological one, the same every time."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

import builders
from flow.sightings import a_pipeline
from towpath.flow import graph
from towpath.flow.stalled import StalledError


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, frozenset[str]]:
    names = draw(st.lists(st.sampled_from("abcdefghijkl"), unique=True, min_size=1))
    waits = {
        name: frozenset(draw(st.sets(st.sampled_from(names[:index])))) if index else frozenset()
        for index, name in enumerate(names)
    }
    shuffled = draw(st.permutations(names))
    return {name: waits[name] for name in shuffled}


@given(waits_for=graphs())
def test_every_step_comes_after_all_that_it_waits_for(waits_for: dict[str, frozenset[str]]) -> None:
    order = graph.sorted_by(waits_for)

    assert sorted(order) == sorted(waits_for)
    for name, others in waits_for.items():
        assert all(order.index(other) < order.index(name) for other in others)
    assert order == graph.sorted_by(waits_for)


def test_order_follows_from_data_and_not_from_the_list() -> None:
    steps = builders.make_chain("a", "b", "c")

    assert graph.order(a_pipeline(*reversed(steps)).spec) == ("a", "b", "c")


def test_a_cycle_is_named_by_its_path() -> None:
    steps = [
        builders.make_step("a", dependsOn=["c"]),
        builders.make_step("b", dependsOn=["a"]),
        builders.make_step("c", dependsOn=["b"]),
    ]

    with pytest.raises(StalledError) as caught:
        graph.order(a_pipeline(*steps).spec)

    path = caught.value.message.split(": ")[1].split(". ")[0].split(" → ")
    assert path[0] == path[-1]
    assert sorted(path[1:]) == ["a", "b", "c"]
    edges = {("a", "c"), ("b", "a"), ("c", "b")}
    assert all(pair in edges for pair in itertools.pairwise(path))


def test_an_unknown_step_is_an_error_with_a_near_name() -> None:
    with pytest.raises(StalledError, match=r"waits for the step prepp.*Did you mean prep\?"):
        graph.order(a_pipeline(builders.make_step("prep"), builders.make_step("b", dependsOn=["prepp"])).spec)
