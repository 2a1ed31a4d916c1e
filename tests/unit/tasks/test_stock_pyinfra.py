"""Tasks of fleethands in other people's deploy files, under pyinfra's own command line, over a recorded probe."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.checkout import ROOT

# the connector @fake sends nothing; here it answers a probe with what a new Debian answered, and all else succeeds
PROGRAM = """
import re, sys, time
from pathlib import Path
sys.path.insert(0, ROOT)
from pyinfra_cli.main import main
from pyinfra.connectors.fake import FakeConnector
from pyinfra.connectors.util import CommandOutput, OutputLine
from fleethands.engine.pyinfra_patches import cache_operation_lookup
from tests.answers import sealed

cache_operation_lookup()  # finds the same lines, in a third of the time
RECORDED = Path(ROOT, "tests/fixtures/probe-bare-debian-13.txt").read_text()

def answer(self, command, *args, _stdin=None, **kwargs):
    found = re.search("@@[0-9a-f]{24}", str(_stdin))
    if not found:
        return True, CommandOutput([])
    lines = re.sub("^@@", found[0], RECORDED, flags=re.M).splitlines()
    lines = [f"clock {int(time.time())}" if line.startswith("clock ") else line for line in lines]
    at = lines.index(found[0] + " begin files") + 1
    lines[at:at + 1] = lines[at:at + 1] * len(re.search("files='(.*?)'", str(_stdin), re.S)[1].splitlines())
    return True, CommandOutput([OutputLine("stdout", line) for line in sealed([*lines, found[0] + " done"])])

