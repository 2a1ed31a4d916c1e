"""A report as JUnit XML, for Jenkins, GitLab and others."""

from __future__ import annotations

import xml.etree.ElementTree as ET  # it only writes here
from collections.abc import Iterator
from dataclasses import dataclass

from fleethands import __version__
from fleethands.operations.core.proof_record import Link
from fleethands.operations.core.render_change import render_change
from fleethands.report.formats.wording import summarize_statuses
from fleethands.report.model import HostReport, Report, format_timestamp
from fleethands.text.sanitize import sanitize

FAILURES = ("failed", "rolled-back")
ERRORS = ("unreachable", "refused")  # nothing was tried, so nothing failed
SKIPPED = ("not-run",)
USED = ("apply", "verify", "rollback")  # commands that make a proof


@dataclass(frozen=True)
class _Case:
    """One test case. The verdict is failure, error, skipped, or empty for success."""

    group: str
    name: str
    seconds: float
    verdict: str = ""
    kind: str = ""
    message: str = ""
    text: str = ""
    said: str = ""


def render_junit(report: Report) -> str:
    """The whole document."""
    cases = [*_run(report), *_hosts(report)]
    figures = {
        "tests": str(len(cases)),
        "failures": str(sum(case.verdict == "failure" for case in cases)),
        "errors": str(sum(case.verdict == "error" for case in cases)),
        "skipped": str(sum(case.verdict == "skipped" for case in cases)),
        "time": f"{report.seconds:.3f}",
    }
    name = f"fleethands {report.command}"
    root = ET.Element("testsuites", {"name": name, **figures})
    by, _, machine = report.by.rpartition("@")
    where = {"timestamp": format_timestamp(report.started).removesuffix("Z"), "hostname": sanitize(machine)}
    suite = ET.SubElement(root, "testsuite", {"name": name, **figures, **where})
    _properties(suite, report, by)
    for case in cases:
        _add(suite, case)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _properties(suite: ET.Element, report: Report, by: str) -> None:
    found = {
        "result": report.result,
        "hosts": summarize_statuses(report),
        "words": report.words,
        "by": by,
        "shard": report.shard,
        "version": __version__,
    }
    properties = ET.SubElement(suite, "properties")
    for name, value in found.items():
        ET.SubElement(properties, "property", {"name": name, "value": sanitize(value)})


def _run(report: Report) -> Iterator[_Case]:
    """The run itself, if anything but a host stopped it."""
    if report.error or report.interrupted:
        kind = "interrupted" if report.interrupted else "error"
        message = report.error or "the run was interrupted"
        yield _Case(f"fleethands.{report.command}", "the run", 0, "error", kind, message, _hints(report.hints))


def _hosts(report: Report) -> Iterator[_Case]:
    for name, host in sorted(report.hosts.items()):
        yield _host(report, name, host)
        if report.command in USED:
            yield from (_link(name, link) for link in host.proof)


def _host(report: Report, name: str, host: HostReport) -> _Case:
    verdict = _verdict(report, host.status)
    reason = host.reason or (_drift(host) if verdict else "")
    told = [f"note: {note}" for note in host.notes]
    for change in host.changes:
        told += render_change(change.name, change.subject, change)
    why = "\n".join(part for part in (reason, _hints(host.hints), *host.log) if part)
    said = "\n".join(told)
    return _Case(f"fleethands.{report.command}", name, host.seconds, verdict, host.status, reason, why, said)


def _verdict(report: Report, status: str) -> str:
    if status in FAILURES or (report.command == "status" and status == "pending"):
        return "failure"
    return "error" if status in ERRORS else "skipped" if status in SKIPPED else ""


def _drift(host: HostReport) -> str:
    return f"{len(host.changes)} differences from its declaration" if host.changes else host.status


def _link(host: str, link: Link) -> _Case:
    if link.ok:
        return _Case(host, link.name, link.seconds, said=link.detail)
    hint = _hints([link.hint] if link.hint else [])
    return _Case(host, link.name, link.seconds, "failure", "broken", link.detail, f"{link.detail}\n{hint}".strip())


def _hints(hints: list[str]) -> str:
    return "\n".join(f"hint: {hint}" for hint in hints)


def _add(suite: ET.Element, case: _Case) -> None:
    element = ET.SubElement(
        suite,
        "testcase",
        {"classname": sanitize(case.group), "name": sanitize(case.name), "time": f"{case.seconds:.3f}"},
    )
    if case.verdict == "skipped":
        ET.SubElement(element, "skipped", {"message": sanitize(case.message or case.kind)})
    elif case.verdict:
        found = ET.SubElement(element, case.verdict, {"type": case.kind, "message": sanitize(case.message)})
        found.text = sanitize(case.text)
    if case.said:
        ET.SubElement(element, "system-out").text = sanitize(case.said)
