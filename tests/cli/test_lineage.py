"""`towpath lineage`: who made a version, out of what, and which runs used it."""

from __future__ import annotations

import json

import pytest

from cli.command_line import towpath
from cli.scenes import namespace
from towpath.backend import Kind
from towpath.cli.ancestry import Ancestry, Node
from towpath.cli.tree_text import tree_lines


def test_a_version_is_traced_to_its_sources() -> None:
    assert towpath(namespace(), "lineage", "iris_model@1").lines == [
        "Made of",
        "  iris-model@1",
        "  └─ model: step:iris-1/train  (Succeeded)",
        "     └─ clean: run:iris-1/prep/clean",
        "        └─ clean: step:iris-1/prep  (Succeeded)",
        "           └─ iris: iris@1",
        "Used for",
        "  iris-model@1",
    ]


def test_a_version_names_the_runs_that_used_it() -> None:
    lines = towpath(namespace(), "lineage", "iris").lines
    assert lines[lines.index("Used for") :] == [
        "Used for",
        "  iris@1",
        "  └─ iris: step:iris-1/prep  (Succeeded)",
        "     └─ clean: run:iris-1/prep/clean",
        "        └─ clean: step:iris-1/train  (Succeeded)",
        "           └─ model: iris-model@1",
    ]


def test_of_a_run_that_is_gone_its_versions_still_tell() -> None:
    backend = namespace()
    backend.delete(Kind.PIPELINE_RUN, "iris-1")
    assert towpath(backend, "lineage", "iris-model").lines[:4] == [
        "Made of",
        "  iris-model@1",
        "  └─ model: step:iris-1/train  (its run is gone)",
        "     └─ clean: digest:cccccccccccc",
    ]


def test_an_output_of_a_run_has_a_lineage_too() -> None:
    lines = towpath(namespace(), "lineage", "run:iris-1/prep/clean").lines
    assert lines[1] == "  run:iris-1/prep/clean"
    assert "     └─ iris: iris@1" in lines


def test_the_graph_as_data_holds_what_is_related_and_nothing_else() -> None:
    told = json.loads(towpath(namespace(), "lineage", "run:iris-1/train/model", "-o", "json").out)
    assert told["of"] == ["iris-model@1"]
    assert {"from": "iris@1", "to": "step:iris-1/prep", "as": "iris"} in told["edges"]
    assert len(told["nodes"]) == 5


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("irsi", "There is no dataset irsi"),
        ("run:iris-1/perp", "Did you mean prep?"),
        ("run:iris-1/prep/cleen", "has written no cleen. Did you mean clean?"),
    ],
)
def test_what_is_not_there_is_named(what: str, words: str) -> None:
    called = towpath(namespace(), "lineage", what)
    assert called.code == 2
    assert words in called.err


def test_a_chain_of_ten_thousand_is_no_recursion_and_a_circle_ends() -> None:
    graph = Ancestry()
    for number in range(10_000):
        graph.add(Node(str(number)))
        graph.link(str(number), str(number + 1))
    assert sum(1 for _ in tree_lines(graph, "10000", graph.parents)) == 10_001
    circle = Ancestry({name: Node(name) for name in "ab"}, {"a": {"b": ""}, "b": {"a": ""}})
    assert list(tree_lines(circle, "a", circle.parents)) == ["a", "└─ b", "   └─ a (see above)"]


def test_what_went_into_a_step_by_two_names_has_both() -> None:
    graph = Ancestry()
    for label in ("train", "test", "train"):
        graph.link("iris@1", "step:one/fit", label)
    assert graph.parents == {"step:one/fit": {"iris@1": "train, test"}}
