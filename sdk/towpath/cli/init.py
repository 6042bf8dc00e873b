"""`towpath init`: a folder says which workspace its programmes and commands are for."""

from __future__ import annotations

from pathlib import Path

import click

from towpath.backend import Kind
from towpath.cli.output import say
from towpath.cli.session import Session, in_workspace
from towpath.errors import UserErrorException
from towpath.flow import names
from towpath.workspace_config import Place, write_place

_AT = click.Path(path_type=Path, file_okay=False, exists=True)


@click.command(short_help="Say in a folder which workspace it is for, with or without a cluster.")
@in_workspace
@click.option(
    "--data",
    type=_AT,
    help="With --local: the folder that is the default datastore; one below .towpath/ if omitted.",
)
def init(session: Session, data: Path | None) -> None:
    """Write `.towpath/config.json`: what `Workspace.from_config()` and commands without options then mean.

    With --local or --folder that is the folder itself, without a cluster. Else it is the namespace, of the
    kubeconfig's cluster; whether it has a default datastore is looked up.
    """
    folder = session.where.folder
    if folder is not None:
        _without_a_cluster(folder, data)
    elif data is not None:
        raise UserErrorException(
            "--data is for --local: a namespace's datastores are objects, made by `towpath add datastore`."
        )
    else:
        _in_a_namespace(session)


def _without_a_cluster(folder: Path, data: Path | None) -> None:
    from towpath.local.init import init as make_workspace  # noqa: PLC0415 - only here is it needed

    made = make_workspace(folder, data)
    write_place(Place(local="."), folder, "config.json")
    click.echo(made.where)
    say("Next: `towpath add dataset NAME ./FOLDER`, and `towpath run pipeline.yaml`.")


def _in_a_namespace(session: Session) -> None:
    where, backend = session.where, session.backend
    kubeconfig = str(where.kubeconfig.resolve()) if where.kubeconfig else None
    is_known = backend.get(Kind.DATASTORE, names.DEFAULT_DATASTORE) is not None
    file = write_place(Place(backend.namespace, where.context, kubeconfig), Path(), "config.json")
    click.echo(backend.where)
    say(f"{file} says so.")
    if not is_known:
        say(
            "It has no Datastore named default: `towpath add datastore default s3://BUCKET/PREFIX` makes one."
        )
