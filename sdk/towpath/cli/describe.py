"""`towpath describe`: all that is to be said of one object, for people."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import yaml
from rich.text import Text

from towpath.backend import Manifest
from towpath.cli.columns import HEADS, line_of
from towpath.cli.nouns import RUN, Noun, NounType, find
from towpath.cli.output import Format, console, output_option, write_data
from towpath.cli.printable import printable
from towpath.cli.run_text import describe_run
from towpath.cli.run_view import view_of
from towpath.cli.session import Session, in_workspace


@click.command(short_help="Say all about one run, dataset, version, pipeline or datastore.")
@in_workspace
@click.argument("kind", type=NounType())
@click.argument("name")
@output_option(Format.JSON, Format.YAML)
def describe(session: Session, kind: Noun, name: str, output: Format | None) -> None:
    """Say all about the object NAME of a KIND: of a run its steps, what they read and wrote, and how they ended."""
    found = find(session.backend, kind, name)
    if output:
        write_data(found, output)
        return
    if kind is RUN:
        lines = describe_run(view_of(found, session.backend.plan_of(found)), datetime.now(UTC))
    else:
        lines = _lines(kind, found)
    screen = console()
    for line in lines:
        screen.print(line)


def _lines(kind: Noun, found: Manifest) -> list[Text]:
    heads = HEADS[kind.kind]
    cells = line_of(kind.kind, found, datetime.now(UTC))
    facts = [f"{head.title():<10} {text}" for head, text in zip(heads, cells, strict=True) if text]
    spec = yaml.safe_dump(found.get("spec") or {}, sort_keys=False, allow_unicode=True, width=10_000)
    return [
        Text(printable(line)) for line in (*facts, "", "Spec", *(f"  {one}" for one in spec.splitlines()))
    ]
