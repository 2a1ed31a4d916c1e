"""Help is whole at 80 columns: no line is longer, and no text is cut off."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from fleethands.cli.interface import WIDTH, cli
from fleethands.cli.reference import helps

USAGE = ("[ARGS]...", "DIR|FILE...")  # of click: once or several times


def faults(text: str) -> list[str]:
    """Lines of a help text that are too long, or end before their sentence does."""
    for usage in USAGE:
        text = text.replace(usage, "")
    return [line for line in text.splitlines() if len(line) > WIDTH or "..." in line]


def commands(group: click.Group = cli) -> Iterator[click.Command]:
    for command in group.commands.values():
        yield command
        if isinstance(command, click.Group):
            yield from commands(command)


@pytest.mark.parametrize(("name", "text"), [pytest.param(*each, id=each[0]) for each in helps()])
def test_help_fits_80_columns_and_nothing_is_cut(name: str, text: str) -> None:
    assert text.startswith(f"Usage: {name} ")
    assert faults(text) == []


def test_a_sentence_that_is_too_long_is_found() -> None:
    group = click.Group("many", commands=[click.Command("one", help="Words " * 20)])
    context = click.Context(group, terminal_width=WIDTH)

    (line,) = faults(group.get_help(context))
    assert line.startswith("  one  Words")


@pytest.mark.parametrize("command", [pytest.param(each, id=each.name) for each in commands()])
def test_the_line_of_a_command_in_a_list_is_its_whole_first_sentence(command: click.Command) -> None:
    assert command.help is not None
    sentence = " ".join(command.help.strip().partition("\n\n")[0].split())

    assert sentence.endswith(".")
    assert f" {sentence}\n" in "".join(f"{text}\n" for _, text in helps())


def test_every_option_has_a_sentence() -> None:
    for command in commands():
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help is not None
                assert option.help.endswith("."), (command.name, option.name)
