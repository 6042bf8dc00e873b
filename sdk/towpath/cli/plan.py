"""`towpath plan`: what a run would move, need, take and trip over, before anything runs."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from towpath.api.pipelinerun import PipelineRun
from towpath.backend import Kind, Manifest
from towpath.cli.earlier import Earlier, names_of
from towpath.cli.gather import Workspace, gather
from towpath.cli.installed import imageless_steps, installation_of
from towpath.cli.outlook import outlook
from towpath.cli.output import Format, console, output_option, say, write_data
from towpath.cli.params import params_option
from towpath.cli.plan_text import outlook_document, plan_lines
from towpath.cli.preview import Foreseen, foresee
from towpath.cli.session import Session, in_workspace
from towpath.cli.wanted import wanted_run
from towpath.errors import UserErrorException
from towpath.flow import names
from towpath.flow.sources import Installation

# No run has it: a plan that is only looked at is nobody's.
UID = "00000000-0000-0000-0000-000000000000"


@click.command(short_help="Show what a run would move, need, take from earlier runs, and trip over.")
@in_workspace
@click.argument("pipeline", metavar="FILE|NAME")
@params_option
@output_option(Format.JSON, Format.YAML)
def plan(session: Session, pipeline: str, params: dict[str, str], output: Format | None) -> None:
    """Plan a run of a FILE of manifests, or of the pipeline NAME, and run nothing.

    The plan is made as the operator makes it. Sizes of views, and of what steps will write, are estimated and marked
    with `~`. Ends with 2 where the run would be refused.
    """
    backend, now = session.backend, datetime.now(UTC)
    wanted = wanted_run(backend, pipeline, params)
    workspace = Workspace(backend, wanted.manifests)
    runs = tuple(workspace.all(Kind.PIPELINE_RUN))
    run = PipelineRun.model_validate(_named(wanted.run, backend.namespace))
    if run.spec.retry_of:
        raise UserErrorException(
            "A run with retryOf has the plan of that run: `towpath describe run` shows it."
        )
    earlier = Earlier(runs, names_of(workspace.all(Kind.DATASET_VERSION)), backend.plan_of)
    sources = gather(workspace, run, _installation(workspace, run, earlier), now)
    seen = foresee(sources, _sizes(workspace), now)
    steps = outlook(seen.plan, earlier, seen.estimated, now) if seen.plan else ()
    if output:
        write_data(outlook_document(seen, steps), output)
    else:
        screen = console()
        for line in plan_lines(seen, steps):
            screen.print(line)
    _judge(seen)


def _installation(workspace: Workspace, run: PipelineRun, earlier: Earlier) -> Installation:
    reference = run.spec.pipeline_ref
    name = reference.name if reference else ""
    own = {"spec": run.spec.pipeline_spec.as_dict()} if run.spec.pipeline_spec else None
    return installation_of(earlier, name, imageless_steps(own or workspace.one(Kind.PIPELINE, name)))


def _judge(seen: Foreseen) -> None:
    for wait in seen.waits:
        say(f"It would wait first: {wait}")
    if seen.mistake:
        raise UserErrorException(f"It would be refused: {seen.mistake}")


def _named(run: Manifest, namespace: str) -> Manifest:
    meta = run["metadata"]
    name = meta.get("name") or f"{meta.get('generateName', '')}preview"
    made = {"name": names.object_name(name), "namespace": namespace, "uid": UID, "generation": 1}
    return {**run, "metadata": {**meta, **made}}


def _sizes(workspace: Workspace) -> dict[str, tuple[int, int, int]]:
    specs = [one["spec"] for one in workspace.all(Kind.DATASET_VERSION)]
    return {
        spec["inventory"]["digest"]: (spec["files"], spec["bytes"], spec.get("scratchBytes") or spec["bytes"])
        for spec in specs
    }
