"""Bundles for bare hosts, and hosts that have no way out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.lab import sources
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.project import Project
from tests.lab.shell import run

BARE = ("lab-4",)
SUITES = {"trixie": "debian-13", "bookworm": "debian-12"}
NO_CLOUD = {"ollama_env": {"OLLAMA_NO_CLOUD": "1"}}


@contextmanager
def cut_off(host: Host) -> Iterator[str]:
    """No new connection of the host gets out. Yields the name of the table that drops and counts them."""
    name = f"fhbundle{host.number}"
    rules = [
        f"{family} saddr {address} {kind} counter drop"
        for family, address in (("ip", host.address), ("ip6", host.address6))
        for kind in ("tcp flags & (syn | ack) == syn", "meta l4proto udp")
    ]
    chain = "type filter hook prerouting priority -400;"
    run("nft", "-f", "-", stdin=f"table inet {name} {{ chain away {{ {chain}\n" + "\n".join(rules) + "\n}\n}\n")
    try:
        yield name
    finally:
        run("nft", "delete", "table", "inet", name)


def count_packets(table: str) -> int:
    """Packets that wanted out."""
    found = json.loads(run("nft", "-j", "list", "table", "inet", table).stdout)["nftables"]
    expressions = [each for row in found for each in row.get("rule", {}).get("expr", [])]
    return sum(each["counter"]["packets"] for each in expressions if "counter" in each)


def mirrors(suite: str) -> list[str]:
    """The archives that this machine itself uses."""
    found = {line.split()[2]: line.split()[1] for line in sources.debian(suite)}
    wanted = {"debian": found.get(suite), "debian-security": found.get(f"{suite}-security")}
    return [word for name, url in wanted.items() if url for word in ("--mirror", f"{name}={url}")]


def create(
    lab: Lab, place: Path, suite: str, data: Mapping[str, Any], names: Sequence[str] = BARE
) -> tuple[Project, Path]:
    """A project with bare hosts, and its bundle with packages."""
    project = Project.laid(lab, place / "boxes", *names, **NO_CLOUD, **data)
    return project, pack(project, place, "--suite", SUITES[suite], *mirrors(suite))


def pack(project: Project, place: Path, *words: str) -> Path:
    """The bundle of a project."""
    pinned = project.fleethands("pin", "inventory/lab.py")
    assert pinned.code == 0, pinned.err
    path = place / "fleet.bundle"
    done = project.fleethands("bundle", "create", "inventory/lab.py", "-o", str(path), *words, timeout=600)
    assert done.code == 0, done.err
    return path
