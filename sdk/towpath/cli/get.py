"""`towpath get`: objects of one kind, in a table or as data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import click

from towpath.backend import Manifest
from towpath.cli.columns import HEADS, line_of
from towpath.cli.nouns import Noun, NounType, named
from towpath.cli.output import Format, output_option, say, write_data, write_table
from towpath.cli.session import Session, in_workspace


@click.command(short_help="List runs, datasets, versions, pipelines or datastores.")
@in_workspace
@click.argument("kind", type=NounType())
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("-l", "--selector", metavar="KEY=VALUE[,...]", help="Only those that have these labels.")
@output_option(Format.JSON, Format.YAML, Format.NAME)
def get(
    session: Session, kind: Noun, names: tuple[str, ...], selector: str | None, output: Format | None
) -> None:
    """List objects of a KIND: runs, datasets, versions, pipelines or datastores.

    The latest run comes first. `-o name` prints names that other verbs, and kubectl, take.
    """
    found = _found(session, kind, names, _labels(selector))
    if output is None or output is Format.TABLE:
        _as_table(session, kind, found)
    elif output is Format.NAME:
        for one in found:
            click.echo(f"{kind.full}/{one['metadata']['name']}")
    else:
        write_data(
            found[0] if len(names) == 1 else {"apiVersion": "v1", "kind": "List", "items": found}, output
        )


def _found(session: Session, kind: Noun, names: tuple[str, ...], labels: Mapping[str, str]) -> list[Manifest]:
    if names:
        if labels:
            raise click.UsageError("Give names or --selector, not both.")
        return named(session.backend, kind, names)
    return in_order(kind, session.backend.list_objects(kind.kind, labels or None))


def in_order(kind: Noun, found: list[Manifest]) -> list[Manifest]:
    """Runs by their age, the youngest first; versions by dataset and number; others by name."""
    if kind.word == "run":
        return sorted(found, key=lambda one: one["metadata"].get("creationTimestamp") or "", reverse=True)
    if kind.word == "version":
        return sorted(found, key=lambda one: (one["spec"]["dataset"], one["spec"]["version"]))
    return found


def _as_table(session: Session, kind: Noun, found: list[Manifest]) -> None:
    if not found:
        say(f"There are no {kind.word}s in {session.backend.where}.")
        return
    now = datetime.now(UTC)
    write_table(HEADS[kind.kind], [line_of(kind.kind, one, now) for one in found])


def _labels(selector: str | None) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in selector.split(",")] if selector else []
    if any(not equals or not key for key, equals, _ in pairs):
        raise click.UsageError(f"--selector {selector}: write KEY=VALUE, several with commas between them.")
    return {key: value for key, _, value in pairs}
