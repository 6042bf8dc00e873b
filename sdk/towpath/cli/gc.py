"""`towpath gc`: a sweep of datastores, or what one would delete."""

from __future__ import annotations

import click

from towpath.backend import Manifest
from towpath.cli.asked import SWEEP, answer, ask, now_text
from towpath.cli.columns import why_not_ready
from towpath.cli.nouns import DATASTORE, named
from towpath.cli.output import Format, output_option, say, write_data
from towpath.cli.printable import printable
from towpath.cli.session import Session, in_workspace
from towpath.errors import ActivityFailedException, UserErrorException
from towpath.flow import names
from towpath.flow.sweep_flow import NOT_SWEPT


@click.command(short_help="Delete what nothing refers to any more, or only say what that is.")
@in_workspace
@click.argument("datastores", nargs=-1, metavar="[DATASTORE]...")
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=3900.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for a sweep.",
)
@output_option(Format.JSON, Format.YAML)
def gc(
    session: Session,
    datastores: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    timeout: float,
    output: Format | None,
) -> None:
    """Sweep all DATASTOREs, or those that are named: what failed attempts, and runs that are gone, have left.

    Registered versions stay, and so does what Towpath did not write (docs/reference/sweep.md).
    """
    backend = session.backend
    wanted = [one for one in named(backend, DATASTORE, datastores) if _can_be_swept(one, bool(datastores))]
    listed = [one["metadata"]["name"] for one in wanted]
    if not listed:
        say(f"No datastore can be swept in {backend.where}.")
        return
    if not (dry_run or yes):
        click.confirm(f"Delete in {', '.join(listed)} what nothing refers to any more?", abort=True, err=True)
    value = f"{names.DRY_RUN if dry_run else 'now'}-{now_text()}"
    for name in listed:
        ask(backend, DATASTORE, name, SWEEP, value)
    swept = {name: _swept(answer(backend, DATASTORE, name, (SWEEP, value), timeout)) for name in listed}
    if output:
        write_data({"dryRun": dry_run, "datastores": swept}, output)
    else:
        for name, words in swept.items():
            click.echo(f"{name}: {printable(words)}")
    failed = [name for name, words in swept.items() if words.startswith(NOT_SWEPT)]
    if failed:
        raise ActivityFailedException(
            f"{', '.join(failed)} was not swept, and nothing is lost by that: the operator tries again in ten minutes. "
            "Mend what it says above, then ask again."
        )


def _swept(datastore: Manifest) -> str:
    return str((datastore.get("status") or {}).get("swept") or "")


def _can_be_swept(datastore: Manifest, was_named: bool) -> bool:
    """One that is not Ready, or read only, is never swept: waiting for that would take for ever."""
    name, why = datastore["metadata"]["name"], why_not_ready(datastore)
    if (datastore.get("spec") or {}).get("readOnly"):
        why = "it is readOnly"
    if not why:
        return True
    words = f"Datastore {name} cannot be swept: {why}"
    if was_named:
        raise UserErrorException(words)
    say(words)
    return False
