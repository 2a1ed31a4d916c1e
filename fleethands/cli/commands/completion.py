"""`fleethands completion`."""

from __future__ import annotations

import sys

import click
from click.shell_completion import get_completion_class

from fleethands.cli.errors import Trouble

NAME, VARIABLE = "fleethands", "_FLEETHANDS_COMPLETE"
START = {
    "bash": "to have it in every shell: echo 'eval \"$(fleethands completion bash)\"' >> ~/.bashrc",
    "zsh": "to have it in every shell: echo 'eval \"$(fleethands completion zsh)\"' >> ~/.zshrc",
    "fish": "to have it in every shell: fleethands completion fish > ~/.config/fish/completions/fleethands.fish",
}


@click.command()
@click.argument("shell", type=click.Choice(list(START)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script by which a shell completes fleethands' words: eval "$(fleethands completion bash)"."""
    kind = get_completion_class(shell)
    if kind is None:
        raise Trouble(f"this version of click completes nothing in {shell}")
    click.echo(kind(context.find_root().command, {}, NAME, VARIABLE).source())
    if sys.stdout.isatty():
        click.echo(f"hint: {START[shell]}", err=True)
