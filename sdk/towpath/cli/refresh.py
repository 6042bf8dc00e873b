"""`towpath refresh`: have a dataset's sources, or a datastore, looked at again."""

from __future__ import annotations

import click

from towpath.backend import Manifest
from towpath.cli.asked import LOOK, answer, ask, now_text
from towpath.cli.columns import why_not_ready
from towpath.cli.nouns import DATASET, DATASTORE, Noun, NounType, find
from towpath.cli.output import say
from towpath.cli.session import Session, in_workspace
from towpath.errors import TowpathError


@click.command(short_help="Look at a dataset's sources, or a datastore, again.")
@in_workspace
@click.argument("kind", type=NounType())
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait for what is found.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait.",
)
def refresh(session: Session, kind: Noun, names: tuple[str, ...], wait: bool, timeout: float) -> None:
    """Look again at the sources of datasets (what changed becomes the next version), or at datastores (a probe)."""
    if kind not in (DATASET, DATASTORE):
        raise click.UsageError(f"A {kind.word} cannot be looked at again: only datasets and datastores can.")
    backend = session.backend
    asked = [(find(backend, kind, name)["metadata"]["name"], now_text()) for name in names]
    for name, value in asked:
        ask(backend, kind, name, LOOK, value)
    found = [answer(backend, kind, name, (LOOK, value), timeout) for name, value in asked] if wait else []
    for one in found:
        _tell(kind, one)
    unready = [one["metadata"]["name"] for one in found if why_not_ready(one)]
    if unready:
        raise TowpathError(f"Not Ready: {', '.join(unready)}; the reason stands above.")


def _tell(kind: Noun, found: Manifest) -> None:
    name, why = found["metadata"]["name"], why_not_ready(found)
    if why:
        say(f"{kind.word} {name} is not Ready: {why}")
    elif kind is DATASET:
        click.echo(f"{name}@{(found.get('status') or {}).get('latestVersion')}")
    else:
        click.echo(f"{name} is Ready")
