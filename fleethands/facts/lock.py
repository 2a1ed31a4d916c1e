"""Who holds a host: the run that took its lock, or a person."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from fleethands.facts.framing import decode_base64
from fleethands.untrusted import count, mapping, parse_json, printable

LEASE = 60  # seconds without a sign after which a lock ends
LONGEST = 1 << 14  # bytes of a lock's own words


@dataclass(frozen=True)
class Lock:
    """
    A lock, in its owner's words.

    + owner: the user; host, pid: the controller and its process; run: the run's own name
    + since: as `2026-11-25 17:02:11 UTC`
    + ended: its run went away without a word, and the lock holds no longer
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
        """Read what `file` wrote; whatever somebody else wrote there locks, too."""
        try:
            row = mapping(parse_json(text.partition(b"\n")[0], LONGEST))
            said = {key: printable(row[key]) for key in ("owner", "host", "run", "reason", "since")}
            return cls(pid=count(row["pid"]), ended=row["ended"] is True, **said)
        except (ValueError, LookupError):
            said_so = printable(text[:LONGEST].decode(errors="replace"), 200)
            return cls("somebody", "the host itself", 0, "", said_so, "an unknown time")

    @property
    def file(self) -> str:
        """What stands in the host's file: for programs, then for people."""
        return f"{json.dumps(self.document)}\n{self}"

    @property
    def document(self) -> dict[str, Any]:
        """As JSON takes it."""
        return dict(self.__dict__)

    @property
    def who(self) -> str:
        """`ana@build-2`."""
        return f"{self.owner}@{self.host}"

    def __str__(self) -> str:
        return f"{self.who} since {self.since}: {self.reason}"


@dataclass(frozen=True)
class LockState:
    """
    Who holds a host.

    + turn: the run that locked it last; empty where none ever did
    + run: the run that holds it, or that went away without a word
    + hold: the person who does
    """

    turn: str = ""
    run: Lock | None = None
    hold: Lock | None = None

    @property
    def by(self) -> Lock | None:
        """Who keeps others out, the person first; None for a host that is free."""
        return self.hold or (None if self.run is None or self.run.ended else self.run)


def parse_lock(lines: list[str]) -> LockState:
    """The section `lock`. Raises ValueError for a line that it does not know."""
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
