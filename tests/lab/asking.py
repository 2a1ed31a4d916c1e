"""The probe and the plan of one lab host, asked as tests want them."""

from __future__ import annotations

import json
import shlex
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from fleethands.facts import Probe
from fleethands.facts.framing import SECTIONS
from fleethands.facts.parse_probe import parse_probe
from fleethands.facts.probe_request import ProbeRequest
from fleethands.settings import HostSettings
from tests.hosts import declared
from tests.lab import fleet
from tests.lab.flavors import GUIDE
from tests.lab.host import Host
from tests.lab.shell import run

OWN_MOUNTS = "mount --make-rprivate / && mkdir -p /run/bare && mount -t tmpfs tmpfs /run/bare"


def settings(**data: Any) -> HostSettings:
    """What inventory/lab.py declares."""
    return declared(openhands_image=GUIDE, **data)


def probed(host: Host, *, before: str = "", reader: str = "sh -s", user: str = "root", **data: Any) -> Probe:
    """The answer of a host, by the real reader; `before`: what is done to a mount namespace of its own first."""
    question = ProbeRequest.create(settings(**data))
    command = f"{OWN_MOUNTS} && {before} && exec {reader}"
    words = f"unshare -m sh -c {shlex.quote(command)}" if before else reader
    asked = time.time()
    done = host.run(words, stdin=question.script, user=user)
    return parse_probe(done.stdout.split("\n")[:-1], question, (asked, time.time()))


def differing(one: Probe, other: Probe) -> set[str]:
    """Sections that two probes of one host tell differently; clocks and free space move by themselves."""
    one, other = _still(one), _still(other)
    found = {name for name in SECTIONS if name not in {"system", "disk"} and one.sections[name] != other.sections[name]}
    return found | {name for name in ("system", "disk") if one.knows(name) != other.knows(name)}


def _still(seen: Probe) -> Probe:
    if not seen.knows("docker"):
        return seen
    return seen.replace(docker=replace(seen.docker, engine=replace(seen.docker.engine, room=None)))


def fleethands(command: str, target: str, *words: str, timeout: float = 60, **env: str) -> dict[str, Any]:
    """The command's document, with its seconds as `took`."""
    begin = time.monotonic()
    program = str(Path(sys.executable).with_name("fleethands"))
    done = run(program, command, target, "--json", *words, cwd=fleet.ROOT, timeout=timeout, check=False, env=env)
    document: dict[str, Any] = json.loads(done.stdout)
    return {**document, "took": time.monotonic() - begin}


def plan_of(host: Host, *words: str) -> dict[str, Any]:
    """What the plan of one lab host says, with `took`."""
    document = fleethands("plan", "inventory/lab.py", "--hosts", host.name, *words)
    return {**document["hosts"][host.name], "took": document["took"]}
