"""Loads a report from a file. Any program may have written it, so nothing in it is run or opened."""

from __future__ import annotations

import calendar
import re
import shlex
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_args

from fleethands.errors import FleethandsError
from fleethands.operations.core.proof_record import Link
from fleethands.report.model import SCHEMA, ChangeReport, HostReport, Report, Status
from fleethands.report.step import Step
from fleethands.speed import Speed, read_speed
from fleethands.text.sanitize import sanitize
from fleethands.untrusted import MOST_BYTES, count, line, mapping, parse_json, tree

NAME = "report.json"
LONGEST = 1 << 28  # bytes of a report: one of 10,000 hosts has less
MOST_HOSTS = 100_000
MOST_ROWS = 100_000  # lines, changes or steps of one host
LONGEST_TIME = 1e9  # seconds of a run: 30 years
COMMAND = re.compile(r"[a-z]{1,20}( [a-z]{1,20})?\Z")
STATUSES: tuple[Status, ...] = get_args(Status)
T = TypeVar("T")


class InvalidReport(FleethandsError):
    """A file that is not a report of this schema; the message names the file and the reason."""


def load_report(path: Path) -> Report:
    """
    Load a report.

    + path: the file, or the directory that `--report` named

    Raises InvalidReport, OSError.
    """
    path = path / NAME if path.is_dir() else path
    with path.open("rb") as file:
        text = file.read(LONGEST + 1)
    if len(text) > LONGEST:
        raise InvalidReport(f"`{path}` is not a report: it has more than {LONGEST >> 20} MiB")
    try:
        found = parse_json(text, LONGEST)
    except ValueError:
        raise InvalidReport(f"`{path}` is not JSON in UTF-8") from None
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise InvalidReport(f"`{path}` is not a report of schema {SCHEMA}")
    try:
        return read_report(found)
    except KeyError as error:
        raise InvalidReport(f"`{path}` is not a valid report: it lacks {error}") from None
    except (ValueError, OverflowError) as error:
        raise InvalidReport(f"`{path}` is not a valid report: {error}") from None


def read_report(row: dict[str, Any]) -> Report:
    """The report of a parsed document of `Report.to_json`. Raises ValueError, KeyError, OverflowError."""
    hosts = mapping(row["hosts"])
    if len(hosts) > MOST_HOSTS:
        raise ValueError(f"more than {MOST_HOSTS} hosts")
    return Report(
        _command(row["command"]),
        {_name(name): _host(mapping(each)) for name, each in hosts.items()},
        started=_moment(row["started"]),
        seconds=_seconds(row["seconds"]),
        words=_words(row.get("words", "")),
        by=_text(row.get("by", "")),
        shard=_text(row.get("shard", "")),
        interrupted=row["result"] == "interrupted",
        error=_text(row.get("error", "")),
        hints=_texts(row.get("hints", [])),
    )


def _host(row: dict[str, Any]) -> HostReport:
    return HostReport(
        _status(row["status"]),
        _text(row["reason"]),
        _texts(row.get("hints", [])),
        _texts(row.get("log", [])),
        _texts(row.get("notes", [])),
        _seconds(row["seconds"]),
        count(row["remote_commands"]),
        _each(row["changes"], _change),
        _each(row["proof"], _link),
        _each(row.get("steps", []), _step),
        loaded_facts=mapping(tree(row["facts"])),
    )


def _each(value: Any, read_one: Callable[[dict[str, Any]], T]) -> list[T]:
    return [read_one(mapping(each)) for each in _list(value)]


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list) or len(value) > MOST_ROWS:
        raise ValueError("not a list, or too long a one")
    return value


def _texts(value: Any) -> list[str]:
    return [_text(each) for each in _list(value)]


def _text(value: Any) -> str:
    """A text without control characters, which a terminal would obey."""
    if not isinstance(value, str) or len(value) > MOST_BYTES:
        raise ValueError("not text, or too long a one")
    return sanitize(value)


def _name(text: str) -> str:
    """A host name on one line, because hints use it in command lines."""
    return line(sanitize(text))


def _command(value: Any) -> str:
    if not isinstance(value, str) or not COMMAND.match(value):
        raise ValueError("a command that is not one of fleethands")
    return value


def _status(value: Any) -> Status:
    found = next((each for each in STATUSES if each == value), None)
    if found is None:
        raise ValueError("a status that no host has")
    return found


def _words(value: Any) -> str:
    """A command line, quoted for a shell; empty if it cannot be one."""
    try:
        return shlex.join(shlex.split(_text(value)))
    except ValueError:
        return ""


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LONGEST_TIME:
        raise ValueError(f"`{str(value)[:40]}` is not a duration")
    return float(value)


def _change(row: dict[str, Any]) -> ChangeReport:
    texts = (_text(row.get(name, "")) for name in ("why", "consequence", "diff"))
    start = (row["task"], row["operation"], row.get("subject", ""), row["from"], row["to"])
    return ChangeReport(*(_text(text) for text in start), *texts)


def _link(row: dict[str, Any]) -> Link:
    detail, hint = (_text(row[name]) for name in ("detail", "hint"))
    return Link(_text(row["link"]), _truth(row["ok"]), _seconds(row["seconds"]), detail, hint, _speed(row))


def _speed(row: dict[str, Any]) -> Speed | None:
    return read_speed(row["speed"]) if "speed" in row else None


def _step(row: dict[str, Any]) -> Step:
    return Step(_text(row["name"]), _moment(row["started"]), _seconds(row["seconds"]), ok=_truth(row["ok"]))


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")
    return value


def _moment(value: Any) -> float:
    whole, _, rest = line(value, 40).removesuffix("Z").partition(".")
    if rest and not re.fullmatch(r"[0-9]{1,9}", rest, re.ASCII):
        raise ValueError("not a moment")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + (float(f"0.{rest}") if rest else 0.0)
