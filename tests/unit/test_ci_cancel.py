"""A cancelled job of GitHub sends SIGINT to the shell of the action's step."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import yaml

from tests.helpers.checkout import ROOT


def script() -> str:
    """The shell of the step that runs fleethands."""
    (step,) = [
        each for each in yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"] if each.get("id") == "run"
    ]
    found: str = step["run"]
    return found


def test_a_cancelled_job_writes_its_report_and_its_outputs(tmp_path: Path) -> None:
    (tmp_path / "fleethands").mkdir()
    (tmp_path / "fleethands/bin").symlink_to(Path(sys.executable).parent)
    silent = socket.create_server(("127.0.0.1", 0))
    host = {"ssh_hostname": "127.0.0.1", "ssh_port": silent.getsockname()[1], "models": ["codellama:7b"]}
    (tmp_path / "fleet.py").write_text(f"gpu = [('gpu-1', {host!r})]\n")
    files = {"GITHUB_OUTPUT": str(tmp_path / "output"), "GITHUB_STEP_SUMMARY": str(tmp_path / "page")}
    inputs = {
        "COMMAND": "plan",
        "INVENTORY": "fleet.py",
        "ARGUMENTS": "--hosts 'gpu-*'",
        "REPORT": "report",
        "SSH_KEY": "",
    }
    step = subprocess.Popen(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script()],
        cwd=tmp_path,
        env={**os.environ, **files, **inputs, "RUNNER_TEMP": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    silent.settimeout(60)
    connection, _ = silent.accept()
    with connection:  # fleethands now waits for the host's first line
        step.send_signal(signal.SIGINT)
        output, _ = step.communicate(timeout=60)

    assert step.returncode == 130, output
    outputs = dict(line.split("=", 1) for line in (tmp_path / "output").read_text().splitlines())
    assert outputs == {
        "result": "interrupted",
        "exit-code": "130",
        "report": str(tmp_path / "report"),
        "summary": str(tmp_path / "report/summary.md"),
    }
    assert json.loads((tmp_path / "report/report.json").read_text())["result"] == "interrupted"
    assert "interrupted" in (tmp_path / "page").read_text()
