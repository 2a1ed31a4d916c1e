"""What `fleethands status` reports: as declared, drifted, or unreachable."""

from __future__ import annotations

import json
import re

from tests.lab import fleet
from tests.lab.host import Host
from tests.lab.lab import Lab

PASSWORD = "hunter2"  # noqa: S105  what must not be seen


def test_a_host_as_declared(converged: Host) -> None:
    code, said = fleet.say("status")

    assert code == 0, said
    row = next(line for line in said.splitlines() if line.startswith("lab-1"))
    for word in ("as declared", "0.24.0", "codellama:7b", "running", "127.0.0.1:3000"):
        assert word in row
    assert said.endswith("All hosts are as the inventory describes\n")


def test_drift_is_named_and_exits_2(converged: Host) -> None:
    converged.run("ollama rm codellama:7b")

    code, said = fleet.say("status")

    assert code == 2
    assert "drift: 2" in said
    assert "  ~ Models | Pull what is missing: model codellama:7b: missing -> present" in said
    assert said.endswith("To see the differences line by line, run: fleethands plan inventory/lab.py --hosts lab-1\n")


def test_one_host_out_of_reach_exits_1_and_the_others_are_told(lab: Lab, converged: Host) -> None:
    lab["lab-3"].unplug()
    try:
        code, said = fleet.say("status", hosts="lab-[13]")
    finally:
        lab["lab-3"].plug()

    assert code == 1
    assert "as declared" in said
    # the kernel gives up by itself, or the connection's own limit ends first: by how long ago it last heard of the host
    unreachable = "lab-3  unreachable: no (SSH server answers at|answer from) "
    assert re.search(unreachable + re.escape(lab["lab-3"].address), said), said


def test_the_whole_of_it_is_one_document_without_secrets(converged: Host) -> None:
    mine = "/etc/systemd/system/ollama.service.d/10-mine.conf"
    converged.run(f"printf '[Service]\\nEnvironment=OLLAMA_API_KEY={PASSWORD}\\n' > {mine}")
    converged.run("systemctl daemon-reload; systemctl restart ollama")
    converged.run("until curl -fs localhost:11434/api/version; do sleep 0.05; done", timeout=30)

    _, said = fleet.say("status", "--json")

    facts = json.loads(said)["hosts"]["lab-1"]["facts"]
    assert facts["ollama"] == {"version": "0.24.0", "tools": False, "context": 131072, "in_vram": [], "way": None}
    assert list(facts["models"]) == ["codellama:7b"]
    assert facts["docker"]["container"]["state"] == "running"
    assert PASSWORD not in said
