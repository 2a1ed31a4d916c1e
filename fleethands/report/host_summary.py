"""One host as a row of `fleethands status`: what runs, what is loaded, when it was proven, who applied it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping

from fleethands import paths
from fleethands.facts import Probe, UnknownSection
from fleethands.facts.files import ABSENT
from fleethands.facts.gpu import MIB
from fleethands.facts.record import Record
from fleethands.operations.core.ownership import HEADER
from fleethands.operations.core.proof_record import all_hold, broken_since, measured_speed, parse_links, read_links
from fleethands.report.model import HostReport
from fleethands.report.packed_facts import PackedFacts
from fleethands.text.format import format_size

UNKNOWN = "unknown"
COLUMNS = (
    "host",
    "state",
    "Ollama",
    "models",
    "OpenHands",
    "GPU",
    "ports",
    "proven",
    "speed",
    "sentinel",
    "applied",
    "locked",
)
NO_SENTINEL = "off"
BUILT = re.compile(rb"^ExecStart=\S*/([^/\s]+)/bin/serve ", re.MULTILINE)  # fleethands/templates/openhands.service.j2


def status_cells(name: str, host: HostReport) -> list[str]:
    """A text for each of COLUMNS: `unknown` for an unknown section, empty for a host without an answer."""
    return [host.mask.text(cell) for cell in (name, status_text(host), *_facts(host))]


def status_rows(hosts: Mapping[str, HostReport]) -> tuple[list[str], list[list[str]]]:
    """The columns of a table, and a row for each host. Without a sentinel on any host, there is no column for it."""
    rows = [status_cells(name, host) for name, host in sorted(hosts.items())]
    at = COLUMNS.index("sentinel")
    shown = [
        index for index in range(len(COLUMNS)) if index != at or any(row[at] not in {"", NO_SENTINEL} for row in rows)
    ]
    return [COLUMNS[index] for index in shown], [[row[index] for index in shown] for row in rows]


def drop_probe(host: HostReport) -> None:
    """Keep the facts of a host and drop its probe, because nothing more will be decided for it."""
    if host.probe is not None:
        host.packed = PackedFacts.pack(host.probe.to_json(host.secrets), tuple(_facts(host)))
        host.probe, host.secrets = None, frozenset()


def status_text(host: HostReport) -> str:
    """Whether the host is as declared."""
    if host.status == "pending":
        return f"drift: {len(host.changes)}"
    return "as declared" if host.status == "unchanged" else host.status


def _facts(host: HostReport) -> list[str]:
    if host.packed is not None:
        return list(host.packed.cells)
    if host.probe is None:
        return ["" for _ in COLUMNS[2:]]
    return [
        _read_cell(read, host.probe)
        for read in (_ollama, _models, _openhands, _gpu, _ports, _proven, _speed, _sentinel, _applied, _locked)
    ]


def _read_cell(read: Callable[[Probe], str], probe: Probe) -> str:
    try:
        return read(probe)
    except UnknownSection:
        return UNKNOWN


def _ollama(probe: Probe) -> str:
    if probe.ollama.way:
        return f"{probe.ollama.version}, elsewhere" if probe.ollama.version else "elsewhere, no answer"
    if probe.ollama.version:
        return f"{probe.ollama.version}{', container' if _is_contained(probe) else ''}"
    return "stopped" if probe.releases or _is_managed(probe) else "none"


def _is_contained(probe: Probe) -> bool:
    process = probe.process if probe.knows("process") else None
    return process is not None and bool(process.image)


def _is_managed(probe: Probe) -> bool:
    """Whether fleethands wrote the unit, because a container needs no release."""
    return (probe.files.get(paths.OLLAMA_UNIT, ABSENT).content or b"").startswith(HEADER)


def _models(probe: Probe) -> str:
    return ", ".join(sorted(probe.models)) or "none"


def _openhands(probe: Probe) -> str:
    container = probe.docker.container
    if container:
        return f"{container.state}, {container.tag}"
    unit = probe.units.get(paths.OPENHANDS_SERVICE)
    built = BUILT.search(probe.files.get(paths.OPENHANDS_UNIT, ABSENT).content or b"")
    return f"{unit.active}, source {built[1].decode(errors='replace')}" if unit and built else "none"


def _gpu(probe: Probe) -> str:
    if probe.gpu.devices:
        memory = sum(device.memory or 0 for device in probe.gpu.devices)
        return f"{len(probe.gpu.devices)} x {probe.gpu.devices[0].name}, {format_size(memory * MIB)}"
    return ", ".join(f"{each.vendor} {each.product}" for each in probe.gpu.pci) or "none"


def _ports(probe: Probe) -> str:
    return ", ".join(sorted({f"{each.address}:{each.port}" for each in probe.sockets})) or "none"


def _proven(probe: Probe) -> str:
    record = probe.files.get(paths.PROOF, ABSENT)
    if record.kind != "file":
        return "no"
    try:
        return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(record.mtime))
    except (ValueError, OverflowError, OSError):  # no valid year
        return UNKNOWN


def _speed(probe: Probe) -> str:
    """By the last proof, or by the release record if the host changed since."""
    record = Record.parse(probe.files.get(paths.CURRENT_RECORD, ABSENT).content)
    found = measured_speed(parse_links(probe.files.get(paths.PROOF, ABSENT).content)) or (record and record.speed)
    return str(found) if found else "not measured"


def _sentinel(probe: Probe) -> str:
    if probe.files.get(paths.SENTINEL_TIMER_UNIT, ABSENT).kind == "absent":
        return NO_SENTINEL
    found = probe.sentinel
    if found is None:
        return "no result yet"
    is_repaired = not found.ok and broken_since(probe) is None and all_hold(read_links(probe))
    return f"{found.words}; proven since" if is_repaired else found.words


def _applied(probe: Probe) -> str:
    record = Record.parse(probe.files.get(paths.CURRENT_RECORD, ABSENT).content)
    return f"{record.when} by {record.by}" if record else "never"


def _locked(probe: Probe) -> str:
    by = probe.lock.by
    return f"by {by.who}: {by.reason}" if by else "no"
