"""What is observed of each remote command; the connector below it is the test's own."""

from __future__ import annotations

import subprocess
from types import SimpleNamespace
from typing import Any

import gevent  # type: ignore[import-untyped]
import pytest
from paramiko import SSHException
from pyinfra.connectors.util import CommandOutput, OutputLine

from fleethands.command_line import CommandLine
from fleethands.engine.connection_monitor import ConnectionMonitor
from fleethands.engine.observed_connector import ObservedConnector
from fleethands.engine.progress import ProgressCallbacks
from fleethands.report.timeline import READ, Timeline
from fleethands.ssh.timeouts import Limits
from fleethands.streams import TooMuchOutput, read_output


class Host:
    """A connected host whose next command ends as a test says."""

    name = "gpu-1"

    def __init__(self, answer: Any, *, executing: bool = False) -> None:
        self.data: dict[str, Any] = {"ssh_user": "root"}
        self.connected, self.state = True, SimpleNamespace(is_executing=executing)
        self.connector = SimpleNamespace(run_shell_command=self._send, client=None)
        self.options: dict[str, Any] = {}
        self._answer = answer

    def _send(self, *_: Any, **options: Any) -> Any:
        self.options = options
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer() if callable(self._answer) else self._answer


def observed(host: Any, silence: float = 60) -> tuple[ConnectionMonitor, Timeline]:
    monitor, timeline = ConnectionMonitor(CommandLine("apply", "fleet.py"), Limits(silence=silence)), Timeline()
    ObservedConnector.attach(host, monitor, timeline)
    return monitor, timeline


def printed(*lines: str) -> CommandOutput:
    return CommandOutput([OutputLine("stderr", line) for line in lines])


def test_a_command_of_a_plan_is_counted_and_timed() -> None:
    host: Any = Host((True, printed()))
    monitor, timeline = observed(host)

    assert host.connector.run_shell_command("true", _timeout=5)[0] is True

    assert monitor.commands == {"gpu-1": 1}
    assert [(step.name, step.ok) for step in timeline.steps("gpu-1")] == [(READ, True)]
    assert host.options == {"_timeout": 5}


def test_progress_is_passed_on_with_the_host_whatever_its_name_and_what_it_prints() -> None:
    def printed_now() -> Any:
        command = (
            "echo '[other] progress: no'; echo '] progress: no'; echo 'progress: half'; echo 'progress: whole' >&2"
        )
        with subprocess.Popen(["sh", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            return True, read_output(process.stdout, process.stderr, 20, False, "")

    host: Any = Host(printed_now, executing=True)
    host.name = "odd] name"
    monitor, _ = observed(host)
    remarks: list[tuple[str, str]] = []
    listener: Any = SimpleNamespace(remark=lambda name, text: remarks.append((name, text)))
    monitor.progress = ProgressCallbacks(host.state, listener)

    _, output = host.connector.run_shell_command("true")

    assert sorted(remarks) == [("odd] name", "half"), ("odd] name", "whole")]
    assert output.output_lines == ["[other] progress: no", "] progress: no"]


def test_a_command_of_an_operation_is_counted_alone() -> None:
    host: Any = Host((False, printed("error: it broke")), executing=True)
    monitor, timeline = observed(host)

    host.connector.run_shell_command("true")

    assert (monitor.commands, timeline.steps("gpu-1"), monitor.probe_failures) == ({"gpu-1": 1}, [], {})


def test_a_probe_that_fails_gives_the_host_s_own_reason() -> None:
    host: Any = Host((False, printed("noise", "error: no sudo", "hint: add it")))
    monitor, _ = observed(host)

    host.connector.run_shell_command("true")

    assert monitor.probe_failures == {"gpu-1": ("no sudo", ["add it"])}


@pytest.mark.parametrize("error", [OSError("reset"), EOFError(), SSHException("gone"), TooMuchOutput("too much")])
def test_a_lost_connection_is_one_error_with_a_reason(error: Exception) -> None:
    host: Any = Host(error)
    monitor, timeline = observed(host)

    with pytest.raises(SSHException):
        host.connector.run_shell_command("true")

    assert monitor.lost_connections.keys() == {"gpu-1"}
    assert [step.ok for step in timeline.steps("gpu-1")] == [False]


@pytest.mark.parametrize(("silence", "timeout"), [(0.2, None), (60, 0.2)])
def test_a_command_that_takes_too_long_ends(silence: float, timeout: float | None) -> None:
    host: Any = Host(lambda: gevent.sleep(30))
    monitor, _ = observed(host, silence)

    with gevent.Timeout(10), pytest.raises(SSHException):
        host.connector.run_shell_command("true", _timeout=timeout)

    assert "200 ms" in monitor.lost_connections["gpu-1"][0]
