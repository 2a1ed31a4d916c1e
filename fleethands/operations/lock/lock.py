"""The scripts of the host lock, and their replies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.resources import files

from fleethands import paths
from fleethands.facts import lock as section
from fleethands.facts.lock import Lock, LockState
from fleethands.operations.core import scripts
from fleethands.script import Script

MARK = "fleethands-lock"
LOCKED, HELD, KEPT, STUCK, ACQUIRED, RELEASED, STATUS = (
    "locked", "held", "kept", "stuck", "acquired", "released", "status",
)  # fmt: skip


@dataclass(frozen=True)
class LockReply:
    """The reply of a script: its word, and the locks as they were before."""

    word: str
    before: LockState


def lock_script(name: str, lock: Lock, **values: str) -> Script:
    """
    One of `lock_NAME.sh`: hold, acquire, release, status.

    + lock: the lock to take, or the one in whose name another lock is released
    """
    reading = files("fleethands.facts").joinpath("lock.sh").read_text()
    known = {
        "mark": MARK,
        "lock": paths.RUN_LOCK,
        "described": paths.RUN_LOCK_INFO,
        "hold": paths.MANUAL_LOCK,
        "turn": paths.LOCK_TOKEN,
        "busy": paths.RELAY_BUSY,
        "words": lock.file,
        "left": replace(lock, ended=True).file,
        "run": lock.run,
        "who": str(lock) if lock.reason else lock.who,
    }
    body = reading + scripts.read("lock") + scripts.read(f"lock_{name}")
    return Script(body, {**known, **values}, talks=name == "hold")


def parse_reply(lines: list[str]) -> LockReply:
    """The reply in the output of a script. Raises ValueError without one."""
    for index, line in enumerate(lines):
        if line.startswith(f"{MARK} begin ") and f"{MARK} end" in lines[index:]:
            end = lines.index(f"{MARK} end", index)
            return LockReply(line.removeprefix(f"{MARK} begin "), section.parse_lock(lines[index + 1 : end]))
    raise ValueError("no answer")
