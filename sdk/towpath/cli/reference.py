"""The verbs → docs/reference/cli.md; a test fails where the page is another one. `python -m towpath.cli.reference`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from towpath.cli.app import app
from towpath.cli.failures import INTERRUPTED, Exit

PAGE = Path("docs/reference/cli.md")
_WORDS = {
    Exit.DONE: "done, or the run succeeded",
    Exit.FAILED: "it failed: the run, the transfer, the check, or what was to be reached",
    Exit.USAGE: "wrong usage: an option, a name or a file that the user has to change; nothing was begun",
    Exit.TIMED_OUT: "the time given is over; what was asked for goes on",
}
_HEAD = """\
# The command line

Generated from the verbs by `make generate`: change those, not this page. `kubectl towpath` is the same as `towpath`.

Data goes to stdout, all else to stderr; `-o json|yaml|name` is for programmes. On a terminal there are colours and
bars, elsewhere plain lines; `NO_COLOR` is obeyed. What others wrote (names, messages, logs) cannot control the
terminal.

Places, wherever a verb takes one: a path of this machine, `DATASTORE:/path`, `dataset:NAME[@VERSION]`,
`run:NAME/STEP/OUTPUT`.

"""


def page() -> str:
    """The whole page."""
    codes = [f"| {int(code)} | {words} |" for code, words in _WORDS.items()]
    table = ["| exit code | meaning |", "|---|---|", *codes, f"| {INTERRUPTED} | interrupted (Ctrl-C) |", ""]
    root = click.Context(app, info_name="towpath", terminal_width=110, **app.context_settings)
    verbs = [(name, app.get_command(root, name)) for name in app.list_commands(root)]
    parts = [line for name, verb in verbs if verb for line in _verb(verb, name, root)]
    return _HEAD + "\n".join([*table, *parts]).rstrip() + "\n"


def _verb(verb: click.Command, name: str, parent: click.Context, level: int = 2) -> Iterator[str]:
    ctx = click.Context(verb, parent=parent, info_name=name)
    yield f"{'#' * level} {ctx.command_path}"
    yield ""
    yield "```"
    yield verb.get_usage(ctx).removeprefix("Usage: ")
    yield "```"
    yield ""
    yield from _paragraphs(verb.help or "")
    rows = [row for row in (parameter.get_help_record(ctx) for parameter in verb.get_params(ctx)) if row]
    if rows:
        yield "| option | |"
        yield "|---|---|"
        yield from (f"| `{_cell(option)}` | {_cell(words)} |" for option, words in rows)
        yield ""
    if isinstance(verb, click.Group):
        for inner in verb.list_commands(ctx):
            found = verb.get_command(ctx, inner)
            if found:
                yield from _verb(found, inner, ctx, level + 1)


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.strip().split("\n\n"):
        yield " ".join(paragraph.split())
        yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page())
