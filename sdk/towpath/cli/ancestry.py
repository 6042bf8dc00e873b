"""Runs, their plans and versions → the graph of what was made of what. Pure.

A node is a version (`iris@3`), an output of a run that is no version (`run:iris-1/prep/clean`), a step of a run
(`step:iris-1/prep`), or a source in place; edges go from what was read or run to what came of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from towpath.backend import Manifest
from towpath.cli.run_view import InputView, OutputView, RunView, StepView

STEP = "step:"


@dataclass(frozen=True)
class Node:
    """One content, or one step that made some; `note` says what people want to know of it."""

    name: str
    note: str = ""


@dataclass
class Ancestry:
    """All nodes by name, and for each what it was made of, and by what name it went in."""

    nodes: dict[str, Node] = field(default_factory=dict)
    parents: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(self, node: Node) -> None:
        """Put a node in; a note is kept."""
        if node.note or node.name not in self.nodes:
            self.nodes[node.name] = node

    def link(self, parent: str, child: str, label: str = "") -> None:
        """Say that `child` was made of, or by, `parent`; what went in twice has both names."""
        known = self.parents.setdefault(child, {}).get(parent, "")
        labels = [*filter(None, known.split(", ")), *([label] if label else [])]
        self.parents[child][parent] = ", ".join(dict.fromkeys(labels))

    def children(self) -> dict[str, dict[str, str]]:
        """For each node what came of it."""
        found: dict[str, dict[str, str]] = {}
        for child, parents in self.parents.items():
            for parent, label in parents.items():
                found.setdefault(parent, {})[child] = label
        return found

    def within(self, start: str) -> Ancestry:
        """What leads to a node and what came of it, and nothing else."""
        kept = {start} | set(_reach(start, self.parents)) | set(_reach(start, self.children()))
        part = Ancestry({name: node for name, node in self.nodes.items() if name in kept})
        for child, parents in self.parents.items():
            for parent, label in parents.items():
                if child in kept and parent in kept:
                    part.link(parent, child, label)
        return part


def ancestry(views: Iterable[RunView], versions: Iterable[Manifest]) -> Ancestry:
    """The graph of these runs and versions; of a run that is gone only what its versions say."""
    graph = Ancestry()
    seen = list(views)
    for view in seen:
        for step in view.steps:
            _add_step(graph, view, step)
    known = {view.name for view in seen}
    for version in versions:
        _add_version(graph, version, known)
    return graph


def version_node(dataset: str, version: object) -> str:
    """What a version is called."""
    return f"{dataset}@{version}"


def output_node(run: str, step: str, output: OutputView) -> str:
    """What an output is called: the version that it became, or its place in the run."""
    if output.dataset and output.version:
        return version_node(output.dataset, output.version)
    return f"run:{run}/{step}/{output.name}"


def _add_step(graph: Ancestry, view: RunView, step: StepView) -> None:
    name = f"{STEP}{view.name}/{step.name}"
    taken = step.status.get("reusedFrom")
    graph.add(Node(name, f"taken from run {taken['run']}" if taken else step.state))
    for given in step.inputs:
        parent = _input_node(view, given)
        if parent:
            graph.add(Node(parent))
            graph.link(parent, name, given.name)
    for output in step.outputs:
        if output.data.digest:
            child = output_node(view.name, step.name, output)
            graph.add(Node(child))
            graph.link(name, child, output.name)


def _input_node(view: RunView, given: InputView) -> str | None:
    if given.dataset and given.version:
        return version_node(given.dataset, given.version)
    if given.step is None:
        return f"source:{given.words}"
    step = view.step(given.step)
    output = next((one for one in step.outputs if one.name == given.output), None) if step else None
    return output_node(view.name, given.step, output) if output else None


def _add_version(graph: Ancestry, version: Manifest, known: set[str]) -> None:
    spec = version["spec"]
    name = version_node(spec["dataset"], spec["version"])
    graph.add(Node(name))
    maker = spec.get("producedBy")
    if maker is None or maker["run"] in known:
        return
    step = f"{STEP}{maker['run']}/{maker['step']}"
    graph.add(Node(step, "its run is gone"))
    graph.link(step, name, maker["output"])
    for given in spec.get("derivedFrom") or ():
        parent = _derived(given)
        graph.add(Node(parent))
        graph.link(parent, step, str(given.get("input") or ""))


def _derived(given: Mapping[str, object]) -> str:
    if given.get("dataset"):
        return version_node(str(given["dataset"]), given.get("version"))
    return f"digest:{str(given.get('digest')).removeprefix('sha256:')[:12]}"


def _reach(start: str, edges: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    seen, ahead = {start}, [start]
    while ahead:
        for name in edges.get(ahead.pop(), {}):
            if name not in seen:
                seen.add(name)
                ahead.append(name)
                yield name
