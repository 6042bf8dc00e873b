"""`towpath logs`: what a run's steps and movers wrote, each line with whose it is."""

from __future__ import annotations

import json
import os
import sys

import click

from towpath.backend import Container, LogLine
from towpath.cli.nouns import RUN, find, plain_name
from towpath.cli.output import Format, output_option, say
from towpath.cli.printable import log_line
from towpath.cli.run_view import view_of
from towpath.cli.session import Session, in_workspace
from towpath.cli.transfers import read_transfer, transfer_words
from towpath.errors import NotFoundError
from towpath.flow.near_names import near


@click.command(short_help="Show what a run's steps and movers wrote.")
@in_workspace
@click.argument("run", metavar="RUN[/STEP]")
@click.argument("step", required=False)
@click.option(
    "-c",
    "--container",
    type=click.Choice([str(one) for one in Container]),
    help="Only of the step itself, or of a mover beside it.",
)
@click.option("-f", "--follow", is_flag=True, help="Go on until the run has ended.")
@output_option(Format.JSON)
def logs(
    session: Session, run: str, step: str | None, container: str | None, follow: bool, output: Format | None
) -> None:
    """Show what a RUN wrote: stage-in, step and publish of every STEP, or of one.

    Of one step's own container the lines come as they were written; of more, each with its step and container.
    Movers' lines of progress are put into words; `-o json` gives every line as it is, in JSON.
    """
    name, _, given = plain_name(RUN, run).partition("/")
    step = step or given or None
    backend = session.backend
    found = find(backend, RUN, name)
    if step:
        known = [one.name for one in view_of(found, backend.plan_of(found)).steps]
        if known and step not in known:
            raise NotFoundError(f"Run {name} has no step {step}. {near(step, known)}")
    chosen = Container(container) if container else None
    wrote = False
    alone = bool(step) and chosen is Container.STEP
    for line in backend.logs(found, step, chosen, follow):
        wrote = True
        # What is piped stays as it was written; for a terminal it was cleaned already.
        click.echo(_json(line) if output else _text(line, alone), color=True)
    if not wrote:
        who = f"step {step}" if step else f"run {name}"
        say(f"Nothing is kept of what {f'{container} of ' if container else ''}{who} wrote.")


def _json(line: LogLine) -> str:
    told = {"step": line.step, "attempt": line.attempt, "container": str(line.container), "text": line.text}
    return json.dumps(told, ensure_ascii=False)


def _text(line: LogLine, alone: bool) -> str:
    is_terminal = sys.stdout.isatty()
    moved = read_transfer(line.text) if line.container is not Container.STEP else None
    words = transfer_words(moved) if moved else line.text
    shown = log_line(words, "NO_COLOR" not in os.environ) if is_terminal else words
    return shown if alone else f"{whose(line)} | {shown}"


def whose(line: LogLine) -> str:
    """Whose line it is: the step, its attempt where that is not the first, and a mover's name."""
    attempt = f"#{line.attempt}" if line.attempt > 1 else ""
    mover = "" if line.container is Container.STEP else f" {line.container}"
    return f"{line.step}{attempt}{mover}"
