"""`towpath cp`: files from any place to any other, verified, and gone on with after a kill."""

from __future__ import annotations

from dataclasses import asdict

import click

from towpath.cli.output import Format, output_option, say, write_data
from towpath.cli.session import Session, in_workspace
from towpath.cli.sizes import size_for_people
from towpath.copying import Copied, copy
from towpath.meter import shown


@click.command(short_help="Copy files between this machine, datastores, datasets and outputs.")
@in_workspace
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--overwrite", is_flag=True, help="Replace files that are there with other content.")
@click.option(
    "--direct", is_flag=True, help="Enter datastores from here, with this machine's own credentials."
)
@click.option("-q", "--quiet", is_flag=True, help="Do not tell how far it is.")
@output_option(Format.JSON, Format.YAML)
def cp(  # noqa: PLR0913 - each is an option
    session: Session,
    *,
    source: str,
    target: str,
    overwrite: bool,
    direct: bool,
    quiet: bool,
    output: Format | None,
) -> None:
    """Copy the files at FROM to TO: the content of a folder goes below TO, a single file keeps its name in a folder.

    A place is a path of this machine, DATASTORE:/path, dataset:NAME[@VERSION] or run:NAME/STEP/OUTPUT. Copied to
    dataset:NAME, the files are uploaded, and become its next version. Files that are there already with equal content
    are left; other content is an error before anything is written. A copy that was killed goes on when it is begun
    again.
    """
    show = shown(not quiet)
    copied = copy(session.backend, source, target, overwrite=overwrite, direct=direct, show=show)
    if output:
        write_data({key: value for key, value in asdict(copied).items() if value is not None}, output)
    say(_words(copied))


def _words(copied: Copied) -> str:
    files = f"{copied.files} file{'' if copied.files == 1 else 's'}, {size_for_people(copied.bytes)}"
    same = f"; {copied.same} were there already, with equal content" if copied.same else ""
    follow = f" `towpath get datasets {copied.dataset}` shows its version." if copied.dataset else ""
    return f"Copied {files}{same}.{follow}"
