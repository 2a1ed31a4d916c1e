"""The JSON text of a report, host by host, so that the text of a large fleet is never in memory as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from fleethands.report.model import HostReport, Report

INDENT = "  "


def report_text(report: Report) -> Iterator[str]:
    """
    The parts of the text of `Report.to_json`, in order. The facts of a host are one line, and so is each change.

    Example: `file.writelines(report_text(report))`.
    """
    yield _open(report.head, 0)
    yield f',\n{INDENT}"hosts": {{'
    before = "\n"
    for name, host in sorted(report.hosts.items()):
        yield f"{before}{_host_text(name, host)}"
        before = ",\n"
    yield f"\n{INDENT}}}\n}}\n" if report.hosts else "}\n}\n"


def _host_text(name: str, host: HostReport) -> str:
    inner = INDENT * 2
    head = f"{inner}{json.dumps(name)}: {_open(host.to_json_without_facts(), 2)}"
    return f'{head},\n{inner}{INDENT}"facts": {host.facts_text}\n{inner}}}'


def _open(value: dict[str, Any], depth: int) -> str:
    """A JSON object without its closing brace, so that more members can follow. An element of a list is one line."""
    inner = "\n" + INDENT * (depth + 1)
    return "{" + ",".join(f"{inner}{json.dumps(key)}: {_member(each, inner)}" for key, each in value.items())


def _member(value: Any, inner: str) -> str:
    # Python's encoder takes ten times as long where it indents
    if not isinstance(value, list) or not value:
        return json.dumps(value)
    return "[" + ",".join(f"{inner}{INDENT}{json.dumps(each)}" for each in value) + f"{inner}]"
