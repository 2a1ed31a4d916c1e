"""The JSON Schema accepts what the validators accept, and refuses wrong types and old names."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic import ValidationError

from fleethands.settings import HostSettings, Secret, SettingsError, read_fleet
from fleethands.settings.docs.json_schema import inventory_schema, settings_schema, to_json, variables_schema
from fleethands.settings.renamed import OLD_SETTINGS
from fleethands.settings.schema.describe import describe
from fleethands.settings.schema.models import Model
from fleethands.settings.values.yaml_secret import parse_secret
from tests.helpers.checkout import ROOT
from tests.helpers.command_line import fleethands
from tests.unit.settings.test_validation import FLEET

SCHEMA = settings_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
KEYS = list(HostSettings.model_fields)
ODD: list[Any] = [
    None,
    True,
    3,
    -1,
    1.5,
    "",
    "x y",
    "a\nb",
    [],
    [3],
    [None],
    {},
    {"a": 1},
    {"name": 3},
    [{"name": "m", "x": 1}],
]


def refused(data: Any) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(data)]


def accepts(key: str, value: Any) -> bool:
    """Whether the validator of this setting accepts a value from YAML."""
    try:
        HostSettings(**{key: value})
    except ValidationError:
        return False
    return True


def rows() -> Iterator[dict[str, Any]]:
    """Host data of the operation cases and of the host states."""
    for path in ("tests/cases/operations.yaml", "tests/lab/hosts.yaml"):
        for row in yaml.safe_load((ROOT / path).read_text()):
            if row.get("data"):
                yield {
                    key: value for key, value in row["data"].items() if not isinstance(value, str) or "{" not in value
                }


def examples() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{key: to_json(describe(HostSettings.model_fields[key]).example)} for key in KEYS]
    found += [{key: to_json(getattr(HostSettings(), key))} for key in KEYS]
    parts = Model.model_fields.items()
    return found + [{"models": [{"name": "m", key: to_json(describe(field).example)}]} for key, field in parts]


def test_every_schema_is_a_schema() -> None:
    for schema in (SCHEMA, inventory_schema(), variables_schema()):
        Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("data", examples(), ids=str)
def test_every_example_and_every_default_is_accepted(data: dict[str, Any]) -> None:
    assert refused(data) == []


def test_every_case_of_the_tests_that_the_validators_accept_is_accepted() -> None:
    accepted = 0
    for row in rows():
        try:
            read_fleet({"a": {"models": ["m"], **row}})
        except SettingsError:
            continue
        assert refused(row) == [], row
        accepted += 1
    assert accepted > 100


@pytest.mark.parametrize("key", KEYS)
def test_a_value_of_a_wrong_type_is_refused_and_a_right_one_is_not(key: str) -> None:
    texts = [value for value in ODD if isinstance(value, str)]
    for value in ODD:
        if accepts(key, value):
            assert refused({key: value}) == [], value
        elif value not in texts:
            assert refused({key: value}) != [], value


SAMPLES = [to_json(value) for key in KEYS for value in (describe(HostSettings.model_fields[key]).example,)]
PIECES = st.sampled_from(
    [*"/:.@-_[]*%", "::1", "10.0.0.0/8", "127.0.0.1", "0.24.0", "30m", "https://a", "a", "A", "sha256:"]
)
TEXTS = st.lists(PIECES, max_size=6).map("".join) | st.text(max_size=20)
SCALARS = (
    TEXTS | st.integers(-2, 2**17) | st.floats(allow_nan=False) | st.booleans() | st.none() | st.sampled_from(SAMPLES)
)
VALUES = (
    SCALARS
    | st.lists(SCALARS, max_size=2)
    | st.dictionaries(st.sampled_from(["name", "amd64", "A"]), SCALARS, max_size=2)
)


@given(VALUES)
def test_the_schema_accepts_every_value_that_a_validator_accepts(value: Any) -> None:
    for key in KEYS:
        if accepts(key, value):
            assert refused({key: value}) == []


VARIABLES = [
    "OLLAMA_NUM_PARALLEL",
    "OLLAMA_NOPRUNE",
    "OLLAMA_DEBUG",
    "OLLAMA_LOAD_TIMEOUT",
    "OLLAMA_NEW",
    "OLLAMA_HOST",
]
VARIABLES += ["CUDA_X", "HSA_OVERRIDE_GFX_VERSION_1", "GOGC", "HTTP_PROXY", "PATH", "LLM_MODEL", "FILE_STORE", "1X", ""]


@given(st.sampled_from(VARIABLES), SCALARS)
def test_the_schema_accepts_every_variable_that_a_validator_accepts(name: str, value: Any) -> None:
    for key in ("ollama_env", "openhands_env"):
        if accepts(key, {name: value}):
            assert refused({key: {name: value}}) == []


@pytest.mark.parametrize(
    ("key", "variables"),
    [
        ("ollama_env", {"OLLAMA_HOST": "x"}),
        ("ollama_env", {"HTTP_PROXY": "x"}),
        ("ollama_env", {"MY_OWN": "x"}),
        ("ollama_env", {"OLLAMA_NOPRUNE": "off"}),
        ("ollama_env", {"OLLAMA_MAX_QUEUE": -1}),
        ("ollama_env", {"OLLAMA_MAX_QUEUE": [1]}),
        ("openhands_env", {"LLM_MODEL": "m"}),
        ("openhands_env", {"1X": "y"}),
        ("openhands_env", {"TOKEN": True}),
        ("openhands_env", {"TOKEN": {"secret_evn": "T"}}),
        ("openhands_env", {"TOKEN": {"secret_env": "T", "secret_file": "t"}}),
    ],
)
def test_variables_that_the_validators_refuse_are_refused(key: str, variables: dict[str, Any]) -> None:
    assert not accepts(key, variables)
    assert refused({key: variables}) != []


@pytest.mark.parametrize(
    ("value", "secret"),
    [
        ({"secret_env": "TOKEN"}, Secret.env("TOKEN")),
        ({"secret_file": "~/token"}, Secret.file("~/token")),
        ({"secret_command": "pass show token"}, Secret.command("pass show token")),
        ({"secret_command": ["pass", "show", "a b"]}, Secret.command("pass show 'a b'")),
    ],
)
def test_a_secret_in_yaml_is_accepted_and_read(value: dict[str, Any], secret: Secret) -> None:
    assert refused({"openhands_env": {"TOKEN": value}, "ollama_env": {"OLLAMA_API_KEY": value}}) == []
    assert parse_secret(value) == secret


def test_old_names_are_refused_and_foreign_names_are_not() -> None:
    for name in OLD_SETTINGS:
        assert refused({name: "x"}) != []
    assert refused({"datacenter": "north", "ssh_user": "root", "_sudo": True, "ollama_backup_dir": "/srv"}) == []


def test_the_schema_finds_most_of_the_mistakes_of_a_fleet() -> None:
    """The rest follows from two settings, or needs a list such as that of system accounts."""
    namespace: dict[str, Any] = {}
    exec(FLEET, namespace)  # noqa: S102  the inventory of another test

    found = [(host, key) for host, data in namespace["boxes"] for key, value in data.items() if refused({key: value})]

    assert len(found) >= 18
    assert not {key for _, key in found} & {"ssh_user", "_sudo", "datacenter"}


INVENTORY = """
all:
  vars: {ansible_user: root, ntp_servers: [a, b]}
  hosts: {}
  children:
    gpu:
      hosts:
        gpu-[1:2].example.net:
        gpu-3: {ansible_host: 192.0.2.13, models: [codellama:7b, {name: m, preload: true}]}
      vars:
        ollama_env: {OLLAMA_API_KEY: {secret_command: op read op://fleet/key}}
"""


def check(tmp_path: Path, option: str, text: str) -> int:
    """The exit code of check-jsonschema, with the schema as the command prints it."""
    printed = fleethands("schema", option)
    assert printed.stderr == ""
    (tmp_path / "schema.json").write_text(printed.stdout)
    (tmp_path / "hosts.yml").write_text(text)
    words = ["-m", "check_jsonschema", "--schemafile", "schema.json", "hosts.yml"]
    return subprocess.run(
        [sys.executable, *words], cwd=tmp_path, capture_output=True, timeout=60, check=False
    ).returncode


def test_an_inventory_is_checked_by_a_foreign_program(tmp_path: Path) -> None:
    assert check(tmp_path, "--inventory", INVENTORY) == 0
    assert check(tmp_path, "--inventory", INVENTORY.replace("codellama:7b", "7")) == 1
    assert check(tmp_path, "--inventory", INVENTORY.replace("  vars: {a", "  var: {a")) == 1


def test_variables_of_a_group_are_checked_by_a_foreign_program(tmp_path: Path) -> None:
    assert check(tmp_path, "--group-vars", "models: [m]\nrole_users: [a]\n") == 0
    assert check(tmp_path, "--group-vars", "models: m\n") == 1
