"""Takes hosts out of a gateway before a rollout changes them, and puts them back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from fleethands import paths
from fleethands.operations.core import scripts
from fleethands.script import Script

RESULTS = ("waited", "busy", "unknown", "last")
_BACK = re.compile(r"drain: (\S{1,63}) back\Z", re.ASCII)
_DRAINED = re.compile(rf"drain: (\S{{1,63}}) ({'|'.join(RESULTS)}) (\d{{1,6}}) (\d{{1,6}})\Z", re.ASCII)


@dataclass(frozen=True)
class Drained:
    """
    What a gateway did with one host.

    + result: `waited` until no request was under way; `busy`: requests are left, and the limit is over; `unknown`: it
      sends no requests there; `last`: no other host answers, so it continues
    + requests: that were under way at first; seconds: that it waited
    """

    name: str
    result: str
    requests: int
    seconds: int

    @property
    def is_out(self) -> bool:
        """Whether the gateway sends the host no new request."""
        return self.result in {"waited", "busy"}


def drain_backends(names: Sequence[str], limit: int, expires: int) -> Script:
    """
    The script that takes hosts out of a gateway, for the gateway's own host.

    + limit: seconds to wait for the requests under way
    + expires: seconds after which the gateway uses the hosts again by itself, because the controller may be gone
    """
    values = {"backends": " ".join(names), "limit": str(limit), "expires": str(expires)}
    places = {
        "declared": paths.GATEWAY_BACKENDS,
        "drained": paths.GATEWAY_DRAINED,
        "runtime": paths.GATEWAY_RUNTIME,
        "service": paths.GATEWAY_SERVICE,
    }
    return Script(scripts.read("drain_backends"), {**values, **places})


def return_backends(names: Sequence[str]) -> Script:
    """The script that puts hosts back."""
    return Script(scripts.read("return_backends"), {"backends": " ".join(names), "drained": paths.GATEWAY_DRAINED})


def parse_drained(lines: Iterable[str], names: Sequence[str]) -> Iterator[Drained]:
    """What the script printed about these hosts; lines about others are skipped."""
    for line in lines:
        match = _DRAINED.match(line)
        if match and match[1] in names:
            yield Drained(match[1], match[2], int(match[3]), int(match[4]))


def parse_returned(lines: Iterable[str], names: Sequence[str]) -> set[str]:
    """Those of these hosts that the script put back."""
    return {match[1] for line in lines if (match := _BACK.match(line)) and match[1] in names}
