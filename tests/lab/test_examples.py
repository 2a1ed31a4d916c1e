"""examples/own-deploy, and other deploy files that call the tasks, under pyinfra's own command on lab hosts."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.lab import fleet, observe
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.shell import run

EXAMPLE = fleet.ROOT / "examples/own-deploy"
# the names in the example belong to no machine
INVENTORY = """import runpy as _runpy

gpu = [host for host in _runpy.run_path({lab!r})["lab"] if host[0] in {hosts!r}]
"""
OWN = [
    "Create the agents' account",
    "Create the directory of backups",
    "Lower Ollama's priority",
    "Restart Ollama with it",
    "Wait for Ollama",
    "Greet who logs in",
]
# what a colleague's operation does to a host that is proven
DISTURB = "systemctl stop ollama; echo > /etc/systemd/system/ollama.service.d/50-fleethands.conf; rm -rf {models}"
MODELS = "/usr/share/ollama/.ollama/models/manifests"
DISTURBING = f"""
from pyinfra.operations import server
from fleethands.tasks import firewall, models, ollama, openhands, proof

firewall.close(_sudo=True)
server.shell(name="Disturb", commands=[{DISTURB.format(models=MODELS)!r}])
ollama.serve()
models.pull(_serial=True)
openhands.serve()
proof.prove()
"""


@dataclass(frozen=True)
class Deploy:
    """The example, copied, with the lab's hosts in its inventory."""

    place: Path

    @classmethod
    def copied(cls, place: Path, *hosts: str) -> Deploy:
        shutil.copytree(EXAMPLE, place)
        text = INVENTORY.format(lab=str(fleet.ROOT / "inventory/lab.py"), hosts=hosts)
        (place / "inventory.py").write_text(text)
        return cls(place)

    def run(self, *words: str, deploy: str = "deploy.py") -> dict[str, Any]:
        """What `pyinfra inventory.py deploy.py --json` says; it has to succeed."""
        command = [str(fleet.PYINFRA), "inventory.py", deploy, "--json", *words]
        environment = {"PYINFRA_PROGRESS": "off", "FLEETHANDS_LAB": os.environ["FLEETHANDS_LAB"]}
        done = run(*command, cwd=self.place, check=False, timeout=550, env=environment)
        assert done.returncode == 0, done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document


def changed(document: dict[str, Any], host: str) -> list[str]:
    """Operations that sent commands to a host, in their order."""
    return [row["names"][0] for row in document["results"]["operations"] if host in row["success"]]


@pytest.mark.soak
def test_the_example_brings_two_bare_hosts_to_a_proof_and_then_changes_nothing(lab: Lab, tmp_path: Path) -> None:
    lab.internet.clear_faults()
    hosts = {name: lab[name] for name in ("lab-1", "lab-2")}
    for host in hosts.values():
        host.restore("clean")
    deploy = Deploy.copied(tmp_path / "own", *hosts)

    first = deploy.run("-y")

    for name, host in hosts.items():
        order = changed(first, name)
        assert [each for each in order if each in OWN] == OWN, order
        assert order.index(OWN[1]) < order.index("Ollama | Serve this revision") < order.index(OWN[2])
        assert order.index(OWN[4]) < order.index("Models | Pull what is missing")
        assert order[-2:] == ["Proof | Get an answer to a prompt", OWN[5]]
        assert observe.proven(host)
        assert host.run("systemctl show ollama -p Nice --value").stdout == "5\n"
        assert host.run("stat -c %U /srv/workspace").stdout == "agents\n"
    before = {name: observe.identity(host) for name, host in hosts.items()}

    again, planned = deploy.run("-y"), deploy.run("--dry")

    assert {name: changed(again, name) for name in hosts} == {name: [] for name in hosts}
    assert [row["names"] for row in planned["plan"] if row["hosts_with_change"]] == []
    assert {name: observe.identity(host) for name, host in hosts.items()} == before
    disturb(deploy, hosts["lab-1"])


@pytest.mark.soak
def test_what_an_operation_in_between_destroys_is_repaired(converged: Host, tmp_path: Path) -> None:
    deploy = Deploy.copied(tmp_path / "own", "lab-1")
    (deploy.place / "group_data/gpu.py").unlink()  # the state of the fixture has the lab's settings
    disturb(deploy, converged)


def disturb(deploy: Deploy, host: Host) -> None:
    """The probe of a moment ago says that all is well; the operations see what is wrong now."""
    (deploy.place / "disturbing.py").write_text(DISTURBING)

    planned = deploy.run("--dry", deploy="disturbing.py")
    done = deploy.run("-y", deploy="disturbing.py")

    assert [row["names"] for row in planned["plan"] if row["hosts_with_change"]] == [["Disturb"]]
    order = changed(done, "lab-1")
    repaired = ["Ollama | Write the override", "Ollama | Serve this revision", "Models | Pull what is missing"]
    assert [each for each in order if each in repaired] == repaired, order
    assert (order[0], order[-1]) == ("Disturb", "Proof | Get an answer to a prompt")
    assert observe.proven(host)
