"""What the sentinel of a host found last."""

from __future__ import annotations

import calendar
import re
import time
from dataclasses import dataclass

from fleethands.untrusted import printable

SCHEMA = b"1"
LONGEST = 1 << 14  # bytes of its file
LONGEST_LINK, LONGEST_TEXT = 100, 1000  # characters
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z\Z", re.ASCII)


@dataclass(frozen=True)
class SentinelResult:
    """
    The last proof of a sentinel. The host wrote it, so it is data that may be anything.

    + ok: whether all links held
    + time: of that proof, such as `2026-11-25T17:02:11Z`; since: of the first one with this result. By the host's clock
    + link, reason, hint: the first broken link, its cause and its repair; empty if none is broken
    """

    ok: bool
    time: str
    since: str
    link: str = ""
    reason: str = ""
    hint: str = ""

    @classmethod
    def parse(cls, text: bytes | None) -> SentinelResult | None:
        """
        Read what operations/sentinel/sentinel.sh wrote; None for any other text.

        >>> SentinelResult.parse(b"1\\nok\\n2026-11-25T17:02:11Z\\n2026-11-24T03:31:00Z\\n\\n\\n\\n0\\n").since
        '2026-11-24T03:31:00Z'
        """
        lines = (text or b"")[: LONGEST + 1].split(b"\n")
        if len(text or b"") > LONGEST or len(lines) < 8 or lines[0] != SCHEMA or lines[1] not in {b"ok", b"broken"}:
            return None
        when, since, link, reason, hint = (each.decode(errors="replace") for each in lines[2:7])
        if not (_TIME.match(when) and _TIME.match(since)) or bool(link) == (lines[1] == b"ok"):
            return None
        found = cls(
            lines[1] == b"ok",
            when,
            since,
            printable(link, LONGEST_LINK),
            printable(reason, LONGEST_TEXT),
            printable(hint, LONGEST_TEXT),
        )
        return found if found.seconds >= 0 else None

    @property
    def seconds(self) -> int:
        """The time of the proof in seconds since 1970; -1 for a time that no calendar has."""
        try:
            return calendar.timegm(time.strptime(self.time, "%Y-%m-%dT%H:%M:%SZ"))
        except (ValueError, OverflowError):
            return -1

    @property
    def words(self) -> str:
        """The result on one line, such as `broken since 2026-11-25 03:31 UTC: docker`."""
        if self.ok:
            return f"ok at {_format_time(self.time)}"
        return f"broken since {_format_time(self.since)}: {self.link}"


def _format_time(moment: str) -> str:
    return f"{moment[:10]} {moment[11:16]} UTC"
