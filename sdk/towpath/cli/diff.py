"""`towpath diff`: the files that were added, removed and changed between two versions or outputs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack

import click

from towpath.backend import Backend
from towpath.cli.contents import Found, find_contents
from towpath.cli.differ import Change, Changed, Tally, differences
from towpath.cli.failures import Exit
from towpath.cli.output import Format, output_option, say
from towpath.cli.printable import printable
from towpath.cli.session import Session, in_workspace
from towpath.cli.sizes import size_for_people
from towpath.errors import TowpathError
from towpath_mover.failures import MoverFailure
from towpath_mover.inventory import Entry
from towpath_mover.inventory_reader import InventoryReader

_MARKS = {Change.ADDED: "+", Change.REMOVED: "-", Change.CHANGED: "~"}


@click.command(short_help="List files added, removed and changed between two versions or outputs.")
@in_workspace
@click.argument("before")
@click.argument("after")
@click.option("--exit-code", is_flag=True, help="End with 1 where anything differs.")
@click.option("--direct", is_flag=True, help="Read the store with this machine's own credentials.")
@output_option(Format.JSON)
def diff(
    session: Session, before: str, after: str, exit_code: bool, direct: bool, output: Format | None
) -> None:
    """Compare two contents by their inventories: `iris@1 iris@2`, or `run:NAME/STEP/OUTPUT`.

    No data is read, only the two lists of files. `-o json` gives one object per line.
    """
    backend = session.backend
    old, new = find_contents(backend, before), find_contents(backend, after)
    tally = Tally()
    if old.inventory.digest == new.inventory.digest:
        say(f"{old.words} and {new.words} have the same content ({new.inventory.digest}).")
        return
    for one in _differences(backend, (old, new), direct, tally):
        click.echo(_json(one) if output else _line(one))
    say(
        f"{old.words} -> {new.words}: {tally.added} added, {tally.removed} removed, {tally.changed} changed, "
        f"{tally.same} the same"
    )
    if exit_code and tally.differs:
        click.get_current_context().exit(Exit.FAILED)


def _differences(
    backend: Backend, pair: tuple[Found, Found], direct: bool, tally: Tally
) -> Iterator[Changed]:
    with ExitStack() as stack:
        names = {one.inventory.datastore for one in pair}
        stores = {name: stack.enter_context(backend.open_store(name, direct)) for name in sorted(names)}
        old, new = (_entries(one, stores[one.inventory.datastore].read(one.inventory.path)) for one in pair)
        yield from differences(old, new, tally)


def _entries(found: Found, chunks: Iterator[bytes]) -> Iterator[Entry]:
    try:
        reader = InventoryReader(chunks, found.inventory.digest)
        for entry in reader.entries():
            # What a store reported means nothing in another one.
            store = reader.roots[entry.root].datastore
            yield entry._replace(etag=f"{store} {entry.etag}") if entry.etag else entry
    except MoverFailure as failure:
        raise TowpathError(f"The inventory of {found.words} cannot be used: {failure}") from failure


def _line(one: Changed) -> str:
    sizes = [size_for_people(size) for size in (one.before, one.after) if size is not None]
    return f"{_MARKS[one.change]} {printable(one.path)}  {' -> '.join(sizes)}"


def _json(one: Changed) -> str:
    told = {"change": str(one.change), "path": one.path, "before": one.before, "after": one.after}
    return json.dumps({key: value for key, value in told.items() if value is not None}, ensure_ascii=False)
