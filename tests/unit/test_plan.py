"""What `fleethands plan` prints for a new host: deploy.py, its tasks and their operations, over a recorded probe."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.helpers.checkout import ROOT

# the connector @fake sends nothing; here it answers a probe with what a new Debian answered
PROGRAM = """
import re, time
from pathlib import Path
from fleethands.cli.main import main
from pyinfra.connectors.fake import FakeConnector
from pyinfra.connectors.util import CommandOutput, OutputLine
from tests.answers import sealed

RECORDED = Path("tests/fixtures/probe-bare-debian-13.txt").read_text()

def answer(self, command, *args, _stdin=None, **kwargs):
    mark = re.search("@@[0-9a-f]{24}", str(_stdin))[0]
    lines = re.sub("^@@", mark, RECORDED, flags=re.M).splitlines()
    lines = [f"clock {int(time.time())}" if line.startswith("clock ") else line for line in lines]
    at = lines.index(mark + " begin files") + 1
    lines[at:at + 1] = lines[at:at + 1] * len(re.search("files='(.*?)'", str(_stdin), re.S)[1].splitlines())
    return True, CommandOutput([OutputLine("stdout", line) for line in sealed([*lines, mark + " done"])])

FakeConnector.run_shell_command = answer
main()
"""


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"openhands_flavor": "canvas", "allow_from": ["10.0.0.0/8"]},
        {"ollama_runtime": "container", "openhands_flavor": "off", "firewall": False},
    ],
    ids=["default", "canvas", "container"],
)
def test_a_plan_for_a_new_host(data: dict[str, object], tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    inventory = tmp_path / "fleet.py"
    data = {"models": ["codellama:7b"], "ollama_version": "0.24.0", **data}
    inventory.write_text(
        f"hosts = [(name, {{'fake_delay': 0, **{data}}}) for name in ('@fake/gpu-1', '@fake/gpu-2')]\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "plan", str(inventory)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 2, done.stdout + done.stderr
    assert without_contents(done.stdout).replace(str(tmp_path), "inventory") == snapshot


def without_contents(plan: str) -> str:
    """Without the diffs of files and their digests: other tests have what files contain."""
    return re.sub(r"\b([0-9a-f]{12}|[0-9a-f]{16})\b", "DIGEST", re.sub(r"^ {6}[-+@].*\n", "", plan, flags=re.M))
