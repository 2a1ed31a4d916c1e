"""Inventories as people have them: pyinfra's with group_data, Ansible's, Terraform's, and all of them alike."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from fleethands.errors import UsageError
from fleethands.fleet.targets import resolve_target
from tests.helpers.checkout import FIXTURES, ROOT
from tests.helpers.command_line import fleethands
from tests.helpers.inventories import asked, laid, read

PYINFRA = """
gpu = (
    [
        ("gpu-1", {"ssh_hostname": "192.0.2.11", "ssh_port": 2222}),
        ("gpu-2", {"ssh_hostname": "192.0.2.12", "openhands_port": 3001}),
    ],
    {"models": [{"name": "codellama:7b", "preload": True}], "gpu": True},
)
cpu = (["cpu-1.example.net"], {"openhands_flavor": "off", "firewall": False})
edge = (["gpu-2"], {"ollama_keep_alive": "1h"})
all = (["gpu-1", "gpu-2", "cpu-1.example.net"], {
    "ssh_user": "root",
    "ssh_key": "~/.ssh/fleet",
    "ollama_version": "0.24.0",
    "ollama_env": {"OLLAMA_NUM_PARALLEL": 2},
    "models": ["tinyllama:1b"],
})
"""
INI = """
[gpu]
gpu-1 ansible_host=192.0.2.11 ansible_port=2222
gpu-2 ansible_host=192.0.2.12 openhands_port=3001

[gpu:vars]
gpu=true

[cpu]
cpu-[1:1].example.net

[edge]
gpu-2

[edge:vars]
ollama_keep_alive=1h

[all:vars]
ansible_user=root
ansible_ssh_private_key_file=~/.ssh/fleet
ollama_env={"OLLAMA_NUM_PARALLEL": 2}
"""
YAML = """
all:
  vars: {ansible_user: root, ansible_ssh_private_key_file: ~/.ssh/fleet}
  children:
    gpu:
      hosts:
        gpu-1: {ansible_host: 192.0.2.11, ansible_port: 2222}
        gpu-2: {ansible_host: 192.0.2.12, openhands_port: 3001}
      vars: {gpu: yes}
    cpu:
      hosts:
        cpu-1.example.net:
    edge:
      hosts: gpu-2
      vars: {ollama_keep_alive: 1h}
