"""`towpath report`: one run as one HTML file that needs nothing else."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from towpath.cli.nouns import RUN, find, plain_name
from towpath.cli.output import say
from towpath.cli.pages.run_page import run_page
from towpath.cli.run_view import view_of
from towpath.cli.session import Session, in_workspace
from towpath.cli.told import told_of
from towpath.errors import UserErrorException


@click.command(short_help="Write a run's graph, times, data and logs into one HTML file.")
@in_workspace
@click.argument("run")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="The file to write, `-` for stdout; RUN.html if omitted.",
)
@click.option("--logs/--no-logs", default=True, show_default=True, help="With the last lines of each step.")
def report(session: Session, run: str, output: Path | None, logs: bool) -> None:
    """Write the page of a RUN: its graph with bytes and seconds, transfers on an axis of time, versions, reuse and why,
    metrics, and the last lines of each step.

    The file fetches nothing and runs nothing: it can be mailed and kept.
    """
    backend = session.backend
    found = find(backend, RUN, plain_name(RUN, run))
    view = view_of(found, backend.plan_of(found))
    text = run_page(view, told_of(backend, view, logs), datetime.now(UTC))
    if output and str(output) == "-":
        # As bytes: the terminal's own encoding is not the page's.
        sys.stdout.buffer.write(text.encode())
        return
    path = output or Path(f"{view.name}.html")
    _write(path, text)
    click.echo(str(path))
    say(f"{len(text.encode())} bytes; open it in a browser.")


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(text.encode())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise UserErrorException(f"{path} cannot be written: {error.strerror}.") from error
