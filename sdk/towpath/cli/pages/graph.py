"""A run → its graph: steps, what they read from outside, and the versions that came of it, joined by data. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from towpath.cli.pages.style import state_class
from towpath.cli.run_text import data_words
from towpath.cli.run_view import Data, OutputView, RunView, StepView
from towpath.cli.sizes import duration, size_for_people


@dataclass(frozen=True)
class Node:
    """One box: its name, a line below it, and where on the page more is said."""

    id: str
    title: str
    line: str
    mark: str = ""
    anchor: str | None = None
    below: str = ""


@dataclass(frozen=True)
class Edge:
    """Data from one box to another; `words` are what a pointer on it says; not data but order if `is_order`."""

    source: str
    target: str
    label: str
    words: str
    is_order: bool = False


@dataclass(frozen=True)
class Graph:
    """All boxes and what joins them."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def graph_of(view: RunView) -> Graph:
    """The graph of a run."""
    edges = [edge for step in view.steps for edge in _edges(step)]
    nodes = [_step_node(step) for step in view.steps]
    nodes += [node for step in view.steps for node in (*_sources(step), *_versions(step))]
    once = {node.id: node for node in nodes}
    return Graph(tuple(once.values()), tuple(edges))


def step_anchor(step: str) -> str:
    """The part of the page that is about a step."""
    return f"step-{step}"


def _step_node(step: StepView) -> Node:
    taken = step.status.get("reusedFrom")
    took = duration(step.seconds) if step.seconds is not None else ""
    line = f"{step.state}, reused" if taken else ", ".join(part for part in (step.state, took) if part)
    mark, anchor = state_class(step.state), step_anchor(step.name)
    return Node(f"step:{step.name}", step.name, line, mark, anchor, _transfers(step))


def _transfers(step: StepView) -> str:
    """How long the data took on its way in and out."""
    staged = step.status.get("stageInSeconds")
    published = [output.seconds for output in step.outputs if output.seconds is not None]
    parts = [
        f"in {duration(staged)}" if staged is not None else "",
        f"out {duration(sum(published))}" if published and not step.status.get("reusedFrom") else "",
    ]
    return ", ".join(filter(None, parts))


def _sources(step: StepView) -> Iterator[Node]:
    for given in step.inputs:
        if given.step is None:
            yield Node(f"data:{given.words}", given.words, "dataset" if given.dataset else "files in place")


def _versions(step: StepView) -> Iterator[Node]:
    for output in step.outputs:
        if output.dataset:
            yield Node(
                _version_id(output), _version(output), "new version" if output.version else "to be registered"
            )


def _edges(step: StepView) -> Iterator[Edge]:
    here = f"step:{step.name}"
    joined = set()
    for given in step.inputs:
        source = f"step:{given.step}" if given.step else f"data:{given.words}"
        joined.add(given.step)
        words = f"{given.words} to input {given.name} of {step.name}: {data_words(given.data) or 'size not known'}"
        yield Edge(source, here, _size(given.data), words)
    for other in step.after:
        if other not in joined:
            yield Edge(f"step:{other}", here, "", f"{step.name} waits for {other}", is_order=True)
    for output in step.outputs:
        if output.dataset:
            words = f"output {output.name} of {step.name}: {data_words(output.data, output.seconds) or 'not written'}"
            seconds = f" in {duration(output.seconds)}" if output.seconds is not None else ""
            yield Edge(here, _version_id(output), _size(output.data) + seconds, words)


def _version(output: OutputView) -> str:
    return f"{output.dataset}@{output.version}" if output.version else str(output.dataset)


def _version_id(output: OutputView) -> str:
    return f"version:{_version(output)}"


def _size(data: Data) -> str:
    return "" if data.bytes is None else size_for_people(data.bytes)
