"""`fleethands logs`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from fleethands.cli.errors import EXIT_FAILED, EXIT_INTERRUPTED
from fleethands.cli.optional_settings import read_optional_settings
from fleethands.cli.output.line_printer import LinePrinter, print_results
from fleethands.cli.output.report_writer import ReportWriter
from fleethands.cli.session import connect, open_hosts
from fleethands.errors import UsageError
from fleethands.everyday.command_result import ABSENT, BAD, INTERRUPTED, CommandResult
from fleethands.everyday.fleet_command import FleetCommand, Job
from fleethands.everyday.host_command import FOLLOW, OutputLimits
from fleethands.everyday.logs import LOGS, log_jobs
from fleethands.rollout.strategy import parse_duration
from fleethands.settings import HostSettings

LINES, LINES_SINCE = 100, 10_000
TIMEOUT = 120.0  # seconds to read a log


def run(writer: ReportWriter, log: str | None, follow: bool, since: str | None, lines: int | None) -> int:
    if follow and writer.as_json:
        raise UsageError("`--follow` has no end, and `--json` prints one document at the end", "leave out one of them")
    age = parse_duration("--since", since) if since is not None else None
    count = lines if lines is not None else LINES if since is None else LINES_SINCE
    engine = open_hosts(writer)
    settings, mask = read_optional_settings(engine)
    jobs = log_jobs(engine.names, [log] if log else LOGS, lines=count, since=age, follow=follow)
    elsewhere = _external(jobs, settings)
    if not writer.as_json:
        print_results(elsewhere)
    with closing(connect(engine)):
        jobs = {label: job for label, job in jobs.items() if label not in elsewhere}
        printer = LinePrinter(jobs, mask, quiet=writer.as_json)
        limits = FOLLOW if follow else OutputLimits(timeout=TIMEOUT)
        command = FleetCommand(engine, jobs, printer.receive, limits, None if writer.as_json else _print_end, mask)
        printer.on_closed = command.stop
        results = {**elsewhere, **command.run()}
    if writer.as_json:
        writer.print_json(_document(results, engine.names, log, engine.monitor.commands))
    if command.interrupted and not follow:
        return EXIT_INTERRUPTED
    return EXIT_FAILED if any(each.status in BAD for each in results.values()) else 0


def _external(jobs: Mapping[str, Job], settings: Mapping[str, HostSettings]) -> dict[str, CommandResult]:
    """The logs that are on another machine, because the host uses an external Ollama."""
    return {
        label: CommandResult(ABSENT, f"Ollama is external: its log is where {settings[job.host].ollama_client_url} is")
        for label, job in jobs.items()
        if job.values["log"] == "ollama" and job.host in settings and not settings[job.host].manages_ollama
    }


def _print_end(label: str, result: CommandResult) -> None:
    """A log that is read without trouble needs no comment."""
    if result.reason and result.status != INTERRUPTED:
        print_results({label: result})


def _document(
    results: Mapping[str, CommandResult], names: Sequence[str], log: str | None, commands: Mapping[str, int]
) -> dict[str, Any]:
    logs = [log] if log else LOGS
    hosts = {
        name: {
            "remote_commands": commands.get(name, 0),
            "logs": {each: _log(results[f"{name} {each}" if len(logs) > 1 else name]) for each in logs},
        }
        for name in names
    }
    bad = any(each.status in BAD for each in results.values())
    stopped = any(each.status == INTERRUPTED for each in results.values())
    result = "interrupted" if stopped else "failed" if bad else "done"
    return {"schema": 1, "command": "logs", "result": result, "hosts": hosts}


def _log(result: CommandResult) -> dict[str, Any]:
    return {
        "status": result.status,
        "reason": result.reason,
        "hints": list(result.hints),
        "source": result.source if result.status != ABSENT else "",
        "text": result.stdout.text,
        "truncated": result.stdout.is_truncated,
    }
