"""Whole inventories of Ansible, read up to the settings of each host."""

from __future__ import annotations

from pathlib import Path

from tests.helpers.inventories import asked, laid, read

YAML = """
all:
  hosts:
    a:
  children:
    gpu:
      hosts: {g1: , g2: }
      vars:
        models: ["{{ model }}"]
        ollama_env: {KEY: !vault "x"}
        openhands_workspace: !unsafe "/srv/{{x}}"
        openhands_port: 0
        ansible_host: "{{ lookup('x') }}"
    other:
      hosts: {win: }
      vars: {ansible_connection: winrm, models: "{{ x }}"}
"""


def test_what_only_ansible_can_read_hinders_the_hosts_that_are_meant(tmp_path: Path) -> None:
    vault = "$ANSIBLE_VAULT;1.1;AES256\n61\n"
    models = "models: [m:1]\nopenhands_flavor: 'off'\n"
    laid(tmp_path, {"hosts.yml": YAML, "host_vars/a.yml": models, "group_vars/gpu/vault.yml": vault})
    laid(tmp_path, {"group_vars/all.yml": "ollama_hots: 1\nollama_models: [x]\n"})

    here, gpu, given, right, win = read(
        tmp_path,
        asked("hosts.yml", "a"),
        asked("hosts.yml", "gpu"),
        asked("hosts.yml", "g1", ssh_hostname="192.0.2.1"),
        asked(
            "hosts.yml",
            "g1",
            ssh_hostname="192.0.2.1",
            models=["m:1"],
            ollama_env={},
            openhands_port=3001,
            ollama_hots=None,
        ),
        asked("hosts.yml", "all"),
    )

    assert "a: `ollama_hots`: no such setting, nearest is `ollama_host`" in here["error"]
    assert gpu["error"] == ("hosts.yml, line 13: `ansible_host`: a Jinja expression, which only Ansible can evaluate")
    assert gpu["hints"] == ["write the value itself there, or set it: `--data ssh_hostname=…`"]
    assert "g1: `models`: a Jinja expression, which only Ansible can evaluate (hosts.yml, line 9)" in given["error"]
    assert "g1: `ollama_env`: encrypted by Ansible's vault, and not read (hosts.yml, line 10)" in given["error"]
    assert "g1: `openhands_port`: expected a port from 1 to 65535, got `0` (hosts.yml, line 12)" in given["error"]
    assert given["error"].count("`models`") == 1
    assert right["error"].startswith("error: g1: `ollama_hots`: no such setting")
    assert "hosts.yml, line 16: `ansible_connection`: expected `ssh` or `local`, got `winrm`" in win["error"]


def test_what_is_not_read_is_said_beside(tmp_path: Path) -> None:
    laid(tmp_path, {"hosts.ini": "[gpu]\na\nhere ansible_connection=local\n", "group_vars/all": "models: [m:1]\n"})
    laid(tmp_path, {"host_vars/a/vault.yml": "$ANSIBLE_VAULT;1.1;AES256\n61\n", "host_vars/a/x.yml": "ollama_dir: 1\n"})

    (found,) = read(tmp_path, asked("hosts.ini"))

    assert set(found["hosts"]) == {"a", "@local"}
    assert found["warnings"] == [
        "host_vars/a/x.yml, line 1: `ollama_dir` is left to Ansible: no such setting, nearest is `ollama_url`",
        "host_vars/a/vault.yml: encrypted by Ansible's vault, and not read",
    ]


def test_secrets_in_yaml_are_read_and_a_misspelled_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("hunter2\n")
    text = "gpu: {{hosts: {{a: {{models: [m], ollama_env: {{OLLAMA_API_KEY: {{{0}: key}}}}}}}}}}\n"
    laid(tmp_path, {"right.yml": text.format("secret_file"), "wrong.yml": text.format("secret_fiel")})

    right, wrong = read(tmp_path, asked("right.yml"), asked("wrong.yml"))

    assert right["hosts"]["a"]["ollama_env"] == {"OLLAMA_API_KEY": {"secret": "file", "place": "key"}}
    assert "`OLLAMA_API_KEY`: expected `secret_file`, got `secret_fiel` (wrong.yml, line 1)" in wrong["error"]
