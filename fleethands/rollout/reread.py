"""A report that was written, as a value again."""

from __future__ import annotations

import calendar
import json
import math
import time
from pathlib import Path
from typing import Any

from fleethands.operations.proof import Link
from fleethands.rollout.printable import clean
from fleethands.rollout.report import SCHEMA, Changed, HostReport, Report
from fleethands.rollout.timeline import Step

NAME = "report.json"


class NoReport(ValueError):
    """A file that is not a report of this schema; its text says which and why."""


def read(path: Path) -> Report:
    """
    The report of a file, or of a directory that `--report` named.

    Raises NoReport, OSError.
    """
    path = path / NAME if path.is_dir() else path
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise NoReport(f"`{path}` is not JSON in UTF-8") from None
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA:
        raise NoReport(f"`{path}` is not a report of schema {SCHEMA}")
    try:
        return _report(document)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise NoReport(f"`{path}` lacks something that a report has: {error}") from None


def _report(document: dict[str, Any]) -> Report:
    return Report(
        _text(document["command"]),
        {_text(name): _host(each) for name, each in document["hosts"].items()},
        started=_moment(document["started"]),
        seconds=_seconds(document["seconds"]),
        words=_text(document.get("words", "")),
        by=_text(document.get("by", "")),
        shard=_text(document.get("shard", "")),
        interrupted=document["result"] == "interrupted",
        error=_text(document.get("error", "")),
        hints=_texts(document.get("hints", [])),
    )


def _host(document: dict[str, Any]) -> HostReport:
    return HostReport(
        _text(document["status"]),
        _text(document["reason"]),
        _texts(document.get("hints", [])),
        _texts(document.get("log", [])),
        _texts(document.get("notes", [])),
        _seconds(document["seconds"]),
        int(document["remote_commands"]),
        [_change(each) for each in document["changes"]],
        [_link(each) for each in document["proof"]],
        [_step(each) for each in document.get("steps", [])],
        read=dict(document["facts"]),
    )


def _texts(values: list[Any]) -> list[str]:
    return [_text(value) for value in values]


def _text(value: Any) -> str:
    """Of a file of whomever: what a terminal would act on is taken out."""
    return clean(str(value))


def _seconds(value: Any) -> float:
    if not math.isfinite(seconds := float(value)):
        raise ValueError(f"{seconds} is no length of time")
    return seconds


def _change(document: dict[str, str]) -> Changed:
    said = (_text(document.get(name, "")) for name in ("why", "consequence", "diff"))
    subject = _text(document.get("subject", ""))
    start = (document["task"], document["operation"], subject, document["from"], document["to"])
    return Changed(*(_text(text) for text in start), *said)


def _link(document: dict[str, Any]) -> Link:
    texts = (_text(document[name]) for name in ("detail", "hint"))
    return Link(_text(document["link"]), bool(document["ok"]), _seconds(document["seconds"]), *texts)


def _step(document: dict[str, Any]) -> Step:
    return Step(
        _text(document["name"]), _moment(document["started"]), _seconds(document["seconds"]), ok=bool(document["ok"])
    )


def _moment(text: str) -> float:
    whole, _, rest = text.removesuffix("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + (float(f"0.{rest}") if rest else 0.0)
