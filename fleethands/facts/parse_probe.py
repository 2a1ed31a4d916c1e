"""Reads the answer of a probe, section by section."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from fleethands.facts import (
    apt,
    directories,
    docker,
    files,
    gpu,
    lock,
    network,
    ollama,
    service,
    system,
    units,
    upstream,
)
from fleethands.facts.framing import split_sections
from fleethands.facts.probe import Probe, Unknown
from fleethands.facts.probe_request import PACKAGES, ProbeRequest

Parser = Callable[[list[str]], Any]
Window = tuple[float, float]
PATIENCE = 5  # seconds, of a host that is not busy (shell.sh)
_LATE = re.compile(r"late ([0-9]{1,3})", re.ASCII)


def parse_probe(lines: list[str], request: ProbeRequest, window: Window | None = None) -> Probe:
    """
    Read the answer to a request. A section that cannot be read is Unknown in the result.

    + lines: the host's answer, without line ends
    + window: the controller's clock before the request and after the answer, in seconds since 1970

    Raises ProbeError for an answer that is incomplete or damaged.
    """
    parsers = _parsers(request, window)
    found: dict[str, Any] = {}
    for name, status, body in split_sections(lines, request.mark):
        found[name] = _explain_status(status, body) if status else _parse(parsers[name], body)
    return Probe(found).at_home


def _parsers(request: ProbeRequest, window: Window | None) -> Mapping[str, Parser]:
    """Section → what reads its lines, and raises one of the errors that `_parse` knows."""
    return {
        "system": system.system_parser(window),
        "disk": system.disk_parser(request.places),
        "gpu": gpu.parse_gpu,
        "packages": system.package_parser(PACKAGES),
        "apt": apt.parse_apt,
        "accounts": system.parse_accounts,
        "files": files.file_parser(request.files),
        "releases": ollama.parse_releases,
        "units": units.parse_units,
        "service": service.parse_service,
        "process": ollama.parse_process,
        "ollama": ollama.parse_ollama,
        "models": ollama.parse_models,
        "store": ollama.parse_store,
        "directories": directories.directory_parser(request.directories),
        "lock": lock.parse_lock,
        "docker": docker.parse_docker,
        "firewall": network.parse_firewall,
        "sockets": network.parse_sockets,
        "upstream": partial(upstream.parse_upstream, request.settings),
    }


def _parse(parser: Parser, body: list[str]) -> Any:
    try:
        return parser(body)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError):  # ProbeError is one
        return Unknown("the host's answer cannot be parsed")


def _explain_status(status: int, body: list[str]) -> Unknown:
    last = body[-1] if body else ""
    if status == 127 and last.startswith("needs "):
        lacks = last.removeprefix("needs ")
        return Unknown(f"the command `{lacks}` is missing on this host", lacks=lacks)
    if status == 124:
        return Unknown(f"no answer within {_seconds_waited(last)} s", timed_out=True)
    return Unknown(f"its commands failed with status {status}")


def _seconds_waited(line: str) -> int:
    told = _LATE.fullmatch(line)
    return int(told[1]) if told else PATIENCE
