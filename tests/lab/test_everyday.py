"""`exec`, `logs`, `models` and `history` on real hosts."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.lab import fleet
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.many import QUIET
from tests.lab.measured import MOST, measured
from tests.lab.shell import run
from tests.lab.test_rogue import rogues

BOTH = "lab-[12]"
COLOR, WORD = re.compile(r"\x1b\[[0-9;]*m"), re.compile(r"[A-Za-z]{5,}")
OPENHANDS_LOG = "docker logs openhands-app"
STUBBORN = "trap '' TERM; echo ready; sleep 4711.5"


@pytest.fixture
def hosts(lab: Lab, converged: Host, quiet_state: str) -> tuple[Host, Host]:
    """lab-1 with OpenHands V0, and lab-2 with Ollama alone."""
    lab["lab-2"].restore(quiet_state)
    return converged, lab["lab-2"]


def command(name: str, *words: str, hosts: str = BOTH) -> list[str]:
    return [str(fleet.FLEETHANDS), name, "inventory/lab.py", "--hosts", hosts, *words]


def document(name: str, *words: str, hosts: str = BOTH) -> tuple[int, dict[str, Any]]:
    """Exit code and document."""
    done = run(*command(name, "--json", *words, hosts=hosts), cwd=fleet.ROOT, check=False, timeout=300)
    found: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, found["hosts"]


def begin(name: str, *words: str, hosts: str = BOTH) -> subprocess.Popen[str]:
    """The command in the background, as leader of its own process group."""
    return subprocess.Popen(
        command(name, *words, hosts=hosts),
        cwd=fleet.ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def interrupt(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code and error output after Ctrl-C."""
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=120)
    return process.returncode, err


def until(process: subprocess.Popen[str], *words: str) -> None:
    """Read lines until each of these was in one. The deadline ends the process."""
    missing = set(words)
    assert process.stdout
    while missing and (line := process.stdout.readline()):
        missing -= {word for word in missing if word in line}
    assert not missing, process.communicate()


def test_exec_runs_everywhere_as_root_and_ctrl_c_ends_it(hosts: tuple[Host, Host]) -> None:
    code, found = document("exec", "--data", "ssh_user=admin", "--", "id -un; pwd; test $(hostname) = lab-1")

    assert code == 1
    assert {name: each["exit_code"] for name, each in found.items()} == {"lab-1": 0, "lab-2": 1}
    assert {each["stdout"] for each in found.values()} == {"root\n/root\n"}
    assert {each["remote_commands"] for each in found.values()} == {1}

    code, found = document("exec", "--data", "ssh_user=plain", "--", "true")
    assert (code, found["lab-1"]["exit_code"]) == (1, None)
    assert "plain is not root and has no passwordless sudo" in found["lab-1"]["reason"]

    process = begin("exec", "--data", "ssh_user=admin", "--", STUBBORN)
    until(process, "lab-1 | ready", "lab-2 | ready")
    code, err = interrupt(process)
    assert (code, "lab-1, lab-2: interrupted" in err) == (130, True)
    for host in hosts:
        assert host.run("pgrep -fx 'sleep 4711.5'", check=False).returncode == 1


def test_a_host_that_floods_costs_the_others_nothing(lab: Lab, quiet_state: str, tmp_path: Path) -> None:
    lab["lab-1"].restore(quiet_state)
    flooding = ["gigabytes", "short-lines", "endless-line", "past-the-window", "not-utf-8"]
    with rogues(tmp_path, lab["lab-1"], flooding, lab.site.access.config) as there:
        done = measured("exec", str(there.inventory), "--", "hostname")

    found = done.document["hosts"]
    assert (done.code, "Traceback" in done.said) == (1, False)
    assert found["lab-1"]["stdout"] == "lab-1\n"
    for name in flooding[:-1]:
        assert "and was given up" in found[name]["reason"], found[name]["reason"]
    assert "owned" in found["not-utf-8"]["reason"]
    assert done.memory < MOST
    assert not any(character < " " and character != "\n" for character in json.dumps(found, ensure_ascii=False))


def test_logs_are_found_where_they_are_and_followed(hosts: tuple[Host, Host]) -> None:
    printed = COLOR.sub("", hosts[0].run("docker logs --tail 5 openhands-app 2>&1").stdout)
    code, found = document("logs")

    assert code == 0, found
    one, two = found["lab-1"]["logs"], found["lab-2"]["logs"]
    assert (one["ollama"]["source"], one["openhands"]["source"]) == ("journalctl -u ollama.service", OPENHANDS_LOG)
    assert "ollama" in one["ollama"]["text"]
    assert set(WORD.findall(one["openhands"]["text"])) >= set(WORD.findall(printed)) != set()
    assert two["openhands"]["status"] == "absent"
    assert "OpenHands is not on this host" in two["openhands"]["reason"]

    process = begin("logs", "ollama", "-f", "--lines", "1")
    until(process, "lab-1 |", "lab-2 |")
    for host in hosts:
        host.run(f"curl -s localhost:11434/api/seen-on-{host.name}")
    until(process, "/api/seen-on-lab-1", "/api/seen-on-lab-2")
    assert interrupt(process)[0] == 0
    for host in hosts:
        assert host.run("pgrep -f 'journalctl.*--follow'", check=False).returncode == 1


def test_models_show_what_someone_else_pulled(hosts: tuple[Host, Host]) -> None:
    def models() -> dict[str, dict[str, Any]]:
        code, found = document("models")
        assert code == 0, found
        assert {each["remote_commands"] for each in found.values()} == {1}
        return found

    before = models()["lab-2"]
    hosts[1].run("ollama pull padded", timeout=120)
    after = models()

    assert [each["name"] for each in before["models"] if each["declared"]] == ["codellama:7b"]
    assert (before["unused_bytes"], before["unreferenced_bytes"]) == (0, 0)
    (pulled,) = (each for each in after["lab-2"]["models"] if each["unused"])
    assert pulled["name"] == "padded:latest"
    listed = hosts[1].run("ollama list").stdout.splitlines()
    assert pulled["digest"][:12] in next(line for line in listed if line.startswith("padded"))
    assert after["lab-2"]["total_bytes"] - before["total_bytes"] == after["lab-2"]["unused_bytes"] > 0
    assert not [each for each in after["lab-1"]["models"] if each["name"] == "padded:latest"]
    used = int(hosts[1].run("cat /usr/share/ollama/.ollama/models/blobs/* | wc -c").stdout)
    assert after["lab-2"]["total_bytes"] == used


def test_history_has_applies_and_rollbacks_and_what_differs(hosts: tuple[Host, Host]) -> None:
    assert fleet.fleethands("apply", hosts="lab-2", ollama_keep_alive="7m", **QUIET)[0] == 0
    assert fleet.fleethands("rollback", hosts="lab-2", **QUIET)[0] == 0

    code, found = document("history", "--diff", "2", "1")

    records = found["lab-2"]["records"]
    assert [each["record"] for each in records] == [1, 2, 3]
    assert len({each["run"] for each in records}) == 3
    assert sorted((each["time"] for each in records), reverse=True) == [each["time"] for each in records]
    assert found["lab-2"]["diff"] == [{"path": "ollama_keep_alive", "before": '"7m"', "after": None}]
    assert (code, found["lab-1"]["reason"]) == (1, "the host has no record 2: it has 1")
    assert {each["remote_commands"] for each in found.values()} == {1}
