"""What a run leaves behind says what hosts say, in each form; and no form holds a secret."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from fleethands.report.formats import NAMES
from tests.helpers.junit_rules import breaches
from tests.lab import fleet, observe
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.shell import run

HOSTS = ("lab-1", "lab-2", "lab-3")
OVERRIDE = "/etc/systemd/system/ollama.service.d"
PASSWORD = "hunter2-of-the-proxy"  # noqa: S105
TOKEN = "token%of \"openhands' &<own>"  # noqa: S105


class ReportFiles:
    """The four files that a run left."""

    def __init__(self, place: Path) -> None:
        self.texts = {name: (place / name).read_text() for name in (*NAMES, "summary.md")}
        self.document: dict[str, Any] = json.loads(self.texts["report.json"])

    @property
    def statuses(self) -> dict[str, str]:
        return {name: host["status"] for name, host in self.document["hosts"].items()}

    @property
    def verdicts(self) -> dict[str, list[str]]:
        """Host → its verdict as a CI reads it."""
        assert breaches(self.texts["junit.xml"]) == []
        cases = ET.fromstring(self.texts["junit.xml"]).iter("testcase")  # noqa: S314 (fleethands wrote it)
        own = (case for case in cases if case.get("classname") == f"fleethands.{self.document['command']}")
        return {str(case.get("name")): [each.tag for each in case if each.tag != "system-out"] for case in own}


def leave(place: Path, command: str, target: str, *words: str, timeout: float = 420) -> tuple[int, str, ReportFiles]:
    """Exit code, all output and all files of a run."""
    places = ["--report", str(place), "--summary", str(place / "summary.md")]
    yes = [] if command in fleet.READERS else ["--yes"]
    line = [str(fleet.FLEETHANDS), command, target, *yes, *places, *words]
    done = run(*line, cwd=fleet.ROOT, check=False, timeout=timeout)
    return done.returncode, done.stdout + done.stderr, ReportFiles(place)


@pytest.fixture
def three(lab: Lab, converged_state: str) -> Iterator[None]:
    """lab-1 lacks its override, lab-2 lacks nothing, lab-3 lacks it and can't get it."""
    lab.internet.clear_faults()
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda name: lab[name].restore(converged_state), HOSTS))
    for name in ("lab-1", "lab-3"):
        lab[name].run(f"rm {OVERRIDE}/50-fleethands.conf")
    lab["lab-3"].run(f"mount -t tmpfs -o ro,mode=755 none {OVERRIDE}")
    yield
    lab["lab-3"].run(f"umount {OVERRIDE}", check=False)


def test_four_files_say_what_three_hosts_say(lab: Lab, three: None, tmp_path: Path) -> None:
    code, said, left = leave(tmp_path / "first", "apply", "inventory/lab.py", "--no-rollback")
    lab["lab-3"].run(f"umount {OVERRIDE}")
    mended, _, _ = leave(tmp_path / "mended", "apply", "inventory/lab.py")
    again, _, empty = leave(tmp_path / "again", "apply", "inventory/lab.py")

    assert code == 1, said
    assert left.statuses == {"lab-1": "changed", "lab-2": "unchanged", "lab-3": "failed"}
    assert left.verdicts == {"lab-1": [], "lab-2": [], "lab-3": ["failure"]}
    _agrees(left, said)
    assert [link["link"] for link in left.document["hosts"]["lab-1"]["proof"]] == [*observe.LINKS, *observe.OUTSIDE]
    assert (mended, again) == (0, 0)
    assert empty.document["result"] == "unchanged"
    assert empty.verdicts == {name: [] for name in HOSTS}
    assert all(host["changes"] == [] and host["remote_commands"] == 1 for host in empty.document["hosts"].values())
    assert "Nothing to do: all 3 hosts are up to date" in empty.texts["report.html"]
    assert "Nothing to do: all 3 hosts are up to date" in empty.texts["summary.md"]
    assert all(observe.proven(lab[name]) for name in HOSTS)


