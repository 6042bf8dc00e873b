"""`towpath du`: how many bytes datasets and runs hold in which datastore."""

from __future__ import annotations

import click

from towpath.backend import Kind
from towpath.cli.output import Format, output_option, say, write_data, write_table
from towpath.cli.session import Session, in_workspace
from towpath.cli.sizes import size_for_people
from towpath.cli.usage import Held, usage


@click.command(short_help="Show how many bytes datasets and runs hold, and where.")
@in_workspace
@output_option(Format.JSON, Format.YAML)
def du(session: Session, output: Format | None) -> None:
    """Show what versions hold, by dataset, and what runs hold that is no version, the largest first.

    From what the objects say; no store is looked at. What failed attempts left is not in it: `towpath gc --dry-run`
    says that.
    """
    backend = session.backend
    held = usage(backend.list_objects(Kind.DATASET_VERSION), backend.list_objects(Kind.PIPELINE_RUN))
    if output:
        write_data([_document(one) for one in held], output)
    elif held:
        write_table(("SIZE", "FILES", "WHOSE", "ITEMS", "DATASTORE", "NOTE"), [_line(one) for one in held])
        say(f"Together {size_for_people(sum(one.bytes for one in held))} in {backend.where}.")
    else:
        say(f"Nothing is held in {backend.where}.")


def _line(one: Held) -> tuple[str, ...]:
    note = "" if one.own else "from sources: in place, or copied once"
    return size_for_people(one.bytes), str(one.files), one.owner, str(one.items), one.datastore, note


def _document(one: Held) -> dict[str, object]:
    return {
        "owner": one.owner,
        "datastore": one.datastore,
        "items": one.items,
        "files": one.files,
        "bytes": one.bytes,
        "writtenByTowpath": one.own,
    }
