"""`towpath init`: a folder of this machine becomes a workspace, without a cluster."""

from __future__ import annotations

from pathlib import Path

import click

from towpath.cli.output import say
from towpath.errors import UserErrorException
from towpath.local.init import init as make_workspace


@click.command(short_help="Make a workspace in a folder, without a cluster.")
@click.option(
    "--local", "is_local", is_flag=True, help="Without a cluster; there is no other way yet to say it."
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path(),
    help="Where; the current folder if omitted.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The folder that is its default datastore; one below .towpath/ if omitted.",
)
def init(is_local: bool, folder: Path, data: Path | None) -> None:
    """Make `.towpath/` in a folder: what runs there need, and the bytes of its default datastore.

    A namespace of a cluster needs no init: `towpath add datastore default s3://…` is its beginning.
    """
    if not is_local:
        raise UserErrorException(
            "Say --local for a workspace in this folder. A namespace of a cluster begins with `towpath add datastore "
            "default s3://BUCKET/PREFIX`."
        )
    made = make_workspace(folder, data)
    click.echo(made.where)
    say("Next: `towpath add dataset NAME ./FOLDER --local`, and `towpath run pipeline.yaml --local`.")
