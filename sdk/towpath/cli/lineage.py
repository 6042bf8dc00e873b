"""`towpath lineage`: who made a version, out of what, and which runs used it."""

from __future__ import annotations

import click

from towpath.backend import Backend, Kind
from towpath.cli.ancestry import STEP, Ancestry, ancestry, version_node
from towpath.cli.contents import version_of
from towpath.cli.nouns import RUN, find, plain_name
from towpath.cli.output import Format, output_option, write_data
from towpath.cli.run_view import view_of
from towpath.cli.session import Session, in_workspace
from towpath.cli.tree_text import tree_lines
from towpath.errors import NotFoundError
from towpath.flow.near_names import near


@click.command(short_help="Show who made a version, out of what, and what was made of it.")
@in_workspace
@click.argument("what", metavar="DATASET[@VERSION]|run:NAME[/STEP[/OUTPUT]]")
@output_option(Format.JSON, Format.YAML)
def lineage(session: Session, what: str, output: Format | None) -> None:
    """Show what a version, or what a run wrote, was made of, and all that was made of it since.

    From the runs that exist, and of those that are gone from what their versions say.
    """
    backend = session.backend
    graph = _graph(backend)
    starts = _starts(backend, graph, what)
    if output:
        part = [graph.within(start) for start in starts]
        write_data({"of": starts, **_document(part)}, output)
        return
    for number, start in enumerate(starts):
        if number:
            click.echo()
        click.echo("Made of")
        click.echo("\n".join(f"  {line}" for line in tree_lines(graph, start, graph.parents)))
        click.echo("Used for")
        click.echo("\n".join(f"  {line}" for line in tree_lines(graph, start, graph.children())))


def _graph(backend: Backend) -> Ancestry:
    runs = backend.list_objects(Kind.PIPELINE_RUN)
    views = [view_of(run, backend.plan_of(run)) for run in runs]
    return ancestry(views, backend.list_objects(Kind.DATASET_VERSION))


def _starts(backend: Backend, graph: Ancestry, what: str) -> list[str]:
    if not what.startswith("run:"):
        spec = version_of(backend, what.removeprefix("dataset:"))["spec"]
        return [version_node(spec["dataset"], spec["version"])]
    name, *parts = what.removeprefix("run:").split("/")
    run = find(backend, RUN, plain_name(RUN, name))["metadata"]["name"]
    steps = {
        node.removeprefix(f"{STEP}{run}/"): node for node in graph.nodes if node.startswith(f"{STEP}{run}/")
    }
    if not parts:
        return list(steps.values())
    step, output = parts[0], "/".join(parts[1:])
    if step not in steps:
        raise NotFoundError(f"Run {run} has no step {step}. {near(step, steps)}")
    if not output:
        return [steps[step]]
    outputs = {label: child for child, label in graph.children().get(steps[step], {}).items()}
    if output not in outputs:
        raise NotFoundError(f"Step {step} of run {run} has written no {output}. {near(output, outputs)}")
    return [outputs[output]]


def _document(parts: list[Ancestry]) -> dict[str, object]:
    nodes = {name: node.note for part in parts for name, node in part.nodes.items()}
    edges = {
        (parent, child, label)
        for part in parts
        for child, parents in part.parents.items()
        for parent, label in parents.items()
    }
    return {
        "nodes": [{"name": name, "note": note} for name, note in sorted(nodes.items())],
        "edges": [{"from": parent, "to": child, "as": label} for parent, child, label in sorted(edges)],
    }
