"""`towpath retry`: take up a run that has ended, from its failed steps on."""

from __future__ import annotations

import re

import click

from towpath.backend import Manifest
from towpath.cli.nouns import RUN, find
from towpath.cli.output import Format, output_option, say, write_data
from towpath.cli.session import Session, in_workspace
from towpath.errors import UserErrorException
from towpath.flow import names
from towpath.flow.sweep_references import is_finished

# As Kubernetes ends names that it makes.
_MADE = re.compile(r"-[a-z0-9]{5}$")


@click.command(short_help="Run a failed run's remaining steps, from the same plan.")
@in_workspace
@click.argument("run")
@click.option("--again", is_flag=True, help="Run also the steps that succeeded.")
@output_option(Format.JSON, Format.YAML, Format.NAME)
def retry(session: Session, run: str, again: bool, output: Format | None) -> None:
    """Make a run with the plan of RUN: the same code, parameters and versions, whatever the pipeline has become.

    Its succeeded steps are kept; the others are run. Prints the name of the new run.
    """
    backend = session.backend
    before = find(backend, RUN, run)
    if not is_finished(before):
        raise UserErrorException(
            f"Run {before['metadata']['name']} has not ended: wait for it, or stop it with `towpath cancel` first."
        )
    made = backend.create(retried(before, backend.namespace, again))
    name = made["metadata"]["name"]
    if output in (Format.JSON, Format.YAML):
        write_data(made, output)
    else:
        click.echo(f"{RUN.full}/{name}" if output is Format.NAME else name)
    say(f"Watch it with: towpath logs -f {name}")


def retried(run: Manifest, namespace: str, again: bool = False) -> Manifest:
    """The run that takes up another one."""
    meta = run["metadata"]
    prefix = meta.get("generateName") or _MADE.sub("", meta["name"]) + "-"
    spec = {"retryOf": {"name": meta["name"]}} | ({"reuse": False} if again else {})
    return {
        "apiVersion": names.API_VERSION,
        "kind": str(RUN.kind),
        "metadata": {"generateName": prefix, "namespace": namespace},
        "spec": spec,
    }