FakeConnector.run_shell_command = answer
main()
"""
DATA = {"fake_delay": 0, "fake_delay_jitter": 0, "models": ["codellama:7b"], "ollama_version": "0.24.0"}
IMPORTS = """
from pyinfra import host
from pyinfra.api import deploy
from pyinfra.operations import server
from fleethands.tasks import docker, firewall, models, ollama, openhands, preflight, proof
"""


@dataclass
class Done:
    code: int
    out: str
    err: str

    @property
    def names(self) -> list[str]:
        """Names of all operations, in their order."""
        return [name for row in json.loads(self.out)["plan"] for name in row["names"]]

    @property
    def headings(self) -> list[str]:
        """What they begin with, without repetitions next to each other."""
        heads = [name.partition(" | ")[0] for name in self.names]
        return [head for head, before in zip(heads, ["", *heads], strict=False) if head != before]


def pyinfra(place: Path, deploy: str, *words: str, **data: Any) -> Done:
    """pyinfra on a deploy file for two hosts, of which the second has no OpenHands."""
    hosts = [("@fake/a", {**DATA, **data}), ("@fake/b", {**DATA, "openhands_flavor": "off", **data})]
    (place / "inventory.py").write_text(f"boxes = {hosts!r}\n")
    (place / "deploy.py").write_text(IMPORTS + deploy)
    program = PROGRAM.replace("ROOT", repr(str(ROOT)))
    command = [sys.executable, "-c", program, "inventory.py", "deploy.py", *(words or ("--dry", "--json"))]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=400, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


STEP = 'server.shell(name="Own step", commands=["true"])\n'


def test_what_a_task_needs_is_brought_along_once(tmp_path: Path) -> None:
    done = pyinfra(tmp_path, f"ollama.serve()\n{STEP}openhands.serve()\nproof.prove()\n")

    assert done.headings == [
        *("Preflight", "Docker", "Firewall", "Ollama", "Own step"),
        *("Models", "OpenHands", "Proof"),
    ]  # fmt: skip
    assert done.names.count("Preflight | Check this host") == 1


def test_a_task_in_a_wrong_place_comes_too_late_for_nothing(tmp_path: Path) -> None:
    done = pyinfra(tmp_path, "openhands.serve()\nfirewall.close()\npreflight.check()\n")

    assert done.headings[:6] == ["Preflight", "Docker", "Firewall", "Ollama", "Models", "OpenHands"]


def test_a_condition_counts_only_for_what_it_is_around(tmp_path: Path) -> None:
    """Where the condition is false, Docker is not installed; so the firewall brings it along without a condition."""
    done = pyinfra(tmp_path, "docker.install(_if=lambda: False)\nfirewall.close()\n")

    assert done.names.count("Docker | Run the engine") == 2


@pytest.mark.parametrize(
    "deploy",
    [
        "def wanted(): return True\nwith host.when(wanted):\n    docker.install()\n    firewall.close()\n",
        "@deploy('Stack')\ndef stack():\n    docker.install()\n    firewall.close()\nstack(_if=lambda: True)\n",
    ],
    ids=["when", "deploy"],
)
def test_conditions_around_several_tasks_bring_nothing_along_twice(tmp_path: Path, deploy: str) -> None:
    done = pyinfra(tmp_path, deploy)

    assert [name.count("Docker | Run the engine") for name in done.names].count(1) == 1


@pytest.mark.parametrize(
    "deploy",
    [
        f"firewall.close()\n{STEP}firewall.close()\n",
        f"for number in range(2):\n    firewall.close()\n    {STEP}",
        f"for number in host.loop(range(2)):\n    firewall.close()\n    {STEP}",
    ],
    ids=["twice", "for", "host.loop"],
)
def test_the_same_task_twice_keeps_its_place(tmp_path: Path, deploy: str) -> None:
    done = pyinfra(tmp_path, deploy)

    assert done.code == 0, done.err
    load = "Firewall | Load the rules"
    assert [name for name in done.names if name in {load, "Own step"}][:3] == [load, "Own step", load]
    assert done.names.count("Preflight | Check this host") == 1


def test_hosts_may_take_different_branches(tmp_path: Path) -> None:
    """Host a brings along at `openhands.serve()` what host b has called before; no operation has two names."""
    deploy = f"if host.name.endswith('b'):\n    preflight.check()\n    docker.install()\n{STEP}ollama.serve()\n{STEP}"

    done = pyinfra(
        tmp_path, deploy + "if host.name.endswith('a'):\n    openhands.serve()\nproof.prove()\n", "-y", "--json"
    )

    rows = json.loads(done.out)["results"]["operations"]
    assert done.code == 0, done.err
    assert all(len(row["names"]) == 1 for row in rows)
    for each in ("@fake/a", "@fake/b"):
        ran = [row["names"][0] for row in rows if each in {*row["success"], *row["no_change"]}]
        assert ran.index("Preflight | Check this host") < ran.index("Firewall | Load the rules"), ran
        assert ran[-1] == "Proof | Get an answer to a prompt"


def test_a_dry_run_says_what_it_cannot_know(tmp_path: Path) -> None:
    done = pyinfra(tmp_path, f"preflight.check()\n{STEP}{STEP.replace('Own', 'Other')}docker.install()\n", "--dry")

    note = "note: the plan cannot tell what `Own step`, `Other step` changes; the run reads this host again after it"
    assert done.err.count(note) == 2, done.err  # once a host


def test_a_refusal_of_a_dry_run_names_what_may_help(tmp_path: Path) -> None:
    done = pyinfra(tmp_path, f"{STEP}preflight.check()\n", "--dry", gpu=True)

    assert "hint: `Own step` runs before: if it removes the cause, the run decides again after it" in done.err


def test_an_argument_that_cannot_work_ends_the_run_before_it_begins(tmp_path: Path) -> None:
    done = pyinfra(tmp_path, f"{STEP}ollama.serve(_run_once=True)\n", "-y")

    assert done.code == 1
    assert "`ollama.serve` does not take `_run_once`: all other hosts would stay without it" in done.err
    assert "Success" not in done.err  # nothing ran


def test_keys_of_other_people_are_no_mistakes(tmp_path: Path) -> None:
    foreign = {
        "ollama_backup_dir": "/srv/backup",
        "openhands_domain": "agents.example",
        "models_bucket": "b",
        "rack": 4,
    }

    assert pyinfra(tmp_path, "preflight.check()\n", **foreign).code == 0
    done = pyinfra(tmp_path, "preflight.check()\n", ollama_verison="0.24.0")
    assert done.code == 1
    assert "`ollama_verison`: no such setting, nearest is `ollama_version`, got `0.24.0`" in done.err
