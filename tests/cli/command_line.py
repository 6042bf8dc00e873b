"""Calls of the command line, in this process, on a Backend in memory."""

from __future__ import annotations

from dataclasses import dataclass

from click.testing import CliRunner

from towpath.backend import Backend
from towpath.cli.app import app
from towpath.cli.connect import Where
from towpath.cli.session import Session


@dataclass(frozen=True)
class Called:
    """What a call came to."""

    code: int
    out: str
    err: str
    where: Where

    @property
    def lines(self) -> list[str]:
        """The lines of stdout."""
        return self.out.splitlines()


def towpath(backend: Backend, *args: str, given: str | None = None) -> Called:
    """Call `towpath` with these arguments; an exception that it does not put into words is the test's."""
    opened: list[Where] = []

    def open_backend(where: Where) -> Backend:
        opened.append(where)
        return backend

    session = Session(open=open_backend)
    result = CliRunner().invoke(app, list(args), obj=session, input=given, prog_name="towpath")
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Called(result.exit_code, result.stdout, result.stderr, session.where)
