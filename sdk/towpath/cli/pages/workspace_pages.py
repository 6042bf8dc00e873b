"""The runs and datasets of a workspace → the pages that lead to each of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from towpath.backend import Kind, Manifest
from towpath.cli.ancestry import Ancestry, version_node
from towpath.cli.columns import line_of, place_of, why_not_ready
from towpath.cli.pages.markup import Child, Markup, element, join, link, log_lines
from towpath.cli.pages.page import facts, page, section, state, table
from towpath.cli.sizes import age, duration, seconds_between, size_for_people
from towpath.cli.tree_text import tree_lines
from towpath.flow.conditions import timestamp

# More are found by `towpath get runs`.
MOST_RUNS = 500


def index_page(where: str, runs: Sequence[Manifest], others: Sequence[Manifest], now: datetime) -> Markup:
    """All runs, the youngest first, then datasets, datastores and pipelines."""
    by_kind = {kind: [one for one in others if one["kind"] == kind] for kind in Kind}
    more = len(runs) - MOST_RUNS
    rest = f"{more} older runs are not shown: `towpath get runs` lists them." if more > 0 else None
    return page(
        "Towpath",
        element("p", where, class_="quiet"),
        section("Runs", _runs(runs[:MOST_RUNS], now), element("p", rest, class_="quiet") if rest else None),
        section("Datasets", _datasets(by_kind[Kind.DATASET], now)),
        section("Datastores", _datastores(by_kind[Kind.DATASTORE])),
        section("Pipelines", _pipelines(by_kind[Kind.PIPELINE], now)),
        made=f"As it was on {timestamp(now)}.",
    )


def dataset_page(dataset: Manifest, versions: Sequence[Manifest], graph: Ancestry, now: datetime) -> Markup:
    """One dataset: its versions, and of what the latest was made and for what it was used."""
    name = dataset["metadata"]["name"]
    spec, why = dataset.get("spec") or {}, why_not_ready(dataset)
    tags = ", ".join(f"{key}={value}" for key, value in (spec.get("tags") or {}).items())
    return page(
        f"Dataset {name}",
        facts(
            [
                ("Ready", why if why else state("True")),
                ("Type", spec.get("type") or "File"),
                ("Description", spec.get("description")),
                ("Tags", tags),
                ("Sources", _sources(dataset)),
            ]
        ),
        section("Versions", _versions(versions, now)),
        *([] if not versions else [_lineage(versions[0], graph)]),
        above=element("p", link("All runs and datasets", "..")),
        made=f"As it was on {timestamp(now)}.",
    )


def missing_page(what: str) -> Markup:
    """For an address that leads to nothing."""
    return page(
        "Not found",
        element("p", f"There is no {what} here."),
        element("p", link("All runs and datasets", "..")),
    )


def _runs(runs: Sequence[Manifest], now: datetime) -> Markup:
    rows: list[tuple[Child, ...]] = []
    for run in runs:
        name, status = run["metadata"]["name"], run.get("status") or {}
        took = seconds_between(status.get("startTime"), status.get("completionTime"))
        rows.append(
            (
                link(name, "run", name),
                state(str(status.get("state") or "New")),
                str(status.get("progress") or ""),
                size_for_people(status.get("bytesIn") or 0),
                size_for_people(status.get("bytesOut") or 0),
                duration(took),
                age(run["metadata"].get("creationTimestamp"), now),
                "" if status.get("state") == "Succeeded" else str(status.get("message") or ""),
            )
        )
    heads = ("Run", "State", "Steps", "In", "Out", "Took", "Age", "Message")
    return table(heads, rows, frozenset({2, 3, 4, 5, 6})) if rows else _none("run")


def _datasets(datasets: Sequence[Manifest], now: datetime) -> Markup:
    rows: list[tuple[Child, ...]] = []
    for one in datasets:
        name, ready, version, files, size, old, why = line_of(Kind.DATASET, one, now)
        rows.append((link(name, "dataset", name), state(ready), version, files, size, old, why))
    heads = ("Dataset", "Ready", "Latest", "Files", "Size", "Age", "Message")
    return table(heads, rows, frozenset({2, 3, 4, 5})) if rows else _none("dataset")


def _datastores(datastores: Sequence[Manifest]) -> Markup:
    rows: list[tuple[Child, ...]] = []
    for one in datastores:
        why = why_not_ready(one)
        rows.append((one["metadata"]["name"], state("False" if why else "True"), place_of(one), why))
    return table(("Datastore", "Ready", "Place", "Message"), rows) if rows else _none("datastore")


def _pipelines(pipelines: Sequence[Manifest], now: datetime) -> Markup:
    rows: list[tuple[Child, ...]] = []
    for one in pipelines:
        name, ready, steps, old, why = line_of(Kind.PIPELINE, one, now)
        rows.append((name, state(ready), steps, old, why))
    return (
        table(("Pipeline", "Ready", "Steps", "Age", "Message"), rows, frozenset({2, 3}))
        if rows
        else _none("pipeline")
    )


def _versions(versions: Sequence[Manifest], now: datetime) -> Markup:
    rows: list[tuple[Child, ...]] = []
    for one in versions:
        spec = one["spec"]
        maker = spec.get("producedBy")
        made: Child = "its sources"
        if maker:
            made = join(
                [
                    link(maker["run"], "..", "run", maker["run"]),
                    f", step {maker['step']}, output {maker['output']}",
                ]
            )
        rows.append(
            (
                f"{spec['dataset']}@{spec['version']}",
                str(spec.get("files")),
                size_for_people(spec.get("bytes") or 0),
                made,
                age(one["metadata"].get("creationTimestamp"), now),
                element("code", spec["inventory"]["digest"]),
            )
        )
    heads = ("Version", "Files", "Size", "Made by", "Age", "Digest")
    return table(heads, rows, frozenset({1, 2, 4})) if rows else _none("version")


def _lineage(latest: Manifest, graph: Ancestry) -> Markup:
    spec = latest["spec"]
    node = version_node(spec["dataset"], spec["version"])
    return section(
        f"Lineage of {node}",
        element("h3", "Made of"),
        log_lines(tree_lines(graph, node, graph.parents)),
        element("h3", "Used for"),
        log_lines(tree_lines(graph, node, graph.children())),
    )


def _sources(dataset: Manifest) -> Markup | None:
    sources = (dataset.get("spec") or {}).get("sources") or ()
    places = [
        str(one.get("url") or f"{one.get('path')} in {one.get('datastore') or 'default'}") for one in sources
    ]
    return element("ul", *(element("li", place) for place in places)) if places else None


def _none(what: str) -> Markup:
    return element("p", f"There is no {what}.", class_="quiet")
