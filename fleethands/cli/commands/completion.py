"""`fleethands completion`."""

from __future__ import annotations

import sys

import click
from click.shell_completion import get_completion_class

from fleethands.cli.interface import cli
from fleethands.errors import FleethandsError

NAME, VARIABLE = "fleethands", "_FLEETHANDS_COMPLETE"
START = {
    "bash": "to load it in every shell: echo 'eval \"$(fleethands completion bash)\"' >> ~/.bashrc",
    "zsh": "to load it in every shell: echo 'eval \"$(fleethands completion zsh)\"' >> ~/.zshrc",
    "fish": "to load it in every shell: fleethands completion fish > ~/.config/fish/completions/fleethands.fish",
}


def run(shell: str) -> None:
    kind = get_completion_class(shell)
    if kind is None:
        raise FleethandsError(f"this version of click has no completion for {shell}")
    click.echo(kind(cli, {}, NAME, VARIABLE).source())
    if sys.stdout.isatty():
        click.echo(f"hint: {START[shell]}", err=True)
