"""Data → stdout as a table, JSON, YAML or names; words about it → stderr. Colour only where a terminal wants it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any, TextIO

import click
import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text

from towpath.cli.printable import printable

# Nobody reads a table of a file or a pipe by its edges.
_WIDE = 10_000
_STYLES = {
    "Succeeded": "green",
    "True": "green",
    "Failed": "bold red",
    "False": "bold red",
    "Cancelled": "yellow",
    "Waiting": "yellow",
    "Skipped": "dim",
    "Running": "cyan",
}


class Format(StrEnum):
    """How data is written."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    NAME = "name"


def output_option(*formats: Format) -> Callable[[Any], Any]:
    """The option -o, with those formats that the verb has."""
    choice = click.Choice([str(one) for one in formats])
    return click.option(
        "-o",
        "--output",
        type=choice,
        callback=lambda ctx, parameter, value: Format(value) if value else None,  # noqa: ARG005
        help="How to write it; for people if omitted.",
    )


def console(file: TextIO | None = None) -> Console:
    """A rich console on this stream, now stdout: no markup of others is obeyed, and NO_COLOR is."""
    stream = file or sys.stdout
    width = None if stream.isatty() else _WIDE
    return Console(
        file=stream,
        markup=False,
        emoji=False,
        highlight=False,
        no_color="NO_COLOR" in os.environ or None,
        width=width,
        soft_wrap=not stream.isatty(),
    )


def say(words: str) -> None:
    """Tell a person something, on stderr."""
    click.echo("\n".join(map(printable, words.splitlines())), err=True)


def write_data(data: object, format_: Format) -> None:
    """Write a document to stdout, as JSON or YAML."""
    if format_ is Format.JSON:
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
    else:
        text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=10_000)
        click.echo(text, nl=False)


def write_table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    """Write lines under heads; columns that are empty everywhere are left out."""
    rows = [list(line) for line in lines]
    kept = [place for place in range(len(heads)) if any(row[place] for row in rows)] or range(len(heads))
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    last = kept[-1]
    for place in kept:
        table.add_column(heads[place], no_wrap=place != last, overflow="fold")
    for row in rows:
        table.add_row(*(cell(row[place]) for place in kept))
    screen = console()
    if screen.is_terminal:
        screen.print(table)
        return
    with screen.capture() as written:
        screen.print(table)
    # Blanks that fill a column are for eyes only.
    click.echo("\n".join(line.rstrip() for line in written.get().splitlines()))


def cell(text: str) -> Text:
    """The text of one cell, in the colour of what it says."""
    shown = printable(text)
    return Text(shown, style=_STYLES.get(shown, ""))
