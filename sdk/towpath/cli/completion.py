"""`towpath completion`: what a shell reads to complete verbs, kinds and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_SHELLS = ("bash", "zsh", "fish")


@click.command(short_help="Print what a shell reads to complete towpath's words.")
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion of towpath for a SHELL.

    \b
    eval "$(towpath completion bash)"   # in ~/.bashrc
    eval "$(towpath completion zsh)"    # in ~/.zshrc
    towpath completion fish > ~/.config/fish/completions/towpath.fish
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"There is no completion for {shell}.")
    click.echo(kind(ctx.find_root().command, {}, "towpath", "_TOWPATH_COMPLETE").source())
