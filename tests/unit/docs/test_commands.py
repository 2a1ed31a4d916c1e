"""Every command on a page is one that the program accepts."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from fleethands.cli.interface import cli
from tests.helpers.checkout import ROOT
from tests.helpers.command_words import commands, usages
from tests.helpers.pages import SHELL, blocks, pages

DOCUMENTED = [page for page in pages() if page.name != "CHANGELOG.md"]  # it names what earlier releases had
# pyinfra patches the standard library when it is imported, so another process parses its commands
PYINFRA = """
import json, sys
from click import ClickException
from pyinfra_cli.main import cli
faults = []
for place, words in json.load(sys.stdin):
    try:
        cli.make_context("pyinfra", words)
    except ClickException as error:
        faults.append(f"{place}: {words}: {error.format_message()}")
print(json.dumps(faults))
"""


@functools.cache
def typed(program: str) -> list[tuple[str, list[str]]]:
    """Every command of a program in blocks and in sentences, and its place."""
    found = []
    for page in DOCUMENTED:
        for block in blocks(page):
            if block.is_inline:
                found += [(str(block), words[1:]) for words in usages(block.text) if words[0] == program]
            elif block.language in SHELL:
                found += [(str(block), words[1:]) for words in commands(block.text) if words[0] == program]
    return found


def parse(words: list[str]) -> None:
    """Parse words as the command line does, down to the last group, without running anything."""
    context = cli.make_context("fleethands", list(words))
    command: click.Command = cli
    while isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args]
        name, found, rest = command.resolve_command(context, rest)
        assert found, name
        command, context = found, found.make_context(name, rest, parent=context)


def fault(words: list[str]) -> str:
    """Why the command line refuses these words; nothing if it accepts them, or shows a group's help."""
    if words and words[0] == "COMMAND":  # of a sentence about all commands
        return ""
    try:
        parse(words)
    except click.exceptions.Exit as end:  # `--help`, `--version`
        return f"exit {end.exit_code}" if end.exit_code else ""
    except click.exceptions.NoArgsIsHelpError:
        return ""
    except click.MissingParameter as error:  # a name alone, in a sentence, names the command
        return "" if len(words) == 1 else error.format_message()
    except click.UsageError as error:
        return error.format_message()
    return ""


def test_every_fleethands_command_is_accepted() -> None:
    found = typed("fleethands")

    assert len(found) > 80
    assert [f"{place}: {' '.join(words)}: {why}" for place, words in found if (why := fault(words))] == []


@pytest.mark.parametrize(
    "words", ["plna", "plan --hots x", "lock take", "rollback --to 2", "completion tcsh", "plan a b"]
)
def test_a_wrong_command_is_found(words: str) -> None:
    assert fault(words.split())


def test_every_target_of_make_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([\w./-]+):(?!=)", makefile, re.MULTILINE))
    upstream = {"build", "run", "setup-config"}  # OpenHands' own Makefile
    found = [(place, word) for place, words in typed("make") for word in words if "=" not in word]

    assert len(found) > 20
    assert [f"{place}: make {word}" for place, word in found if word not in targets | upstream] == []


def test_every_variable_of_make_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    variables = set(re.findall(r"^(\w+) \?=", makefile, re.MULTILINE))
    found = [(place, word) for place, words in typed("make") for word in words if "=" in word]

    assert [f"{place}: {word}" for place, word in found if word.partition("=")[0] not in variables] == []


def test_every_pyinfra_command_is_accepted(tmp_path: Path) -> None:
    found = [(place, words) for place, words in typed("pyinfra") if words]
    deploys = {(place, word) for place, words in found for word in words[1:] if word.endswith(".py")}

    assert len(found) > 3
    assert [f"{place}: {name}" for place, name in deploys if not (ROOT / name).is_file()] == []
    done = subprocess.run(
        [sys.executable, "-c", PYINFRA],
        input=json.dumps(found),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    assert json.loads(done.stdout) == []


def test_commands_are_found_where_a_shell_would_run_them() -> None:
    text = "cd x && A=b .venv/bin/fleethands plan 'a b' \\\n  --yes  # fleethands no\n$ make test | tail\necho make x\n"

    assert [*commands(text)] == [["fleethands", "plan", "a b", "--yes"], ["make", "test"]]


def test_patterns_stand_for_each_of_their_commands() -> None:
    assert [*usages("fleethands lock acquire|release [TARGET]")] == [
        ["fleethands", "lock", "acquire", "TARGET"],
        ["fleethands", "lock", "release", "TARGET"],
    ]
    assert [*usages("fleethands plan … || [ $? -eq 2 ]")] == [["fleethands", "plan"]]
