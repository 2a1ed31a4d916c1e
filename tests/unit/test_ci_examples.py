"""The CI examples of the documents: their schemas, their shell, and that our own command line takes their words."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from fleethands.cli.interface import cli
from tests.helpers.checkout import ROOT

EXAMPLES = ROOT / "docs/guides/ci"
SCHEMAS = {"github.yml": "vendor.github-workflows", "gitlab.yml": "vendor.gitlab-ci"}
TOOLS = Path(sys.executable).parent
COMMANDS = {"plan", "apply", "report merge"}


def scripts(name: str) -> list[str]:
    """Every piece of shell in an example."""
    document: dict[str, Any] = yaml.safe_load((EXAMPLES / name).read_text())
    if name == "github.yml":
        steps = [step for job in document["jobs"].values() for step in job["steps"]]
        return [step["run"] for step in steps if "run" in step]
    jobs = [job for job in document.values() if isinstance(job, dict)]
    return ["\n".join(job[part]) for job in jobs for part in ("before_script", "script") if part in job]


def ours(script: str) -> Iterator[list[str]]:
    """The command lines of fleethands in a script, word by word, with each variable as `1`."""
    for line in script.replace("\\\n", " ").splitlines():
        plain = re.sub(r"\$\{?[A-Z_]+\}?", "1", line.partition(" #")[0])
        for command in re.split(r"\|\||&&|;|>", plain):
            words = shlex.split(command)
            words = words[words[:1] == ["exec"] :]
            if words[:1] == ["fleethands"]:
                yield words[1:]


def parse(words: list[str]) -> str:
    """The command that words lead to, with its options taken. Raises UsageError for those that it does not have."""
    command: click.Command = cli
    path: list[str] = []
    context: click.Context | None = None  # click keeps the first context's settings of a command's help
    while isinstance(command, click.Group):
        more: dict[str, Any] = {"parent": context, "allow_extra_args": True, "allow_interspersed_args": False}
        context = command.make_context(command.name, list(words), **more)
        name, found, words = command.resolve_command(context, words)
        assert found is not None
        command, path = found, [*path, str(name)]
    command.make_context(path[-1], list(words), parent=context).close()
    return " ".join(path)


@pytest.mark.parametrize("name", SCHEMAS)
def test_an_example_keeps_to_the_schema_of_its_ci(name: str) -> None:
    line = [str(TOOLS / "check-jsonschema"), "--builtin-schema", SCHEMAS[name], str(EXAMPLES / name)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_sees_what_breaks_it(name: str, tmp_path: Path) -> None:
    text = (EXAMPLES / name).read_text()
    broken = text.replace("runs-on:", "run-on:") if name == "github.yml" else text.replace("when: always", "when: ever")
    assert broken != text
    (tmp_path / name).write_text(broken)
    line = [str(TOOLS / "check-jsonschema"), "--builtin-schema", SCHEMAS[name], str(tmp_path / name)]

    assert subprocess.run(line, capture_output=True, timeout=60, check=False).returncode == 1


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_shell_of_an_example_is_sound(name: str) -> None:
    for script in scripts(name):
        line = [str(TOOLS / "shellcheck"), "--shell=bash", "-"]
        done = subprocess.run(line, input=script + "\n", capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", SCHEMAS)
def test_our_command_line_takes_the_words_of_an_example(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert {parse(words) for script in scripts(name) for words in ours(script)} == COMMANDS
    for words in (["plan", "x", "--raport", "y"], ["report", "merge"], ["plna"]):
        with pytest.raises(click.UsageError):
            parse(words)


def test_as_many_jobs_as_parts() -> None:
    document = yaml.safe_load((EXAMPLES / "github.yml").read_text())

    assert document["jobs"]["apply"]["strategy"]["matrix"]["part"] == [*range(1, document["env"]["PARTS"] + 1)]
