"""A host at a glance: what serves there, what is loaded, when it was proven, who applied it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from fleethands import paths
from fleethands.facts import Probe, UnknownSection
from fleethands.facts.files import ABSENT
from fleethands.facts.gpu import MIB
from fleethands.facts.record import Record
from fleethands.operations.core.format_size import format_size
from fleethands.operations.core.ownership import HEADER
from fleethands.report.model import HostReport

UNKNOWN = "unknown"
COLUMNS = ("host", "state", "Ollama", "models", "OpenHands", "GPU", "ports", "proven", "applied", "locked")
BUILT = re.compile(rb"^ExecStart=\S*/([^/\s]+)/bin/serve ", re.MULTILINE)  # templates/openhands.service.j2


def status_cells(name: str, host: HostReport) -> list[str]:
    """A word or a line for each of COLUMNS; `unknown` for what could not be read, nothing where nobody was asked."""
    return [host.mask.text(cell) for cell in (name, status_text(host), *_facts(host))]


def status_text(host: HostReport) -> str:
    """How it stands to its declaration."""
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
    if seen.ollama.way:
        return f"{seen.ollama.version}, elsewhere" if seen.ollama.version else "elsewhere, no answer"
    if seen.ollama.version:
        return f"{seen.ollama.version}{', container' if _is_contained(seen) else ''}"
    return "stopped" if seen.releases or _is_ours(seen) else "none"


def _is_contained(seen: Probe) -> bool:
    process = seen.process if seen.knows("process") else None
    return process is not None and bool(process.image)


def _is_ours(seen: Probe) -> bool:
    """Whether our unit is there: a container needs no release."""
    return (seen.files.get(paths.OLLAMA_UNIT, ABSENT).content or b"").startswith(HEADER)


def _models(seen: Probe) -> str:
    return ", ".join(sorted(seen.models)) or "none"


def _openhands(seen: Probe) -> str:
    container = seen.docker.container
    if container:
        return f"{container.state}, {container.tag}"
    unit = seen.units.get(paths.OPENHANDS_SERVICE)
    built = BUILT.search(seen.files.get(paths.OPENHANDS_UNIT, ABSENT).content or b"")
    return f"{unit.active}, source {built[1].decode(errors='replace')}" if unit and built else "none"


def _gpu(seen: Probe) -> str:
    if seen.gpu.devices:
        memory = sum(device.memory or 0 for device in seen.gpu.devices)
        return f"{len(seen.gpu.devices)} x {seen.gpu.devices[0].name}, {format_size(memory * MIB)}"
    return ", ".join(f"{each.vendor} {each.product}" for each in seen.gpu.pci) or "none"


def _ports(seen: Probe) -> str:
    return ", ".join(sorted({f"{each.address}:{each.port}" for each in seen.sockets})) or "none"


def _proven(seen: Probe) -> str:
    record = seen.files.get(paths.PROOF, ABSENT)
    if record.kind != "file":
        return "no"
    try:
        return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(record.mtime))
    except (ValueError, OverflowError, OSError):  # no year that there is
        return UNKNOWN


def _applied(seen: Probe) -> str:
    record = Record.parse(seen.files.get(paths.CURRENT_RECORD, ABSENT).content)
    return f"{record.when} by {record.by}" if record else "never"


def _locked(seen: Probe) -> str:
    by = seen.lock.by
    return f"by {by.who}: {by.reason}" if by else "no"
