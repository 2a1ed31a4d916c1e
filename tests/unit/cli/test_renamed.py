"""A word that was renamed is an error that names the new one."""

from __future__ import annotations

import json

import click
import pytest

from fleethands.cli.interface import cli
from fleethands.cli.renamed import RENAMED, find_renamed
from tests.helpers.command_line import fleethands


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["destroy", "fleet.py", "--yes"], "no such command `destroy`: it is `uninstall` now"),
        (["verify", "fleet.py", "--deep"], "no such option `--deep`: it is `--conversation` now"),
        (["verify", "--blobs"], "no such option `--blobs`: it is `--checksums` now"),
        (["rollback", "--to=last"], "no such option `--to last`: it is `--to current` now"),
        (["rollback", "fleet.py", "--to", "before"], "no such option `--to before`: it is `--to previous` now"),
        (["rollback", "--to", "nowhere"], None),
        (["plan", "destroy", "--blobs"], None),
    ],
)
def test_an_old_word_names_the_new_one(words: list[str], message: str | None) -> None:
    assert find_renamed(words) == message


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_old_words_are_errors_and_new_words_exist(old: str, new: str) -> None:
    command, *option = old.split()
    with pytest.raises(click.UsageError):
        _parse(command, *option)

    _parse(*([command] if option else []), *new.split())


def _parse(command: str, *arguments: str) -> None:
    context = cli.make_context("fleethands", [command, *arguments], resilient_parsing=False)
    name, found, rest = cli.resolve_command(context, [command, *arguments])
    assert found
    found.make_context(name, rest, context)


def test_the_command_line_exits_64_with_that_message_in_its_document_too() -> None:
    done = fleethands("destroy", "--yes", "--json")

    assert (done.returncode, done.stderr) == (64, "error: no such command `destroy`: it is `uninstall` now\n")
    assert json.loads(done.stdout)["error"] == "no such command `destroy`: it is `uninstall` now"
