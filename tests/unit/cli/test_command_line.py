"""A command line as hints and reports have it."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from fleethands.cli.command_line import typed
from fleethands.cli.commands.apply import apply


@pytest.mark.parametrize(
    ("words", "without", "told"),
    [
        (["--canary", "1", "--lock-wait", "30", "--yes"], [], "fleet.py --canary 1 --lock-wait 30"),
        (["--canary", "1", "--lock-wait", "30", "--json"], ["lock_wait"], "fleet.py --canary 1"),
        (["--no-rollback", "--verify", "always"], [], "fleet.py --no-rollback --verify always"),
        (["--canary", "a b; reboot"], [], "fleet.py --canary 'a b; reboot'"),
        (["--retry-failed", "out"], [], "fleet.py --retry-failed out"),
    ],
)
def test_what_was_typed_is_told_as_it_was(words: list[str], without: list[str], told: str) -> None:
    assert said(words, "fleet.py", *without) == told


def test_what_is_among_the_words_already_is_told_once() -> None:
    assert said(["--upstream"], "fleet.py --upstream") == "fleet.py --upstream"
    assert said(["--upstream"], "fleet.py") == "fleet.py --upstream"


def said(options: list[str], words: str, *without: str) -> str:
    """What `typed` makes of the words, within an apply that has these options."""

    def tell(**_: object) -> None:
        click.echo(typed(words, *without))

    done = CliRunner().invoke(click.Command("apply", params=apply.params, callback=tell), options)
    assert done.exit_code == 0, done.output
    return done.output.removesuffix("\n")
