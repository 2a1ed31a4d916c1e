"""The command `lock`: one remote command for each host, all at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gevent  # type: ignore[import-untyped]
from paramiko import SSHException
from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import PyinfraError

from fleethands.command_line import CommandLine
from fleethands.facts.lock import Lock, LockState
from fleethands.facts.probe_failure import explain_failure
from fleethands.locks.run_locks import explain_refusal, new_lock
from fleethands.operations.lock.lock import ACQUIRED, RELEASED, STATUS, LockReply, lock_script, parse_reply
from fleethands.script import SHELL
from fleethands.text.sanitize import sanitize_line

if TYPE_CHECKING:
    from fleethands.engine.engine import Engine

TIMEOUT = 60
SUCCESSFUL = {ACQUIRED, RELEASED, STATUS}


@dataclass(frozen=True)
class LockResult:
    """
    The result on one host.

    + failed: the request was not carried out
    + before: the state before the request; None if unknown
    """

    text: str
    hints: Sequence[str] = ()
    failed: bool = False
    before: LockState | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON takes it."""
        known = self.before or LockState()
        return {
            "status": "failed" if self.failed else "done",
            "reason": self.text,
            "hints": list(self.hints),
            "run": known.run.to_json() if known.run else None,
            "hold": known.hold.to_json() if known.hold else None,
        }


def run_lock_command(engine: Engine, action: str, reason: str) -> dict[str, LockResult]:
    """
    The result of each host, the unreachable ones included.

    + action: acquire, status or release
    + reason: of the lock to acquire
    """
    lock = new_lock(reason)
    asked = {name: gevent.spawn(_ask_host, engine, name, action, lock) for name in engine.names}
    gevent.joinall(list(asked.values()), raise_error=True)
    return {name: each.value for name, each in asked.items()}


def _ask_host(engine: Engine, name: str, action: str, lock: Lock) -> LockResult:
    if name in engine.monitor.unreachable:
        reason, hints = engine.monitor.unreachable[name]
        return LockResult(f"unreachable: {reason}", hints, failed=True)
    text = lock_script(action, lock).text
    try:
        _, output = engine.host(name).run_shell_command(StringCommand(SHELL), _stdin=text, _timeout=TIMEOUT)
        answer = parse_reply(output.stdout_lines)
    except (PyinfraError, OSError, EOFError, SSHException) as error:
        reason, hints = engine.monitor.lost_connections.get(name) or (
            f"no reply from the host: {sanitize_line(str(error))}",
            [],
        )
        return LockResult(reason, hints, failed=True)
    except (ValueError, LookupError, TypeError, OverflowError):
        without = explain_failure(output.output_lines, engine.host(name))
        return LockResult(str(without), list(without.hints), failed=True)
    return _to_result(answer, engine.command_line, name)


def _to_result(answer: LockReply, line: CommandLine, name: str) -> LockResult:
    if answer.word not in SUCCESSFUL:
        reason, hints = explain_refusal(answer, line, name)
        return LockResult(reason, hints, failed=True, before=answer.before)
    before = answer.before
    texts = {
        ACQUIRED: "locked for you",
        RELEASED: f"free; it was locked by {before.by}" if before.by else "free; it was not locked",
        STATUS: f"locked by {before.by}" if before.by else "free",
    }
    dead = before.run if before.run and before.run.ended and not before.hold else None
    left = f"; a run died without releasing its lock: {dead}" if dead and answer.word == STATUS else ""
    return LockResult(sanitize_line(texts[answer.word] + left), before=before)
