"""Asks hosts one question each: one remote command that only reads, and its answer as a value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import gevent  # type: ignore[import-untyped]
from paramiko import SSHException
from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import PyinfraError

from fleethands.engine.interrupts import Interrupts
from fleethands.everyday.fleet_command import new_mark
from fleethands.facts.probe_failure import explain_failure
from fleethands.script import SHELL, Script
from fleethands.text.sanitize import sanitize_line

if TYPE_CHECKING:
    from fleethands.engine.engine import Engine

T = TypeVar("T")
TIMEOUT = 60  # seconds


@dataclass(frozen=True)
class Answer(Generic[T]):
    """
    What one host answered.

    + value: None for a host that gave none; then `reason` says why
    """

    value: T | None
    reason: str = ""
    hints: tuple[str, ...] = ()
    status: str = "done"


def ask_hosts(
    engine: Engine, script: Callable[[str, str], Script], parse: Callable[[str, Sequence[str]], T]
) -> dict[str, Answer[T]]:
    """
    The answer of each host of a connected engine.

    + script: for a host and a mark; prints `MARK begin` first, and `MARK end STATUS` last
    + parse: reads the lines between these two. A ValueError, LookupError or TypeError of it means a damaged answer.
    """
    with Interrupts():
        asked = {name: gevent.spawn(_ask_host, engine, name, script, parse) for name in engine.names}
        gevent.joinall(list(asked.values()), raise_error=True)
    return {name: each.value for name, each in asked.items()}


def _ask_host(
    engine: Engine, name: str, script: Callable[[str, str], Script], parse: Callable[[str, Sequence[str]], T]
) -> Answer[T]:
    if name in engine.monitor.unreachable:
        reason, hints = engine.monitor.unreachable[name]
        return Answer(None, reason, tuple(hints), "unreachable")
    mark = new_mark()
    try:
        _, output = engine.host(name).run_shell_command(
            StringCommand(SHELL), _stdin=script(name, mark).text, _timeout=TIMEOUT
        )
    except (PyinfraError, OSError, EOFError, SSHException) as error:
        known = engine.monitor.lost_connections.get(name)
        reason, hints = known or (f"no reply from the host: {sanitize_line(str(error))}", [])
        return Answer(None, reason, tuple(hints), "failed")
    lines = output.stdout_lines
    if f"{mark} begin" not in lines:
        failure = explain_failure(output.output_lines, engine.host(name))
        return Answer(None, str(failure), failure.hints, "failed")
    return _parse_answer(lines, mark, name, parse)


def _parse_answer(lines: Sequence[str], mark: str, name: str, parse: Callable[[str, Sequence[str]], T]) -> Answer[T]:
    body = list(lines[lines.index(f"{mark} begin") + 1 :])
    last = body.pop() if body else ""
    match last.removeprefix(f"{mark} end").split():
        case ["0"]:
            pass
        case ["127"] if body and body[-1].startswith("needs "):
            lacks = sanitize_line(body[-1].removeprefix("needs "), 50)
            return Answer(None, f"the command `{lacks}` is missing on this host", (), "failed")
        case ["124"]:
            return Answer(None, "its files could not be read in time", (), "failed")
        case _:
            return Answer(None, "its answer was cut off", ("run it again",), "failed")
    try:
        return Answer(parse(name, body))
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
        return Answer(None, "the host's answer cannot be parsed", (), "failed")
