"""Inventories that are read without pyinfra are what pyinfra makes of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.checkout import ROOT
from tests.helpers.inventories import laid

BOTH = """
import json, sys
from fleethands.fleet.declared_hosts import declared_hosts
found = declared_hosts(sys.argv[1], json.loads(sys.argv[2]))
light = {"data": found.data, "groups": {name: sorted(set(hosts)) for name, hosts in found.groups.items() if hosts}}
early = sorted({"pyinfra", "paramiko", "gevent"} & set(sys.modules))
import pyinfra_cli
from fleethands.engine.selected_hosts import SelectedHosts
from fleethands.fleet.selection import ALL_HOSTS
whole = SelectedHosts.load(sys.argv[1], json.loads(sys.argv[2]), ALL_HOSTS).inventory
groups = {name: sorted({host.name for host in hosts}) for name, hosts in whole.groups.items() if hosts}
real = {"data": {host.name: host.data.dict() for host in whole}, "groups": groups}
for name, data in real["data"].items():
    if name.startswith(("@docker", "@ssh")):  # what a connector needs is no setting
        data.pop("docker_identifier", None), data.pop("ssh_hostname", None)
print(json.dumps([light, real, early], default=str))
"""
GROUPS = """
import os
from pathlib import Path as Somewhere
_hidden = ["no-host"]
text, number = "x", 3
gpu = (["gpu-1", ("gpu-2", {"models": ["own"], "rack": 2})], {"models": ["of-gpu"], "zone": "a"})
cpu = ["cpu-1", "gpu-1"]
wrong = [3]
edge = ([("gpu-2", {"rack": 3})], {"zone": "b", "models": ["of-edge"]})
"""
ALL = """
all = (["a", "b", ("c", {"x": 1})], {"x": 0, "y": [1, 2]})
some = (["b", "a"], {"y": 3})
hosts = ["a"]
"""
FILES = {
    "group_data/all.py": "from pathlib import Path\nimport os.path\nzone = 'all'\ncolor = 'red'\n",
    "group_data/gpu.py": "__all__ = ['models']\nmodels = ['from-group-data']\nleft_out = 1\n",
    "group_data/nothing.py": "models = ['for no host']\n",
}
PYINFRAS = "from pyinfra import inventory\ncount = len(inventory.get_group('gpu'))\n"
DOTTED = {
    "sub/hosts.v1.py": ALL,
    "sub/group_data/some.py": "y = 'near'\nz = 1\n",
    "group_data/some.py": "y = 'far'\nw = 2\n",
}


def both(place: Path, target: str, **data: Any) -> list[Any]:
    done = subprocess.run(
        [sys.executable, "-c", BOTH, target, json.dumps(data)],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("files", "target"),
    [
        ({"hosts.py": GROUPS}, "hosts.py"),
        ({"hosts.py": GROUPS, **FILES}, "hosts.py"),
        ({"hosts.py": ALL}, "hosts.py"),
        (DOTTED, "sub/hosts.v1.py"),
        ({"hosts.py": "from near import NAMES\nmine = NAMES\n", "near.py": "NAMES = ['a']\n"}, "hosts.py"),
        (
            {"hosts.py": "mine = ['@local', '@docker/debian:13', '@ssh/box']\n", "group_data/@local.py": "x = 1\n"},
            "hosts.py",
        ),
        ({"group_data/all.py": "x = 1\n"}, "root@box,root@[2001:db8::1]:22"),
        ({}, "@local"),
        ({"hosts.ini": "[gpu]\na x=1\n[gpu:vars]\nmodels=['m']\n", "group_data/gpu.py": "gpu = True\n"}, "hosts.ini"),
    ],
)
def test_hosts_and_data_are_those_of_pyinfra(tmp_path: Path, files: dict[str, str], target: str) -> None:
    light, real, early = both(laid(tmp_path, files), target, models=["typed"])

    assert light == real
    assert early == []


def test_a_file_of_group_data_may_ask_pyinfra_for_the_inventory(tmp_path: Path) -> None:
    light, real, early = both(laid(tmp_path, {"hosts.py": GROUPS, "group_data/cpu.py": PYINFRAS}), "hosts.py")

    assert light == real
    assert light["data"]["cpu-1"]["count"] == 2
    assert "pyinfra" in early
