"""A fleet at a glance: one row a host, then what differs from the declaration."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from fleethands.cli.tables import folded
from fleethands.facts import Probe, UnknownSection
from fleethands.facts.files import ABSENT
from fleethands.facts.gpu import MIB
from fleethands.facts.record import Record
from fleethands.operations.size import human
from fleethands.paths import PROOF, RECORD
from fleethands.rollout.report import BAD, HostReport, Report

WIDTH = 260
UNKNOWN = "unknown"
COLUMNS = ("host", "state", "Ollama", "models", "OpenHands", "GPU", "ports", "proven", "applied", "locked")


def lines(report: Report, words: str) -> Iterator[str]:
    """
    The whole overview, line by line.

    + words: target and options, as the next command takes them
    """
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in COLUMNS:
        table.add_column(column, overflow="fold")
    for name, host in sorted(report.hosts.items()):
        table.add_row(name, _state(host), *_facts(host))
    text = io.StringIO()
    Console(file=text, width=WIDTH, color_system=None).print(table)
    yield from (line.rstrip() for line in text.getvalue().splitlines())
    for names, host in folded(report):
        yield from _drift(names, host)
    yield ""
    yield _next(report, words)


def _state(host: HostReport) -> str:
    if host.status == "pending":
        return f"drift: {len(host.changes)}"
    return "as declared" if host.status == "unchanged" else host.status


def _facts(host: HostReport) -> list[str]:
    if host.seen is None:
        return ["" for _ in COLUMNS[2:]]
    return [_told(read, host.seen) for read in (_ollama, _models, _openhands, _gpu, _ports, _proven, _applied, _locked)]


def _told(read: Callable[[Probe], str], seen: Probe) -> str:
    try:
        return read(seen)
    except UnknownSection:
        return UNKNOWN


def _ollama(seen: Probe) -> str:
    return seen.ollama.version or ("stopped" if seen.releases else "none")


def _models(seen: Probe) -> str:
    return ", ".join(sorted(seen.models)) or "none"


def _openhands(seen: Probe) -> str:
    container = seen.docker.container
    return f"{container.state}, {container.tag}" if container else "none"


def _gpu(seen: Probe) -> str:
    if seen.gpu.devices:
        memory = sum(device.memory or 0 for device in seen.gpu.devices)
        return f"{len(seen.gpu.devices)} x {seen.gpu.devices[0].name}, {human(memory * MIB)}"
    return ", ".join(f"{each.vendor} {each.product}" for each in seen.gpu.pci) or "none"


def _ports(seen: Probe) -> str:
    return ", ".join(sorted({f"{each.address}:{each.port}" for each in seen.sockets})) or "none"


def _proven(seen: Probe) -> str:
    record = seen.files.get(PROOF, ABSENT)
    if record.kind != "file":
        return "no"
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(record.mtime))


def _applied(seen: Probe) -> str:
    record = Record.parse(seen.files.get(RECORD, ABSENT).content)
    return f"{record.when} by {record.by}" if record else "never"


def _locked(seen: Probe) -> str:
    by = seen.lock.by
    return f"by {by.who}: {by.reason}" if by else "no"


def _drift(names: list[str], host: HostReport) -> Iterator[str]:
    if host.status not in {*BAD, "pending"} and not host.notes:
        return
    yield ""
    yield f"{', '.join(names)}  {_state(host)}{': ' + host.reason if host.reason else ''}"
    yield from (f"  hint: {hint}" for hint in host.hints)
    for change in host.changes:
        yield f"  ~ {change.name}: {change.subject}: {change.before} -> {change.after}"
    yield from (f"  note: {note}" for note in host.notes)


def _next(report: Report, words: str) -> str:
    if any(host.status == "pending" for host in report.hosts.values()):
        return f"The differences, line by line: fleethands plan {words}"
    if report.result == "failed":
        return f"When the cause is gone, run: fleethands status {words}"
    return "As declared"
