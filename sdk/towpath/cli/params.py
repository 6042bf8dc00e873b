"""`-p name=value` → a run's parameters. All are texts: the pipeline's declaration says of which type each is."""

from __future__ import annotations

from typing import Any

import click

from towpath.cli.session import Verb


def params_option(verb: Verb) -> Verb:
    """The option -p, as often as there are parameters."""
    option: Any = click.option(
        "-p",
        "--param",
        "params",
        multiple=True,
        callback=_pairs,
        metavar="NAME=VALUE",
        help="A parameter; repeat it.",
    )
    return option(verb)  # type: ignore[no-any-return]


def _pairs(ctx: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{text!r}: write NAME=VALUE.", ctx, parameter)
        if name in pairs:
            raise click.BadParameter(f"{name} is given twice.", ctx, parameter)
        pairs[name] = value
    return pairs
