"""Ctrl-C while hosts are only read: the report has what is known, and no host is asked again."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.checkout import ROOT

DEPLOY = """
import gevent
from pyinfra import host

gevent.sleep(60 if host.name == "@fake/slow" else 0)
print(host.name)
"""
INVENTORY = "hosts = [('@fake/quick', {'fake_delay': 0}), ('@fake/slow', {'fake_delay': 0})]\n"
RUN = """
from contextlib import suppress
from pathlib import Path

import gevent

from fleethands.rollout import build_report
from fleethands.engine.engine import Engine

engine = Engine.load("inventory.py", Path.cwd(), {"models": ["m:1"]})
engine.settings()
gevent.spawn_later(3, gevent.kill, gevent.getcurrent(), KeyboardInterrupt)
with suppress(KeyboardInterrupt):
    engine.connect_and_plan()
report = build_report.interrupted_read_report(engine, "plan", engine.probed)
print({name: host.status for name, host in report.hosts.items()}, report.result, report.error)
print(len([each for each in engine._pool.greenlets if not each.dead]))
engine.close()
"""


def test_hosts_that_had_answered_are_told_and_the_others_named(tmp_path: Path) -> None:
    (tmp_path / "deploy.py").write_text(DEPLOY)
    (tmp_path / "inventory.py").write_text(INVENTORY)

    done = subprocess.run(
        [sys.executable, "-c", RUN], cwd=tmp_path, capture_output=True, text=True, timeout=50, check=False
    )

    assert done.stderr == ""
    statuses = {"@fake/quick": "unchanged", "@fake/slow": "not-run"}
    assert done.stdout.splitlines() == ["@fake/quick", f"{statuses} interrupted interrupted", "0"]


@pytest.mark.parametrize("command", ["plan", "status", "verify"])
def test_ctrl_c_while_a_host_is_reached_leaves_table_and_document(tmp_path: Path, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:  # takes a connection, and never says what it is
        mute.settimeout(60)
        name = f"root@127.0.0.1:{mute.getsockname()[1]}"
        program = "from fleethands.cli.main import main; main()"
        words = [command, name, "--data", 'models=["m:1"]', "--report", str(tmp_path)]
        process = subprocess.Popen(
            [sys.executable, "-c", program, *words],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with mute.accept()[0]:
            process.send_signal(signal.SIGINT)
            shown, said = process.communicate(timeout=60)

    assert process.returncode == 130, said
    assert "interrupted before the host answered" in shown
    assert said == "error: interrupted\n\nhint: nothing was changed: run the command again\n"
    document = json.loads((tmp_path / "report.json").read_text())
    assert (document["result"], document["error"]) == ("interrupted", "interrupted")
    assert document["hosts"][name]["status"] == "not-run"