def _agrees(left: ReportFiles, said: str) -> None:
    """Every form has the reason of the host that failed, and times that fit into the run."""
    failed = left.document["hosts"]["lab-3"]
    assert "Read-only file system" in "\n".join([failed["reason"], *failed["log"]]), failed
    for text in (said, left.texts["report.html"], left.texts["junit.xml"], left.texts["summary.md"]):
        assert "Ollama | Write the override" in text.replace("\\", "")
        assert "lab-3" in text
    for host in left.document["hosts"].values():
        assert host["steps"][0]["name"] == "Connect"
        assert 0 < sum(step["seconds"] for step in host["steps"]) <= host["seconds"] + 0.01
        assert host["seconds"] < left.document["seconds"]
    assert [step["ok"] for step in failed["steps"]][-1] is False


@pytest.mark.soak
def test_a_run_that_a_defect_ends_says_how_far_each_host_got(lab: Lab, three: None, tmp_path: Path) -> None:
    lab["lab-3"].run(f"umount {OVERRIDE}")
    break_it = "import fleethands.rollout.external_checks as outside; outside.run_external_checks = lambda *_: 1 // 0"
    words = ["apply", "inventory/lab.py", "--yes", "--canary", "lab-1", "--report", str(tmp_path / "r")]
    python = [str(fleet.FLEETHANDS.with_name("python")), "-c"]
    done = run(
        *python, f"{break_it}; from fleethands.cli.main import main; main()", *words, cwd=fleet.ROOT, check=False
    )
    again, _, left = leave(tmp_path / "again", "apply", "inventory/lab.py")

    document = json.loads((tmp_path / "r/report.json").read_text())
    assert done.returncode == 1
    assert document["error"].startswith("ZeroDivisionError")
    statuses = {name: host["status"] for name, host in document["hosts"].items()}
    assert statuses == {"lab-1": "changed", "lab-2": "unchanged", "lab-3": "not-run"}
    assert (again, left.statuses) == (0, {"lab-1": "unchanged", "lab-2": "unchanged", "lab-3": "changed"})


@pytest.fixture
def secretive(converged: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An inventory of lab-1 with a secret of Ollama's and one of OpenHands'."""
    (tmp_path / "token").write_text(TOKEN)
    monkeypatch.setenv("LAB_PROXY", f"http://ana:{PASSWORD}@127.0.0.1:9")
    (tmp_path / "fleet.py").write_text(
        "import runpy\n"
        "from fleethands.settings import Secret\n"
        "secrets = {'ollama_env': {'HTTPS_PROXY': Secret.env('LAB_PROXY')},\n"
        f"    'openhands_env': {{'LAB_TOKEN': Secret.file({str(tmp_path / 'token')!r})}}}}\n"
        f"hosts = runpy.run_path({str(fleet.ROOT / 'inventory/lab.py')!r})['lab']\n"
        "lab = [(name, {**data, **secrets}) for name, data in hosts if name == 'lab-1']\n"
        "del secrets, hosts\n"
    )
    return str(tmp_path / "fleet.py")


@pytest.mark.soak
def test_a_secret_is_nowhere_in_what_a_run_says_or_leaves(converged: Host, secretive: str, tmp_path: Path) -> None:
    missing = ("--data", 'models=["codellama:7b", "behind-the-proxy:1b"]', "--no-rollback")
    runs = {
        "plan": leave(tmp_path / "plan", "plan", secretive),
        "apply": leave(tmp_path / "apply", "apply", secretive),
        "status": leave(tmp_path / "status", "status", secretive, "--json"),
        "failing": leave(tmp_path / "failing", "apply", secretive, *missing),
        "again": leave(tmp_path / "again", "apply", secretive),
        "empty": leave(tmp_path / "empty", "plan", secretive),
    }

    assert {name: code for name, (code, _, _) in runs.items()} == {
        "plan": 2,
        "apply": 0,
        "status": 0,
        "failing": 1,
        "again": 0,
        "empty": 0,
    }, [said for _, said, _ in runs.values()]
    assert PASSWORD in converged.run("tr '\\0' '\\n' < /proc/$(pgrep -xo ollama)/environ").stdout  # it is really there
    assert TOKEN in converged.run("docker exec openhands-app printenv LAB_TOKEN").stdout
    for name, (_, said, left) in runs.items():
        for form, text in {"the output": said, **left.texts}.items():
            for secret in (PASSWORD, TOKEN, json.dumps(TOKEN)[1:-1], "hunter2"):
                assert secret not in text, (name, form)
