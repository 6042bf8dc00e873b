"""`towpath ui`: the pages of all runs and datasets, on this machine only."""

from __future__ import annotations

import secrets
import webbrowser

import click

from towpath.cli.output import say
from towpath.cli.server import LOOPBACK, make_server
from towpath.cli.session import Session, in_workspace
from towpath.errors import UserErrorException


@click.command(short_help="Show all runs and datasets in a browser, on this machine only.")
@in_workspace
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=0, help="Port to listen at; a free one if omitted."
)
@click.option("--open/--no-open", "is_opened", default=True, show_default=True, help="Open a browser.")
def ui(session: Session, port: int, is_opened: bool) -> None:
    """Serve the pages of the workspace until Ctrl-C: read only, on the loopback, for who has their address.

    What is shown is read as the user of the kubeconfig, each time anew; nothing can be changed.
    """
    backend = session.backend
    token = secrets.token_urlsafe(16)
    try:
        server = make_server(lambda: backend, token, port)
    except OSError as error:
        raise UserErrorException(
            f"Port {port} cannot be listened at: {error.strerror}. Give another --port."
        ) from error
    address = f"http://{LOOPBACK}:{server.server_address[1]}/{token}/"
    click.echo(address)
    say(f"Showing {backend.where} to who has this address. Ctrl-C ends it.")
    if is_opened:
        webbrowser.open(address)
    try:
        server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        say("Ended.")
    finally:
        server.server_close()
