"""The plan of real hosts is the same for every kind of inventory."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.lab.fleet import FLEETHANDS, ROOT
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.shell import run

PYINFRA = """
gpu = (
    [("lab-1", {{"ssh_hostname": "{one}"}}), ("lab-2", {{"ssh_hostname": "{two}"}})],
    {{"models": ["codellama:7b"], "openhands_image": "ghcr.io/all-hands-ai/openhands:main"}},
)
cpu = ([("lab-3", {{"ssh_hostname": "{three}"}})], {{"openhands_flavor": "off", "models": ["codellama:7b"]}})
edge = (["lab-2"], {{"ollama_keep_alive": "1h"}})
all = (["lab-1", "lab-2", "lab-3"], {{
    "ssh_user": "root", "ssh_key": "{key}", "ssh_known_hosts_file": "{known}", "ollama_version": "0.24.0",
}})
"""
ANSIBLE = """
[gpu]
lab-1 ansible_host={one}
lab-2 ansible_host={two}

[cpu]
lab-3 ansible_host={three}

[edge]
lab-2

[edge:vars]
ollama_keep_alive=1h

[all:vars]
ansible_user=root
ansible_ssh_private_key_file={key}
ansible_ssh_common_args=-o UserKnownHostsFile={known} -o StrictHostKeyChecking=no -o ControlMaster=auto
"""
GROUP_VARS = {
    "group_vars/all.yml": "ollama_version: 0.24.0\nmodels: ['codellama:7b']\n",
    "group_vars/cpu/fleet.yml": "openhands_flavor: 'off'\nnginx_port: '{{ x }}'\n",
    "group_data/gpu.py": "openhands_image = 'ghcr.io/all-hands-ai/openhands:main'\n",
}
BEHIND = """
all:
  hosts:
    lab-1:
      ansible_ssh_common_args: -o ProxyJump=root@{three}
    lab-2:
      ansible_ssh_common_args: '-o ProxyCommand="ssh -i {key} -o UserKnownHostsFile={known} -W %h:%p -q root@{three}"'
  vars: {{ansible_user: root, models: ["codellama:7b"], openhands_flavor: "off"}}
"""


def plan(here: Path, *words: str) -> dict[str, Any]:
    """The document of a plan that is typed in a directory, by a user whose home is there, too."""
    line = [str(FLEETHANDS), "plan", *words, "--json"]
    done = run(*line, cwd=here, check=False, timeout=120, env={**os.environ, "HOME": str(here / "home")})
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def said(document: dict[str, Any]) -> dict[str, Any]:
    """Everything in a plan's report except its times, and the memory that is available at its moment."""
    made = {"seconds", "steps", "facts"}
    rows = {name: {key: host[key] for key in host.keys() - made} for name, host in document["hosts"].items()}
    same: dict[str, Any] = json.loads(re.sub(r"has [0-9.]+ GiB available", "has GiB available", json.dumps(rows)))
    return same


def laid(lab: Lab, here: Path) -> None:
    place = ROOT / os.environ["FLEETHANDS_LAB"]
    values = {name: lab[f"lab-{n}"].address for n, name in enumerate(("one", "two", "three"), 1)}
    values |= {"key": str(place / "id_ed25519"), "known": str(place / "known_hosts")}
    texts = {"fleet.py": PYINFRA, "hosts": ANSIBLE, "behind.yml": BEHIND}
    for name, text in {**{name: text.format(**values) for name, text in texts.items()}, **GROUP_VARS}.items():
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(text)
    ssh = here / "home/.ssh"
    ssh.mkdir(parents=True)
    (ssh / "known_hosts").write_text((place / "known_hosts").read_text())
    (ssh / "config").write_text(f"Host *\n    IdentityFile {values['key']}\n")


@pytest.mark.soak
def test_an_inventory_of_ansibles_has_the_plan_of_the_one_that_says_the_same(
    lab: Lab, clean: Host, tmp_path: Path
) -> None:
    laid(lab, tmp_path)

    of_pyinfra = plan(tmp_path, "fleet.py", "--hosts", "gpu")
    of_ansible = plan(tmp_path, "hosts", "--hosts", "gpu")
    others = plan(tmp_path, "hosts", "--exclude", "gpu")

    assert of_pyinfra["result"] == "pending", of_pyinfra
    assert set(of_pyinfra["hosts"]) == {"lab-1", "lab-2"}
    assert set(others["hosts"]) == {"lab-3"}
    assert all(host["changes"] for host in of_pyinfra["hosts"].values())
    assert said(of_ansible) == said(of_pyinfra)
    # by way of lab-3, where alone these names are known
    behind = plan(tmp_path, "behind.yml")["hosts"]
    assert [behind[name]["status"] for name in ("lab-1", "lab-2")] == ["pending", "pending"], behind
