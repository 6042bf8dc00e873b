"""The entry point: a verb's module is loaded when it is used, so that `towpath --help` and completion stay quick."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from towpath import __version__
from towpath.cli.failures import INTERRUPTED, Said
from towpath.errors import TowpathError

# In the order of a user's first day.
VERBS = (
    "init",
    "add",
    "plan",
    "run",
    "get",
    "describe",
    "logs",
    "cancel",
    "retry",
    "why",
    "refresh",
    "cp",
    "diff",
    "lineage",
    "du",
    "gc",
    "replay",
    "report",
    "ui",
    "doctor",
    "completion",
)


class Verbs(click.Group):
    """The verbs, and what every failure of one comes to."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """All verbs, in their order."""
        return [verb for verb in VERBS if _is_there(verb)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The verb of this name, from the module of its name."""
        if cmd_name not in VERBS or not _is_there(cmd_name):
            return None
        found = getattr(importlib.import_module(f"towpath.cli.{cmd_name}"), cmd_name)
        return found if isinstance(found, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb that is asked for; of an unknown one, which it might have been."""
        verb = args[0] if args else ""
        if verb and not verb.startswith("-") and self.get_command(ctx, verb) is None:
            raise click.UsageError(f"There is no verb {verb!r}. {_near(verb, self.list_commands(ctx))}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; what it could not do is said in one sentence, and never as a traceback."""
        try:
            return super().invoke(ctx)
        except TowpathError as error:
            raise Said(error) from error
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(INTERRUPTED)


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit codes: 0 done or succeeded, 1 failed, 2 wrong usage, 3 timed out.",
)
@click.version_option(__version__, message="towpath %(version)s")
def app() -> None:
    """Moves data into, between and out of the steps of ML pipelines.

    Runs are watched, explained and copied from where they are: a namespace of a Kubernetes cluster, or with --local
    a folder of this machine.
    """


def main() -> None:
    """`towpath`."""
    app(prog_name="towpath")


def kubectl_main() -> None:
    """`kubectl towpath`: kubectl finds it by the name of its file."""
    app(prog_name="kubectl towpath")


def _is_there(verb: str) -> bool:
    return Path(__file__).with_name(f"{verb}.py").exists()


def _near(verb: str, verbs: Iterable[str]) -> str:
    close = difflib.get_close_matches(verb, verbs, n=2, cutoff=0.5)
    return f"Did you mean {' or '.join(close)}?" if close else "`towpath --help` lists them."
