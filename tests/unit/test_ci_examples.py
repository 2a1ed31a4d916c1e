"""The GitHub Action, the GitLab component and their examples: their schemas, their shell, and their command lines."""

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
SCHEMAS = {
    EXAMPLES / "github.yml": "vendor.github-workflows",
    EXAMPLES / "gitlab.yml": "vendor.gitlab-ci",
    ROOT / "action.yml": "vendor.github-actions",
    ROOT / "templates/fleethands.yml": "vendor.gitlab-ci",
}
BREAKS = {
    "github.yml": ("runs-on:", "run-on:"),
    "gitlab.yml": ("component:", "komponent:"),
    "action.yml": ("using: composite", "using: composition"),
    "fleethands.yml": ("when: always", "when: ever"),
}
TOOLS = Path(sys.executable).parent
COMMANDS = {"plan", "apply", "report merge"}
INPUT = re.compile(r"\$\[\[ inputs\.([a-z-]+) \]\]")


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def component() -> tuple[dict[str, Any], dict[str, Any]]:
    """The inputs of the GitLab component, and its jobs with the inputs of the example, as GitLab fills them in."""
    header, jobs = yaml.safe_load_all((ROOT / "templates/fleethands.yml").read_text())
    inputs = header["spec"]["inputs"]
    given = load(EXAMPLES / "gitlab.yml")["include"][0]["inputs"]
    assert given.keys() <= inputs.keys()
    values = {name: given.get(name, about.get("default")) for name, about in inputs.items()}
    assert None not in values.values()
    return inputs, fill_in(jobs, values)


def fill_in(node: Any, values: dict[str, Any]) -> Any:
    """A document with its inputs. Text that is only an input gets the type of the input."""
    if isinstance(node, dict):
        return {key: fill_in(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [fill_in(value, values) for value in node]
    if not isinstance(node, str):
        return node
    whole = INPUT.fullmatch(node)
    return values[whole[1]] if whole else INPUT.sub(lambda found: str(values[found[1]]), node)


def scripts() -> Iterator[str]:
    """Every piece of shell."""
    jobs = load(EXAMPLES / "github.yml")["jobs"].values()
    for step in [*load(ROOT / "action.yml")["runs"]["steps"], *(step for job in jobs for step in job["steps"])]:
        if "run" in step:
            yield step["run"]
    common: dict[str, Any] = {}
    for job in component()[1].values():
        whole = {**common, **job}
        common = common or job
        yield "\n".join([*whole["before_script"], *whole.get("script", [])])


def ours(script: str) -> Iterator[list[str]]:
    """The command lines of fleethands in a script, word by word, with each variable as `1`."""
    for line in script.replace("\\\n", " ").splitlines():
        plain = re.sub(r"\$\{?[A-Z_a-z]+(:-1)?\}?", "1", line.partition(" #")[0].replace('"$@"', ""))
        for command in re.split(r"\|\||&&|;|>", plain):
            if command.strip().startswith("fleethands "):
                yield shlex.split(command)[1:]


def workflow_lines() -> Iterator[list[str]]:
    """The command lines that the action makes of the example's inputs."""
    for job in load(EXAMPLES / "github.yml")["jobs"].values():
        for step in job["steps"]:
            inputs = step.get("with", {})
            if inputs.get("command") in COMMANDS:
                arguments = re.sub(r"\$\{\{[^}]+\}\}", "1", inputs.get("arguments", ""))
                yield [inputs["command"], *shlex.split(arguments), "--", "1"]


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


def check_schema(schema: str, file: Path) -> subprocess.CompletedProcess[str]:
    line = [str(TOOLS / "check-jsonschema"), "--builtin-schema", schema, str(file)]
    return subprocess.run(line, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_a_file_keeps_to_the_schema_of_its_ci(path: Path, tmp_path: Path) -> None:
    for number, part in enumerate(documents(path)):
        file = tmp_path / f"{number}.yml"
        file.write_text(part)
        done = check_schema(SCHEMAS[path], file)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_a_schema_sees_what_breaks_it(path: Path, tmp_path: Path) -> None:
    whole = documents(path)[-1]
    broken = whole.replace(*BREAKS[path.name])
    assert broken != whole
    (tmp_path / "broken.yml").write_text(broken)

    assert check_schema(SCHEMAS[path], tmp_path / "broken.yml").returncode == 1


def documents(path: Path) -> list[str]:
    """The YAML documents of a file; those of the component with its inputs, as GitLab checks them."""
    if path.name != "fleethands.yml":
        return [path.read_text()]
    return [path.read_text().partition("\n---\n")[0], yaml.safe_dump(component()[1])]


def test_all_shell_is_sound() -> None:
    for script in scripts():
        line = [str(TOOLS / "shellcheck"), "--shell=bash", "-"]
        done = subprocess.run(line, input=script + "\n", capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout


def test_no_shell_has_an_expression_of_github() -> None:
    """A branch or an input with shell code in its name would run as a command."""
    assert len(list(scripts())) > 6
    assert [script for script in scripts() if "${{" in script or "$[[" in script] == []


def test_no_python_imports_a_module_of_the_working_directory() -> None:
    """A pull request with a `shlex.py` would run in the step that has the private key in its environment."""
    calls = [line for script in scripts() for line in re.findall(r"python3?\"? (?=.*-[cm] ).*", script)]

    assert len(calls) > 6
    assert [line for line in calls if not re.match(r"python3?\"? -I ", line)] == []


def test_our_command_line_takes_the_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = [shlex.split(str(about["default"])) for name, about in component()[0].items() if "arguments" in name]
    lines = [words for script in scripts() for words in ours(script)]

    assert {parse(words) for words in [*lines, *workflow_lines()]} == COMMANDS
    assert parse(["plan", *arguments[0], "x"]) == "plan"
    assert parse(["apply", *arguments[1], "x"]) == "apply"
    for words in (["plan", "x", "--raport", "y"], ["report", "merge"], ["plna"]):
        with pytest.raises(click.UsageError):
            parse(words)


def test_the_examples_give_only_inputs_that_exist() -> None:
    inputs = load(ROOT / "action.yml")["inputs"]
    steps = [step for job in load(EXAMPLES / "github.yml")["jobs"].values() for step in job["steps"]]
    given = [step["with"] for step in steps if step.get("uses", "").startswith("ops/fleethands@")]

    assert len(given) == 4
    assert {name for each in given for name in each} <= inputs.keys()
    assert all(about["description"] for about in [*inputs.values(), *component()[0].values()] if "description" in about)


def test_nothing_installs_a_name_that_is_not_published() -> None:
    """fleethands is not on PyPI. Its name alone would install the package of someone else."""
    pages = [
        ROOT / "README.md",
        ROOT / "action.yml",
        *(ROOT / "templates").iterdir(),
        *(ROOT / "docs").rglob("*.[my]*"),
    ]
    name = re.compile(r"\b(?:pipx?|uv tool|uv pip) install\b[^\n`]*[ '\"]fleethands(?:[ =<>\[~'\"`]|$)", re.MULTILINE)
    wrong = [
        f"{page.name}: {found[0]}" for page in pages if page.is_file() for found in name.finditer(page.read_text())
    ]

    assert name.search("    pipx install fleethands==0.1.0")
    assert name.search("    pip install --quiet fleethands")
    assert wrong == []


def test_as_many_jobs_as_parts() -> None:
    document = load(EXAMPLES / "github.yml")

    assert document["jobs"]["apply"]["strategy"]["matrix"]["part"] == [*range(1, document["env"]["PARTS"] + 1)]
