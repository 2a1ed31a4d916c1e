"""`fleethands plan` over many hosts, which one counted stand-in answers for: what it takes a host, as they get more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleethands.facts.probe_request import ProbeRequest
from fleethands.settings import read_fleet
from fleethands.settings.lockfile import Lockfile
from tests.lab.host import Host
from tests.lab.shell import run

from .standin import PLACEHOLDER
from .timing import BIN, ROOT
from .watched import Watched

SIZES = (50, 200, 1000)
PORT = 2222
AT_ONCE = 32  # connections (engine/engine.py)
LATE = 4  # of those that have ended, and of whose end the server has not heard when the next ones come
FILES = 60  # that a process has open besides
GROWTH = 1.25  # times what a further host takes of a larger fleet, over what one takes of a smaller
PACE = 1.5  # the same of seconds, which the stand-in has its share in
OURS = {"ssh_user": "root", "ssh_allow_agent": False, "ssh_look_for_keys": False}


@dataclass(frozen=True)
class Scale:
    """
    One plan over so many stand-ins.

    + seconds: from start to end of the process; cpu: of them, those that the process itself was at work
    + memory: most bytes at once that it held; descriptors: most files and sockets that it had open
    + most: connections at once; connections, commands: of each host
    """

    hosts: int
    seconds: float
    cpu: float
    memory: int
    descriptors: int
    most: int
    connections: float
    commands: float


def measure(host: Host, data: dict[str, Any], sizes: Sequence[int] = SIZES) -> list[Scale]:
    """A plan over each number of stand-ins for this converged host, whose data these are."""
    ours = {key: value for key, value in data.items() if not key.startswith("ssh_")}
    recording = recorded(host, ours)
    return [_measured(count, ours, recording) for count in sizes]


def wrong(rows: Sequence[Scale]) -> list[str]:
    """What grows with the fleet that should not, in words."""
    last = rows[-1]
    found = [
        f"{row.hosts} stand-ins: {row.connections:g} connections and {row.commands:g} commands each, expected 1 and 1"
        for row in rows
        if (row.connections, row.commands) != (1, 1)
    ]
    if last.most > AT_ONCE + LATE or last.descriptors > AT_ONCE + FILES:
        held = f"{last.most} connections and {last.descriptors} files"
        found.append(
            f"a plan over {last.hosts} hosts has {held} open at once, expected {AT_ONCE} (+ {LATE}) connections"
        )
    return found + [
        line for few, some, many in zip(rows, rows[1:], rows[2:], strict=False) for line in _steeper(few, some, many)
    ]


def _steeper(few: Scale, some: Scale, many: Scale) -> Iterator[str]:
    """What a further host takes more of when there are many: without start-up, which all of them pay once."""
    for name, most in (("cpu", GROWTH), ("memory", GROWTH), ("seconds", PACE)):
        before, after = further(name, few, some), further(name, some, many)
        if after > most * before:
            yield f"{name} of a further host: {after:g} up to {many.hosts}, {before:g} up to {some.hosts}, > {most} x"


def further(name: str, few: Scale, many: Scale) -> float:
    """Of a column: what one host more takes, between two sizes."""
    found: float = (getattr(many, name) - getattr(few, name)) / (many.hosts - few.hosts)
    return found


def recorded(host: Host, data: dict[str, Any]) -> str:
    """What a real host answers to a probe, up to its last line."""
    question = ProbeRequest.create(read_fleet({host.name: data}, Lockfile())[host.name])
    said = host.run("sh -s", stdin=question.script, timeout=60).stdout.lstrip("\n")
    body, done, _ = said.rpartition(f"{question.mark} done ")
    if not done:
        raise RuntimeError(f"{host.name} did not answer the probe whole")
    return body.replace(question.mark, PLACEHOLDER)


def _measured(count: int, data: dict[str, Any], recording: str) -> Scale:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        addresses = [f"127.7.{number // 250}.{number % 250 + 1}" for number in range(count)]
        with _standin(place, addresses, recording) as counts:
            inventory = _inventory(place, addresses, data)
            seconds, cpu, watched = _planned(inventory, count)
        said = counts()
    return Scale(
        count, seconds, cpu, watched.memory, watched.descriptors, said["most"],
        sum(said["connections"].values()) / count, sum(said["commands"].values()) / count,
    )  # fmt: skip


@contextmanager
def _standin(place: Path, addresses: list[str], recording: str) -> Iterator[Any]:
    """The stand-in, until it is told to end; gives what yields its counts then."""
    for name in ("host_key", "client_key"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / name)
    client = (place / "client_key.pub").read_text().split()[1]
    spec = {"addresses": addresses, "port": PORT, "host_key": str(place / "host_key"), "client": client}
    (place / "spec.json").write_text(json.dumps({**spec, "recording": recording}))
    process = subprocess.Popen(
        [BIN / "python", ROOT / "bench" / "standin.py", place / "spec.json"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    said: list[str] = []
    try:
        if process.stdout is None or process.stdout.readline() != "ready\n":
            raise RuntimeError("the stand-in did not start")
        yield lambda: json.loads(said[0])
        said.append(process.communicate(timeout=60)[0])
    finally:
        process.kill()
        process.wait()


def _inventory(place: Path, addresses: list[str], data: dict[str, Any]) -> Path:
    key = " ".join((place / "host_key.pub").read_text().split()[:2])
    known = place / "known_hosts"
    known.write_text("".join(f"[{address}]:{PORT} {key}\n" for address in addresses))
    ours = {**OURS, **data, "ssh_key": str(place / "client_key"), "ssh_known_hosts_file": str(known), "ssh_port": PORT}
    hosts = [(f"gpu-{number:04}", {"ssh_hostname": address}) for number, address in enumerate(addresses)]
    path = place / "fleet.py"
    path.write_text(f"standins = ({hosts!r}, {ours!r})\n")
    return path


def _planned(inventory: Path, count: int) -> tuple[float, float, Watched]:
    """Seconds from start to end, CPU seconds, and what it held at the most; the plan is empty for every host."""
    with (inventory.parent / "report.json").open("w+") as out:
        begin = time.perf_counter()
        process = subprocess.Popen(
            [BIN / "fleethands", "plan", inventory, "--json"], cwd=ROOT, stdout=out, stderr=sys.stderr
        )
        watched = Watched(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        document = json.load(out)
    states = [each["status"] for each in document["hosts"].values()]
    if process.returncode or states != ["unchanged"] * count:
        odd = next((f"{name}: {each}" for name, each in document["hosts"].items() if each["status"] != "unchanged"), "")
        raise RuntimeError(f"a plan over {count} stand-ins ended with {process.returncode}: {odd[:500]}")
    return seconds, usage.ru_utime + usage.ru_stime, watched.end()


def main() -> None:
    """By itself, beside the running lab: `python -m bench.scale [HOSTS…]`."""
    from tests.lab.lab import Lab  # noqa: PLC0415

    from .no_op import declared  # noqa: PLC0415

    sizes = [int(word) for word in sys.argv[1:]] or SIZES
    for size in sizes:
        print(*measure(Lab.here()["lab-1"], declared()["lab-1"], [size]), flush=True)


if __name__ == "__main__":
    main()
