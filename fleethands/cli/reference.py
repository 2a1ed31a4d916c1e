"""Writes the help of every command as one page: `python -m fleethands.cli.reference` is docs/cli.md."""

from __future__ import annotations

from collections.abc import Iterator

import click

from fleethands.cli.interface import WIDTH, cli

HEAD = """# The help of every command

`make docs` writes this page from the help of the command line. Exit codes and targets: [commands.md](commands.md).
"""


def page() -> str:
    """The whole page, as Markdown."""
    return HEAD + "".join(f"\n## {name}\n\n```text\n{text}\n```\n" for name, text in helps())


def helps() -> Iterator[tuple[str, str]]:
    """The name of each command, and its help as a terminal of 80 columns shows it."""
    yield from _helps(cli, click.Context(cli, info_name="fleethands", terminal_width=WIDTH, **cli.context_settings))


def _helps(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            if found := command.get_command(context, name):
                yield from _helps(found, click.Context(found, context, name, **found.context_settings))


if __name__ == "__main__":
    print(page(), end="")