"""
BESIDE = {
    "group_vars/all.yml": "ollama_version: 0.24.0\nollama_env:\n  OLLAMA_NUM_PARALLEL: 2\nnginx_port: 80\n",
    "group_vars/gpu/models.yml": "models:\n  - name: codellama:7b\n    preload: true\n",
    "group_vars/cpu": "---\nopenhands_flavor: 'off'\nfirewall: no\n",
    "group_data/all.py": "from os import environ\nmodels = ['tinyllama:1b']\n",
}


def test_an_inventory_of_ansibles_is_the_one_of_pyinfras_that_says_the_same(tmp_path: Path) -> None:
    names = {"ini/hosts.ini": INI, "yaml/hosts.yml": YAML, "plain/hosts": INI, "other/prod.hosts": YAML}
    for name, text in names.items():
        laid(tmp_path, {name: text, **{f"{Path(name).parent}/{each}": beside for each, beside in BESIDE.items()}})
    laid(tmp_path, {"fleet.py": PYINFRA})
    words = {
        "gpu": {"gpu-1", "gpu-2"},
        "cpu,edge": {"gpu-2", "cpu-1.example.net"},
        "all": {"gpu-1", "gpu-2", "cpu-1.example.net"},
    }
    targets = ["fleet.py", *names, "@ansible/plain/hosts"]

    found = read(tmp_path, *(asked(target, hosts) for hosts in words for target in targets))

    for hosts, meant in words.items():
        of_pyinfra, *others = [_but_groups(found.pop(0)) for _ in targets]
        assert set(of_pyinfra) == meant, hosts
        for target, each in zip(targets[1:], others, strict=True):
            assert each == of_pyinfra, (hosts, target)


def _but_groups(answer: dict[str, Any]) -> dict[str, Any]:
    """pyinfra has a group for the file, too."""
    assert "hosts" in answer, answer
    return {name: {key: each[key] for key in each if key != "groups"} for name, each in answer["hosts"].items()}


def test_group_data_counts_here_and_beside_the_inventory(tmp_path: Path) -> None:
    laid(
        tmp_path,
        {
            "inventories/prod.py": "gpu = ['a', ('b', {'openhands_port': 3005})]\n"
            "cpu = (['c'], {'openhands_port': 1})\n",
            "inventories/prod.ini": "[gpu]\na\nb openhands_port=3005\n[cpu]\nc\n[cpu:vars]\nopenhands_port=1\n",
            "group_data/all.py": "models = ['m:1']\nopenhands_port = 3001\nollama_version = '0.24.0'\n",
            "group_data/gpu.py": "from pyinfra import inventory\nopenhands_port = 3000 + len(inventory)\n"
            "ollama_keep_alive = '1h'\nssh_user = 'me'\n",
            "inventories/group_data/gpu.py": "ollama_keep_alive = '2h'\n",
            "inventories/group_data/cpu.py": "openhands_port = 3002\n",
        },
    )

    *found, words = read(tmp_path, *map(asked, ("inventories/prod.py", "inventories/prod.ini", "root@box")))

    for answer in found:
        hosts = _but_groups(answer)
        assert {name: each["openhands_port"] for name, each in hosts.items()} == {"a": 3003, "b": 3005, "c": 3002}
        assert [hosts[name]["ollama_keep_alive"] for name in "ab"] == ["2h", "2h"]
        assert [hosts[name].get("ssh_user") for name in "abc"] == ["me", "me", None]
    assert _but_groups(words)["root@box"]["openhands_port"] == 3001


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("models = [\n", "group_data/gpu.py, line 1: SyntaxError: '[' was never closed"),
        ("\nmodels = modles\n", "group_data/gpu.py, line 2: NameError: name 'modles' is not defined"),
        ("def f():\n    raise KeyError(1)\n\nf()\n", "group_data/gpu.py, line 2: KeyError: 1"),
    ],
)
def test_a_mistake_in_group_data_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    laid(tmp_path, {"in/prod.py": "gpu = ['a']\n", "in/prod.ini": "[gpu]\na\n", "group_data/gpu.py": text})

    for answer in read(tmp_path, asked("in/prod.py"), asked("in/prod.ini")):
        assert answer == {"error": said, "hints": ["fix `group_data/gpu.py`, then run the command again"]}


def test_group_data_of_a_group_that_is_almost_there_is_said(tmp_path: Path) -> None:
    laid(tmp_path, {"prod.py": "gpu_a = ['a']\ngpu_b = []\n", "hosts.ini": "[gpu-a]\na\n"})
    laid(tmp_path, {f"group_data/{name}.py": "models = ['m:1']\n" for name in ("all", "gpu_a", "gpu_aa", "staging")})

    of_pyinfra, of_ansible = read(tmp_path, asked("prod.py"), asked("hosts.ini"))

    assert of_pyinfra["warnings"] == ["group_data/gpu_aa.py: no host is in a group `gpu_aa`, nearest is `gpu_a`"]
    assert of_ansible["warnings"][0] == "group_data/gpu_a.py: no host is in a group `gpu_a`, nearest is `gpu-a`"


def test_settings_of_group_data_are_checked(tmp_path: Path) -> None:
    laid(tmp_path, {"prod.py": "gpu = ['a']\n", "group_data/gpu.py": "models = ['m:1']\nopenhands_prot = 1\n"})

    (answer,) = read(tmp_path, asked("prod.py"))

    assert "`openhands_prot`: no such setting, nearest is `openhands_port`" in answer["error"]


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["prod.py", "notes.yml"], "inventory/prod.py"),
        (["example.py", "hosts.yml"], "inventory/hosts.yml"),
        (["hosts.ini"], "inventory/hosts.ini"),
        (["a.ini", "b.yml"], None),
    ],
)
def test_the_one_inventory_of_this_directory_may_be_ansibles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: list[str], found: str | None
) -> None:
    monkeypatch.chdir(laid(tmp_path, {f"inventory/{name}": "" for name in names}))

    if found:
        assert resolve_target(None) == found
        return
    with pytest.raises(UsageError) as caught:
        resolve_target(None)
    assert caught.value.hints == (
        "name an inventory: `inventory/b.yml`, `inventory/a.ini`, or a host such as `root@box`",
    )


@pytest.mark.parametrize("target", ["inventory/host.yml", "@ansible/inventory/host.yml"])
def test_an_inventory_that_is_not_there_is_said_with_the_nearest(tmp_path: Path, target: str) -> None:
    laid(tmp_path, {"inventory/hosts.yml": "all:\n"})

    done = fleethands("plan", target, cwd=tmp_path)

    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr == f"error: there is no inventory `{target}`\n\nhint: nearest is `inventory/hosts.yml`\n"


def terraform(place: Path, output: str) -> dict[str, str]:
    """The environment in which a program of that name prints a record; pyinfra's connector is the real one."""
    text = "#!/bin/sh\n[ \"$*\" = 'output -json' ] && cat output.json\n"
    laid(place, {"bin/terraform": text, "output.json": output})
    (place / "bin/terraform").chmod(0o755)
    return {"PATH": f"{place}/bin:{os.environ['PATH']}"}


def test_hosts_of_terraform_come_by_pyinfras_connector(tmp_path: Path) -> None:
    environment = terraform(tmp_path, (FIXTURES / "terraform/output.json").read_text())
    laid(
        tmp_path,
        {
            "group_data/all.py": "models = ['m:1']\n",
            "group_data/cpu.py": "openhands_flavor = 'off'\n",
            "prod.py": "fleet = ['@terraform/fleethands.value']\n",
        },
    )

    whole, of_file, addresses, missing = read(
        tmp_path,
        asked("@terraform/fleethands.value"),
        asked("prod.py", "gpu,@terraform/c*"),
        asked("@terraform/gpu_addresses.value"),
        asked("@terraform/gone.value"),
        **environment,
    )

    found = _but_groups(whole)
    assert {name: (each["ssh_hostname"], each["ssh_user"]) for name, each in found.items()} == {
        "@terraform/cpu-1": ("192.0.2.21", "debian"),
        "@terraform/gpu-1": ("192.0.2.11", "root"),
        "@terraform/gpu-2": ("192.0.2.12", "root"),
    }
    assert found["@terraform/cpu-1"]["openhands_flavor"] == "off"
    assert _but_groups(of_file) == found
    assert [*_but_groups(addresses)] == ["@terraform/192.0.2.11", "@terraform/192.0.2.12"]
    assert "No Terraform output with key: `gone.value`" in missing["error"]


def test_the_page_shows_what_terraform_said() -> None:
    page = (ROOT / "docs/guides/inventories.md").read_text()
    values: Any = json.loads((FIXTURES / "terraform/output.json").read_text())["fleethands"]["value"]

    assert (FIXTURES / "terraform/main.tf").read_text().split("\n\n")[0] in page
    assert all(f'"{host["ssh_hostname"]}"' in page for hosts in values.values() for host in hosts)
