"""`fleethands exec`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from fleethands.cli.errors import EXIT_FAILED, EXIT_INTERRUPTED
from fleethands.cli.optional_settings import read_optional_settings
from fleethands.cli.output.line_printer import LinePrinter, print_results
from fleethands.cli.output.report_writer import ReportWriter
from fleethands.cli.session import connect, open_hosts
from fleethands.everyday.command_result import DONE, CommandResult
from fleethands.everyday.fleet_command import FleetCommand, Job
from fleethands.everyday.host_command import OutputLimits
from fleethands.rollout.strategy import parse_duration

PARTS = ("run_command", "exec")


def run(writer: ReportWriter, words: Sequence[str], timeout: str) -> int:
    """
    Run a command on every host.

    + words: one word is a line for the host's shell; several words are passed as they are
    """
    line = words[0] if len(words) == 1 else shlex.join(words)
    limits = OutputLimits(timeout=parse_duration("--timeout", timeout))
    engine = open_hosts(writer)
    _, mask = read_optional_settings(engine)
    with closing(connect(engine)):
        jobs = {name: Job(name, PARTS, {"command": line}) for name in engine.names}
        printer = LinePrinter(jobs, mask, quiet=writer.as_json)
        command = FleetCommand(engine, jobs, printer.receive, limits, mask=mask)
        printer.on_closed = command.stop
        results = command.run()
    result = "interrupted" if command.interrupted else "done" if _are_done(results) else "failed"
    if writer.as_json:
        writer.print_json(_document(results, result, engine.monitor.commands))
    else:
        print_results(results)
    return {"done": 0, "failed": EXIT_FAILED, "interrupted": EXIT_INTERRUPTED}[result]


def _are_done(results: Mapping[str, CommandResult]) -> bool:
    return all(each.status == DONE for each in results.values())


def _document(results: Mapping[str, CommandResult], result: str, commands: Mapping[str, int]) -> dict[str, Any]:
    hosts = {
        name: {**each.to_json(), "remote_commands": commands.get(name, 0)} for name, each in sorted(results.items())
    }
    return {"schema": 1, "command": "exec", "result": result, "hosts": hosts}
