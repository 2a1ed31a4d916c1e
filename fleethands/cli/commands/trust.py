"""`fleethands trust`."""

from __future__ import annotations

import sys
from typing import Any

import click

from fleethands.cli.errors import EXIT_FAILED, print_problem
from fleethands.cli.output.report_writer import ReportWriter
from fleethands.cli.session import open_hosts
from fleethands.command_line import CommandLine
from fleethands.errors import FleethandsError, Problem, UsageError
from fleethands.ssh.diagnosis import explain_refused_key
from fleethands.ssh.host_keys import HostKeyCheck, check_host_keys, line_fingerprint
from fleethands.ssh.known_hosts import append_keys

FAILED = {"changed", "revoked", "unreachable", "failed"}


def run(writer: ReportWriter) -> int:
    yes = writer.line.yes
    if not yes and (writer.as_json or not sys.stdin.isatty()):
        raise UsageError("cannot ask whether the keys are right", "to accept them without comparing: add `--yes`")
    keys = check_host_keys(open_hosts(writer).hosts)
    if not writer.as_json:
        _show(keys, writer.line)
    new = [each for each in keys if each.status == "new"]
    if new and not yes and not click.confirm(f"Write {_count(new)} to {_files(new)}?", err=True):
        raise FleethandsError("not confirmed, nothing was written")
    _write(new)
    has_failed = any(each.status in FAILED for each in keys)
    if writer.as_json:
        writer.print_json(_document(keys))
    else:
        if new:
            click.echo(f"{_count(new)} written to {_files(new)}")
        click.echo(f"\n{_next(writer.line, has_failed=has_failed)}")
    return EXIT_FAILED if has_failed else 0


def _next(line: CommandLine, *, has_failed: bool) -> str:
    return f"Fix the cause, then run: {line.fleet}" if has_failed else f"Run: {line.for_command('plan')}"


def _show(keys: list[HostKeyCheck], line: CommandLine) -> None:
    width = max(len(each.host) for each in keys)
    for each in keys:
        click.echo(f"{each.host:<{width}}  {each.status:<11}  {each.fingerprint or each.reason}")
    if any(each.status == "new" for each in keys):
        click.echo("\nTo compare, on the host itself: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")
    for each in keys:
        if note := _note(each):
            click.echo(f"note: {each.host}: {note}")
    for each in keys:
        if problem := _problem(each, line.for_command("trust")):
            print_problem(Problem(f"{each.host}: {problem.message}", problem.hints))


def _note(each: HostKeyCheck) -> str:
    verdict = each.verdict if each.status == "new" else None
    if verdict is None or verdict.authority is None:
        return ""
    fault = f"its certificate {verdict.fault}" if verdict.fault else "it shows no certificate of the authority"
    return f"{fault} ({verdict.authority}): the key itself is what counts"


def _problem(each: HostKeyCheck, trust: CommandLine) -> Problem | None:
    """
    What is wrong with a host's key, if anything is.

    + trust: the command that writes the right key
    """
    if each.status in {"unreachable", "failed"}:
        return Problem(each.reason, each.hints)
    if each.status not in FAILED or each.place is None or each.verdict is None:
        return None
    reason, hints = explain_refused_key(f"`{trust}`", each.place.name, each.verdict)
    was = each.verdict.line
    if each.status == "changed" and was is not None:
        reason = f"its key changed: known is {line_fingerprint(was)}, {was}; shown is {each.fingerprint}"
    return Problem(reason, tuple(hints))


def _write(new: list[HostKeyCheck]) -> None:
    for path in sorted({each.place.known_hosts for each in new if each.place and each.place.known_hosts}):
        keys = [
            (each.place.name, each.key) for each in new if each.place and each.key and each.place.known_hosts == path
        ]
        try:
            append_keys(path, keys)
        except OSError as error:
            raise FleethandsError(
                f"cannot write {path}: {error.strerror}", f"look at it: `ls -ld {path.parent}`"
            ) from None


def _count(new: list[HostKeyCheck]) -> str:
    return f"{len(new)} key{'s' if len(new) != 1 else ''}"


def _files(new: list[HostKeyCheck]) -> str:
    return ", ".join(sorted({str(each.place.known_hosts) for each in new if each.place}))


def _document(keys: list[HostKeyCheck]) -> dict[str, Any]:
    has_failed = any(each.status in FAILED for each in keys)
    has_new = any(each.status == "new" for each in keys)
    return {
        "schema": 1,
        "command": "trust",
        "result": "failed" if has_failed else "changed" if has_new else "unchanged",
        "hosts": {each.host: _host_document(each) for each in keys},
    }


def _host_document(each: HostKeyCheck) -> dict[str, Any]:
    problem = _problem(each, CommandLine("trust", "TARGET")) or Problem(each.reason)
    return {
        "status": "written" if each.status == "new" else each.status,
        "reason": problem.message,
        "hints": list(problem.hints),
        "name": each.place.name if each.place else "",
        "known_hosts": str(each.place.known_hosts) if each.place and each.place.known_hosts else "",
        "fingerprint": each.fingerprint,
    }
