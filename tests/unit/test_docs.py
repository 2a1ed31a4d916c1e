"""What the documents say is what the code says."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from fleethands.cli.interface import cli
from fleethands.cli.reference import page as commands_page
from fleethands.settings import HostSettings, read_fleet
from fleethands.settings.docs.example import inventory
from fleethands.settings.docs.reference import page
from fleethands.settings.host import Model
from fleethands.settings.schema import ollama_env
from fleethands.settings.schema.describe import about
from tests.helpers.checkout import ROOT
from tests.lab import attacks
from tests.lab.attacks.__main__ import page as attacks_page
from tests.lab.zoo import STATES
from tests.lab.zoo.__main__ import page as hosts_page

KEYS = list(HostSettings.model_fields)


def test_the_reference_of_settings_is_current() -> None:
    assert (ROOT / "docs/reference/settings.md").read_text() == page(), "run `make docs`"


def test_the_reference_of_commands_is_current() -> None:
    assert (ROOT / "docs/reference/cli.md").read_text() == commands_page(), "run `make docs`"


def test_the_table_of_attacks_is_current() -> None:
    assert (ROOT / "docs/reference/attacks.md").read_text() == attacks_page(), "run `make docs`"


def test_the_table_of_hosts_is_current() -> None:
    assert (ROOT / "docs/reference/hosts.md").read_text() == hosts_page(), "run `make docs`"


def test_every_state_of_a_host_has_a_name_of_its_own() -> None:
    names = [state.name for state in STATES]

    assert sorted({*names}) == sorted(names)
    assert sum(state.sample for state in STATES) <= 9, "`make test` has no time for more"


def test_every_finding_has_an_attack_or_is_said_to_have_none() -> None:
    """Each promise of security.md names a test, and each test that it names exists."""
    text = (ROOT / "docs/security.md").read_text()
    findings = {f"F{number}" for number in range(1, 15)} | {f"L{number}" for number in range(1, 13)}
    tried = {finding for each in attacks.ATTACKS for finding in each.finding.split()}
    elsewhere = set(re.findall(r"\(([FL]\d+)\)", text))

    assert findings - tried - elsewhere == set()
    assert elsewhere & tried == set()


def test_every_test_that_the_security_page_names_is_there() -> None:
    text = (ROOT / "docs/security.md").read_text()
    names = {each.name for each in attacks.ATTACKS}
    named = set(re.findall(r"`attack ([a-z0-9-]+)`", text))
    files = re.findall(r"`(tests/[a-z_/]+\.py)`", text)

    assert named - names == set()
    assert [file for file in files if not (ROOT / file).is_file()] == []
    assert len({each.name for each in attacks.ATTACKS}) == len(attacks.ATTACKS)


def test_the_example_inventory_is_current() -> None:
    assert (ROOT / "inventory/example.py").read_text() == inventory(), "run `make docs`"


@pytest.mark.parametrize("key", KEYS)
def test_every_setting_says_all_there_is_to_say(key: str) -> None:
    said = about(HostSettings.model_fields[key])
    row = next(line for line in page().splitlines() if line.startswith(f"| `{key}` |"))

    assert said.meaning in row
    assert said.why in row
    assert "| None |" not in row
    assert [said.meaning, said.form, said.why] == [
        text.strip().rstrip(".") for text in (said.meaning, said.form, said.why)
    ]


@pytest.mark.parametrize("key", KEYS)
def test_every_example_is_right_and_is_not_the_default(key: str) -> None:
    example = about(HostSettings.model_fields[key]).example

    assert getattr(HostSettings(**{key: example}), key) != getattr(HostSettings(), key)


@pytest.mark.parametrize("key", Model.model_fields)
def test_every_example_of_a_models_key_is_right(key: str) -> None:
    assert Model(**{"name": "m", key: about(Model.model_fields[key]).example})


@pytest.mark.parametrize("name", ollama_env.VARIABLES)
def test_every_variable_says_what_it_does(name: str) -> None:
    variable = ollama_env.VARIABLES[name]

    assert f"| `{name}` | {variable.kind} |" in page()
    assert f"| {variable.meaning} |" in page()


def test_the_example_inventories_are_right() -> None:
    for name in ("example", "local"):
        groups = runpy.run_path(str(ROOT / f"inventory/{name}.py"))
        hosts = groups["gpu"][0] if name == "example" else [host for host, _ in groups["local"]]
        data = groups["gpu"][1] if name == "example" else groups["local"][0][1]
        assert read_fleet(dict.fromkeys(hosts, data))


def test_every_command_is_documented() -> None:
    text = (ROOT / "docs/reference/commands.md").read_text()
    assert [name for name in cli.commands if f"| `fleethands {name} " not in text] == []


def test_every_key_of_the_example_stands_there_at_its_default(tmp_path: Path) -> None:
    whole = re.sub(r'^        # ("[a-z0-9_]+": .*,)$', r"        \1", inventory(), flags=re.MULTILINE)
    (tmp_path / "whole.py").write_text(whole)
    data = runpy.run_path(str(tmp_path / "whole.py"))["gpu"][1]

    assert set(KEYS) == {key for key in data if not key.startswith("ssh_")}
    assert read_fleet({"a": data}) == read_fleet({"a": {"models": ["codellama:7b"]}})
