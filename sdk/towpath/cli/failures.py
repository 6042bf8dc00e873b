"""Errors of the SDK → what the command line says on stderr, and its exit code."""

from __future__ import annotations

from enum import IntEnum
from typing import IO, Any

import click

from towpath.cli.printable import printable
from towpath.errors import TowpathError, UserErrorException, WaitTimeoutError

# As a shell says of a process that SIGINT ended.
INTERRUPTED = 130


class Exit(IntEnum):
    """What the exit code says; documented in docs/reference/cli.md."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    TIMED_OUT = 3


class Said(click.ClickException):
    """A failure in words: the SDK's messages say what, where, why and what to do."""

    def __init__(self, error: TowpathError) -> None:
        super().__init__(str(error))
        # Click reads it from the object, and declares it of the class.
        vars(self)["exit_code"] = exit_code(error)

    def show(self, file: IO[Any] | None = None) -> None:
        """Write it to stderr; a store's or a user's words in it cannot reach the terminal's controls."""
        lines = "\n".join(printable(line) for line in self.format_message().splitlines())
        click.echo(f"Error: {lines}", file=file, err=True)


def exit_code(error: TowpathError) -> Exit:
    """What a failure comes to: what the user wrote or named is usage."""
    if isinstance(error, UserErrorException):
        return Exit.USAGE
    return Exit.TIMED_OUT if isinstance(error, WaitTimeoutError) else Exit.FAILED
