"""`towpath doctor`: is the workspace in order, and if not, what is to be done?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import click
from rich.text import Text

from towpath.backend import Backend, Kind
from towpath.cli.failures import Exit
from towpath.cli.findings import Finding, Verdict, findings
from towpath.cli.nouns import NOUNS
from towpath.cli.output import Format, console, output_option, write_data
from towpath.cli.printable import printable
from towpath.cli.session import Session, in_workspace
from towpath.errors import TowpathError

_MARKS = {
    Verdict.GOOD: ("ok     ", "green"),
    Verdict.WARNING: ("warning", "yellow"),
    Verdict.BAD: ("wrong  ", "bold red"),
}


@click.command(short_help="Check the workspace, and say what to do about what is wrong.")
@in_workspace
@output_option(Format.JSON, Format.YAML)
def doctor(session: Session, output: Format | None) -> None:
    """Check that the workspace can be reached and that its operator, datastores, datasets and runs are in order.

    Ends with 1 where something is wrong.
    """
    found = _examine(session)
    if output:
        write_data([_document(one) for one in found], output)
    else:
        screen = console()
        for one in found:
            screen.print(Text.assemble(_MARKS[one.verdict], "  ", printable(one.what)))
            if one.hint:
                screen.print(Text(f"         {printable(one.hint)}"))
    if any(one.verdict is Verdict.BAD for one in found):
        click.get_current_context().exit(Exit.FAILED)


def _examine(session: Session) -> Sequence[Finding]:
    try:
        backend = session.backend
        objects = {noun.kind: _listed(backend, noun.kind) for noun in NOUNS}
    except TowpathError as error:
        return [Finding(Verdict.BAD, "The workspace cannot be used", str(error))]
    return [Finding(Verdict.GOOD, f"Reached {backend.where}"), *findings(objects, datetime.now(UTC))]


def _listed(backend: Backend, kind: Kind) -> list[dict[str, object]]:
    return backend.list_objects(kind)


def _document(one: Finding) -> dict[str, str]:
    return {"verdict": str(one.verdict), "what": one.what} | ({"hint": one.hint} if one.hint else {})
