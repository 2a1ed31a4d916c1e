"""Reads Docker, and who listens on the ports in question."""

from __future__ import annotations

import json
import re
from typing import Any

from fleethands.facts.probe import Container, Docker, Listener
from fleethands.facts.protocol import decode, fields, word

Lines = list[str]


def docker(lines: Lines) -> Docker:
    if lines == ["missing"]:
        return Docker(installed=False)
    if lines == ["stopped"]:
        return Docker(installed=True)
    published = [line.split(" ")[1:] for line in lines if line.startswith("publisher ")]
    gone = [line.partition(" ")[2] for line in lines if line.startswith("gone ")]
    if wrong := next((each for each in gone if not IMAGE_ID.fullmatch(each)), None):
        raise ValueError(wrong[:100])
    row = fields([line for line in lines if not line.startswith(("publisher ", "gone "))], known=DOCKER)
    container, image = _inspected(row["container"]), _inspected(row.get("image", "-"))
    return Docker(
        installed=True,
        version=word(row["version"]),
        container=_container(container) if container is not None else None,
        image=str(image["Id"]) if image is not None else None,
        digests=frozenset(str(name).rpartition("@")[2] for name in (image or {}).get("RepoDigests") or ()),
        publishers=tuple((int(port), name) for port, name in published),
        gone=frozenset(gone),
    )


DOCKER = frozenset({"version", "container", "image"})
IMAGE_ID = re.compile(r"sha256:[0-9a-f]{1,64}")


def _inspected(text: str) -> dict[str, Any] | None:
    if text == "-":
        return None
    (row,) = json.loads(decode("docker", text))
    if not isinstance(row, dict):
        raise ValueError(text[:100])
    return row


def _container(row: dict[str, Any]) -> Container:
    return Container(
        id=row["Id"],
        state=row["State"]["Status"],
        image=row["Image"],
        labels=row["Config"]["Labels"] or {},
        started=row["State"]["StartedAt"],
        tag=row["Config"]["Image"],
    )


# State Recv-Q Send-Q Local:Port Peer:Port users:(("name",pid=1,fd=2)) (iproute2, ss -Hltnp)
LONGEST = 10_000  # characters: a socket that many processes share
LISTENER = re.compile(
    r'LISTEN +\d+ +\d+ +(?P<address>\S+):(?P<port>\d+) +\S+\s*(?:users:\(\("(?P<name>.*?)",pid=(?P<pid>\d+),.*\)\))?\s*'
)


def sockets(lines: Lines) -> tuple[Listener, ...]:
    found = []
    for line in lines:
        match = LISTENER.fullmatch(line) if len(line) < LONGEST else None
        if match is None:
            raise ValueError(line[:100])
        address = match["address"].strip("[]")
        found.append(Listener(int(match["port"]), address, match["name"] or "", int(match["pid"] or 0)))
    return tuple(found)
