"""fleethands' firewall table, and who listens on the ports that it uses."""

from __future__ import annotations

import re
from dataclasses import dataclass

Lines = list[str]
# State Recv-Q Send-Q Local:Port Peer:Port users:(("name",pid=1,fd=2)) (iproute2, ss -Hltnp). A process may have any
# name, with line breaks in it, and share its socket with any number of others.
LONGEST = 1000  # characters of a line
LISTENER = re.compile(
    r"LISTEN +\d{1,9} +\d{1,9} +(?P<address>\S+):(?P<port>\d{1,5})\b"
    r'(?: +\S+\s*(?:users:\(\("(?P<name>.*?)",pid=(?P<pid>\d{1,9}),)?)?'
)

BRIDGE = re.compile(r"br-[A-Za-z0-9._:@+-]+")


@dataclass(frozen=True)
class Firewall:
    """
    fleethands' table.

    + installed: whether nft exists
    + loaded: sha256 of the table as nft lists it; None without a table
    + bridges: devices whose names begin like those of Docker's bridges, and that are not Docker's
    """

    installed: bool
    loaded: str | None = None
    bridges: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listener:
    """A listening TCP socket. The process is empty and the pid 0 where the kernel does not tell them."""

    port: int
    address: str
    process: str
    pid: int = 0


def parse_firewall(lines: Lines) -> Firewall:
    """Parse the section `firewall`. Raises ValueError."""
    bridges = tuple(sorted(line.removeprefix("bridge ") for line in lines if line.startswith("bridge ")))
    if wrong := next((name for name in bridges if not BRIDGE.fullmatch(name)), None):
        raise ValueError(wrong)
    (line,) = (line for line in lines if not line.startswith("bridge "))
    if line in {"missing", "none"}:
        return Firewall(line == "none", bridges=bridges)
    word, digest = line.split(" ")
    if word != "loaded":
        raise ValueError(word)
    return Firewall(True, digest, bridges)


def parse_sockets(lines: Lines) -> tuple[Listener, ...]:
    """Parse the section `sockets`. Other lines are skipped: a process may have line breaks in its name."""
    matches = (LISTENER.match(line[:LONGEST]) for line in lines)
    return tuple(
        Listener(int(match["port"]), match["address"].strip("[]"), match["name"] or "", int(match["pid"] or 0))
        for match in matches
        if match is not None
    )
