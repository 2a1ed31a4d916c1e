"""The lock of a host: of a run, or a manual one."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from fleethands.facts.framing import decode_base64
from fleethands.untrusted import count, mapping, parse_json, printable

LEASE = 60  # seconds without a heartbeat after which a run lock ends
LONGEST = 1 << 14  # bytes of a lock's file


@dataclass(frozen=True)
class Lock:
    """
    A lock, as its holder described it.

    + owner: the user; host, pid: the controller and its process; run: the run id
    + since: a time such as `2026-11-25 17:02:11 UTC`
    + ended: its run died, and the lock is no longer valid
    """

    owner: str
    host: str
    pid: int
    run: str
    reason: str
    since: str
    ended: bool = False

    @classmethod
    def parse(cls, text: bytes) -> Lock:
        """Read what `file` wrote. Any other content, by another program, counts as a lock too."""
        try:
            row = mapping(parse_json(text.partition(b"\n")[0], LONGEST))
            texts = {key: printable(row[key]) for key in ("owner", "host", "run", "reason", "since")}
            return cls(pid=count(row["pid"]), ended=row["ended"] is True, **texts)
        except (ValueError, LookupError):
            content = printable(text[:LONGEST].decode(errors="replace"), 200)
            return cls("unknown", "the host itself", 0, "", content, "an unknown time")

    @property
    def file(self) -> str:
        """The content of the host's file: a line of JSON, then a line for people."""
        return f"{json.dumps(self.to_json())}\n{self}"

    def to_json(self) -> dict[str, Any]:
        """All fields by name."""
        return dict(self.__dict__)

    @property
    def who(self) -> str:
        """The holder, such as `ana@build-2`."""
        return f"{self.owner}@{self.host}"

    def __str__(self) -> str:
        return f"{self.who} since {self.since}: {self.reason}"


@dataclass(frozen=True)
class LockState:
    """
    The locks of a host.

    + turn: lock token, the id of the run that locked the host last; empty if no run ever did
    + run: the run lock, valid or of a run that died
    + hold: the manual lock
    """

    turn: str = ""
    run: Lock | None = None
    hold: Lock | None = None

    @property
    def by(self) -> Lock | None:
        """The valid lock, the manual one first; None for a free host."""
        return self.hold or (None if self.run is None or self.run.ended else self.run)


def parse_lock(lines: list[str]) -> LockState:
    """Parse the section `lock`. Raises ValueError for an unknown line."""
    found = LockState()
    for line in lines:
        kind, *rest = line.split(" ")
        if kind == "turn":
            (turn,) = rest
            found = replace(found, turn=printable(turn))
        elif kind == "run":
            age, text = rest
            run = Lock.parse(decode_base64("lock", text))
            found = replace(found, run=replace(run, ended=run.ended or int(age) > LEASE))
        elif kind == "hold":
            (text,) = rest
            found = replace(found, hold=Lock.parse(decode_base64("lock", text)))
        else:
            raise ValueError(kind)
    return found
