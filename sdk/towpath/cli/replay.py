"""`towpath replay`: a step of a finished run, with the inputs that were pinned for it, run on this machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from towpath.cli.output import say
from towpath.cli.session import Session, in_workspace
from towpath.local.replay import replay as replay_step
from towpath.local.running import follow_run
from towpath.meter import shown
from towpath.run_progress import new_lines
from towpath.run_wait import failure_of


@click.command(short_help="Run a finished run's step here, with the inputs that it had.")
@in_workspace
@click.argument("run_name", metavar="RUN")
@click.argument("step")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder of the replay's own workspace; replay-RUN-STEP if omitted.",
)
def replay(session: Session, *, run_name: str, step: str, into: Path | None) -> None:
    """Run a STEP of RUN on this machine: its pinned inputs are fetched once, its command is run here.

    RUN is one of the cluster, as --local says too (it is always replayed here), or of the workspace of --folder.
    Nothing of the run is changed. Ends with 0 when the step succeeded, and 1 when it failed.
    """
    if session.where.folder == Path():
        session.where = replace(session.where, folder=None)
    folder = into or Path(f"replay-{run_name}-{step}")
    begun = replay_step(session.backend, run_name, step, folder, shown())
    for note in begun.started.notes:
        say(f"Not as on a cluster: {note}")
    click.echo(str(folder))
    before: dict[str, Any] = {}

    def seen(found: Any) -> None:
        status = found.get("status") or {}
        for line in new_lines(before, status):
            say(line)
        before.clear()
        before.update(status)

    ended = follow_run(begun.backend, begun.started.run, seen)
    if ended["status"].get("state") != "Succeeded":
        raise failure_of(begun.backend, ended)
