"""Files that earlier versions wrote are read by today's code, and old names of settings lead to today's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fleethands import paths
from fleethands.cli.interface import cli
from fleethands.cli.retry_failed import unfinished_hosts
from fleethands.command_line import CommandLine
from fleethands.facts import Probe
from fleethands.facts.files import File
from fleethands.facts.record import Record
from fleethands.fleet.ansible.own_variables import is_own_variable, is_relevant
from fleethands.operations.rollback import rollback
from fleethands.settings import HostSettings, Secret, SettingsError, read_fleet, renamed
from fleethands.settings.renamed import Removed
from fleethands.settings.serialize import to_json
from tests.helpers.command_line import fleethands
from tests.hosts import bare, declared

FIXTURES = Path(__file__).parents[1] / "fixtures" / "compatibility"
REPORT = FIXTURES / "report-281063c.json"
RECORDS = sorted(FIXTURES.glob("record-*.json"))


def test_the_report_of_an_earlier_version_is_shown() -> None:
    done = CliRunner().invoke(cli, ["report", "show", str(REPORT)])

    assert done.exit_code == 1, done.output
    assert "gpu-4" in done.stdout
    assert "Models | Pull what is missing: the registry has no model m:1" in done.stdout


def test_the_hosts_that_an_earlier_report_leaves_are_retried() -> None:
    left = unfinished_hosts(str(REPORT), CommandLine("apply", "inventory/prod.py"))

    assert left == {"gpu-4", "gpu-5", "gpu-6", "gpu-7", "gpu-8"}


def host(record: Path) -> Probe:
    return bare().with_file(paths.CURRENT_RECORD, File("file", "0600", content=record.read_bytes()))


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem)
def test_a_host_rolls_back_to_the_record_of_an_earlier_version(record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "hunter2")
    today = declared(openhands_env={"GITHUB_TOKEN": Secret.env("GITHUB_TOKEN")})

    found = rollback.find_target(today, host(record), "current")

    assert found.problem is None
    assert found.settings == EXPECTED[record.stem](today)


def expected(**data: Any) -> Any:
    return lambda today: declared(openhands_env=today.openhands_env, **data)


EXPECTED = {
    "record-281063c": expected(
        ollama_keep_alive="30m",
        models=["codellama:7b", {"name": "tiny:latest", "preload": True}],
        allow_from=["10.20.0.0/16"],
        ollama_env={"OLLAMA_NUM_PARALLEL": 2},
    ),
    "record-36482c6-container": expected(ollama_runtime="container", ollama_keep_alive="30m"),
    "record-36482c6-external": expected(ollama_runtime="external", ollama_address="http://10.0.0.5:11434"),
}


def test_every_record_of_an_earlier_version_is_tried() -> None:
    assert {path.stem for path in RECORDS} == set(EXPECTED)


def test_a_record_with_old_names_says_the_same_as_one_with_new_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the next proof starts no new record, and the previous record stays."""
    monkeypatch.setenv("GITHUB_TOKEN", "hunter2")
    record = Record.parse((FIXTURES / "record-36482c6-external.json").read_bytes())
    assert record is not None
    settings = declared(
        ollama_runtime="external",
        ollama_address="http://10.0.0.5:11434",
        openhands_env={"GITHUB_TOKEN": Secret.env("GITHUB_TOKEN")},
    )

    assert record.same_as(to_json(settings), record.versions)


def problems(data: dict[str, Any]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        read_fleet({"a": {"models": ["m"], **data}})
    return [str(each) for each in caught.value.mistakes]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            {"ollama_run": "container"},
            'a: `ollama_run`: renamed to `ollama_runtime`: write `"ollama_runtime": "container"` instead',
        ),
        (
            {"ollama_runtime": "external", "ollama_base_url": "http://10.0.0.5:11434"},
            "a: `ollama_base_url`: renamed to `ollama_address`: "
            'write `"ollama_address": "http://10.0.0.5:11434"` instead',
        ),
    ],
)
def test_an_old_name_is_an_error_with_the_line_to_write(data: dict[str, Any], said: str) -> None:
    assert problems(data) == [said]


def test_a_wrong_value_under_an_old_name_is_reported_at_the_same_time() -> None:
    assert problems({"ollama_run": "docker"}) == [
        'a: `ollama_run`: renamed to `ollama_runtime`: write `"ollama_runtime": "docker"` instead',
        "a: `ollama_runtime`: expected one of `service`, `container`, `external`, got `docker`",
    ]


def test_a_password_under_an_old_name_is_masked() -> None:
    text = "\n".join(problems({"ollama_run": "external", "ollama_base_url": "http://u:hunter2@10.0.0.5:11434"}))

    assert "hunter2" not in text
    assert '"ollama_address": "http://********@10.0.0.5:11434"' in text


def test_a_removed_setting_says_what_to_do_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(renamed.OLD_SETTINGS, "ollama_gone", Removed("use `ollama_env`"))

    assert problems({"ollama_gone": "x"}) == ["a: `ollama_gone`: removed: use `ollama_env`"]
    assert renamed.translate({"ollama_gone": "x", "firewall": True}) == {"firewall": True}


@pytest.mark.parametrize("name", renamed.OLD_SETTINGS)
def test_an_old_name_is_no_setting_and_its_new_name_is_one(name: str) -> None:
    assert name not in HostSettings.model_fields
    assert renamed.translate({name: "x"}).keys() <= HostSettings.model_fields.keys()


@pytest.mark.parametrize("name", renamed.OLD_SETTINGS)
def test_an_old_name_in_an_ansible_inventory_is_meant_for_fleethands(name: str) -> None:
    assert is_relevant(name)
    assert is_own_variable(name)


def test_the_new_name_wins_over_the_old_one() -> None:
    assert renamed.translate({"ollama_run": "container", "ollama_runtime": "service"}) == {"ollama_runtime": "service"}


INVENTORY = 'gpu = (["gpu-1"], {{"models": ["m"]{more}}})\n'
SOURCES: dict[str, tuple[dict[str, str], list[str], str]] = {
    "inventory": ({"prod.py": INVENTORY.format(more=', "ollama_run": "container"')}, ["prod.py"], ""),
    "group_data": (
        {"prod.py": INVENTORY.format(more=""), "group_data/gpu.py": 'ollama_run = "container"\n'},
        ["prod.py"],
        "",
    ),
    "--data": ({"prod.py": INVENTORY.format(more="")}, ["prod.py", "--data", "ollama_run=container"], ""),
    "Ansible": (
        {"hosts.yml": "all:\n  hosts:\n    gpu-1:\n      models: [m]\n      ollama_run: container\n"},
        ["hosts.yml"],
        " (hosts.yml, line 5)",
    ),
}


@pytest.mark.parametrize("source", SOURCES)
def test_an_old_name_is_an_error_wherever_settings_come_from(source: str, tmp_path: Path) -> None:
    files, words, place = SOURCES[source]
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    done = fleethands("plan", *words, cwd=tmp_path)

    said = 'gpu-1: `ollama_run`: renamed to `ollama_runtime`: write `"ollama_runtime": "container"` instead'
    assert done.returncode == 1
    assert f"error: {said}{place}\n" in done.stderr
