"""Sends the probe to a host, as one remote command."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyinfra.api import FactBase
from pyinfra.api.command import StringCommand
from pyinfra.api.host import Host

from fleethands import streams
from fleethands.facts.parse_probe import parse_probe
from fleethands.facts.probe import Probe
from fleethands.facts.probe_failure import explain_failure
from fleethands.facts.probe_request import ProbeRequest
from fleethands.script import SHELL

TIMEOUT = 120  # seconds for a whole probe: each of its parts has a limit of 5 to 20 s


class HostProbe(FactBase[list[str]]):
    """The raw answer of the probe. The script travels on stdin."""

    def command(self) -> StringCommand:
        return StringCommand(SHELL)

    def process(self, output: list[str]) -> list[str]:
        return output


def ask_host(host: Host, request: ProbeRequest) -> Probe:
    """
    Send a request to a host and read its answer.

    Raises ProbeFailed with the host's own message where it does not run the script, ProbeError for a damaged answer.
    """
    streams.patch_pyinfra()  # `pyinfra deploy.py` runs without fleethands' engine, and needs the limits too
    asked = time.time()
    lines = _run_script(host, request)
    return parse_probe(lines, request, (asked, time.time()))


def _run_script(host: Host, request: ProbeRequest) -> list[str]:
    with _collect_output(host, request.script) as output:
        # without _ignore_errors, pyinfra fails the host with a message of its own and hides the host's
        lines = host.get_fact(HostProbe, _stdin=request.script, _timeout=TIMEOUT, _ignore_errors=True)
    if lines is None or not any(line.startswith(request.mark) for line in lines):
        raise explain_failure(output, host)
    return list(lines)


@contextmanager
def _collect_output(host: Host, script: str) -> Iterator[list[str]]:
    """All lines that a host prints for a script; pyinfra drops them where the command fails."""
    send, lines = host.connector.run_shell_command, list[str]()

    def run_shell_command(*args: Any, **options: Any) -> Any:
        succeeded, output = send(*args, **options)
        if options.get("_stdin") == script:
            lines.extend(output.output_lines)
        return succeeded, output

    host.connector.run_shell_command = run_shell_command
    try:
        yield lines
    finally:
        host.connector.run_shell_command = send
