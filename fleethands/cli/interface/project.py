"""Commands for a project and its user."""

from __future__ import annotations

import importlib
from typing import Any

import click

from fleethands.cli.interface.group import cli, run_later
from fleethands.cli.options import fleet_options, json_option


@cli.command()
@click.argument("directory", metavar="DIR")
@click.option("--all-settings", is_flag=True, help="Write an inventory with every setting and its default.")
@json_option
def init(**options: Any) -> None:
    """
    Create a project directory of your own.

    Writes two files that are yours to change: inventory/hosts.py has your hosts and their settings, deploy.py has the
    tasks of `fleethands apply`. No file is overwritten. Exit code 0: created; 1: not.
    """
    run_later("init", connects=False, **options)


@cli.command()
@fleet_options
@click.option("--only", multiple=True, metavar="NAME", help="Pin only this version, model or image.")
@click.option("--check", is_flag=True, help="Write nothing, only compare the lockfile with the registries.")
def pin(**options: Any) -> None:
    """
    Write exact versions and digests to fleethands.lock.

    Asks the registries; no host is contacted. Exit code 0: written; 1: a registry did not answer. With --check, 0: up
    to date; 1: the lockfile lacks something; 2: a tag has moved.
    """
    run_later("pin", **options)


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """
    Print a shell completion script.

    For this shell: eval "$(fleethands completion bash)"
    """
    # every new shell waits for this command: only what it needs is imported
    importlib.import_module("fleethands.cli.commands.completion").run(shell)
