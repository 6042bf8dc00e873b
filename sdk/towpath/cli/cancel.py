"""`towpath cancel`: stop runs; nothing unfinished is published."""

from __future__ import annotations

import click

from towpath.backend import Manifest
from towpath.cli.nouns import RUN, find
from towpath.cli.output import say
from towpath.cli.session import Session, in_workspace
from towpath.flow.sweep_references import is_finished


@click.command(short_help="Stop runs; nothing unfinished is published.")
@in_workspace
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
def cancel(session: Session, runs: tuple[str, ...]) -> None:
    """Stop each RUN: its steps get time to end, and nothing unfinished is published or registered.

    A run that has ended already stays as it is.
    """
    backend = session.backend
    for run in [find(backend, RUN, name) for name in runs]:
        name = run["metadata"]["name"]
        if is_finished(run):
            say(f"Run {name} has ended already: {_state(run)}.")
            continue
        backend.patch(RUN.kind, name, {"spec": {"cancel": True}})
        click.echo(f"{RUN.full}/{name}")
        say(f"Run {name} is being cancelled; `towpath get runs {name}` says when it has ended.")


def _state(run: Manifest) -> str:
    return str((run.get("status") or {}).get("state"))
