"""`fleethands plan` over many hosts, for which one stand-in answers: the cost of each further host."""

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
from itertools import pairwise
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

SIZES = (50, 200, 1000, 10_000)
PORT = 2222
AT_ONCE = 32  # connections (engine/engine.py)
LATE = 4  # closed connections whose end the server has not noticed yet
FILES = 60  # other open files of a process
MEMORY = 200 << 20  # bytes of a plan over 1,000 hosts, at most
FURTHER_MEMORY = 60 << 10  # bytes of each further host, at most
CPU = 0.012  # seconds of each host, at most
THOUSAND = 1000  # hosts from which the start of the program hardly counts
PACE = 1.5  # limit of a further host's seconds in a large fleet, compared with a small one; the stand-in takes a part
OURS = {"ssh_user": "root", "ssh_allow_agent": False, "ssh_look_for_keys": False}


@dataclass(frozen=True)
class Scale:
    """
    One plan over a number of stand-ins.

    + seconds: from start to end of the process; cpu: CPU seconds of the process
    + memory: peak in bytes; descriptors: peak of open files and sockets
    + most: peak of connections; connections, commands: for each host
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
    """A plan over each number of stand-ins for this host, with its data."""
    ours = {key: value for key, value in data.items() if not key.startswith("ssh_")}
    recording = recorded(host, ours)
    return [_measured(count, ours, recording) for count in sizes]


def wrong(rows: Sequence[Scale]) -> list[str]:
    """What grows with the fleet and should not."""
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
    found += [line for row in rows for line in _too_much(row)]
    found += [line for few, many in pairwise(rows) for line in _too_much_more(few, many)]
    return found + [line for three in zip(rows, rows[1:], rows[2:], strict=False) for line in _slower(*three)]


def _too_much(row: Scale) -> Iterator[str]:
    """What a plan over a large fleet costs too much of."""
    if row.hosts >= THOUSAND and row.cpu / row.hosts > CPU:
        yield f"{row.hosts} hosts: {row.cpu / row.hosts * 1000:.1f} ms of CPU a host, expected at most {CPU * 1000:g}"
    if row.hosts == THOUSAND and row.memory > MEMORY:
        yield f"{row.hosts} hosts: {row.memory >> 20} MiB, expected at most {MEMORY >> 20}"


def _too_much_more(few: Scale, many: Scale) -> Iterator[str]:
    """What further hosts cost too much of, without start-up."""
    if (memory := further("memory", few, many)) > FURTHER_MEMORY:
        kib = FURTHER_MEMORY >> 10
        yield f"memory of a further host up to {many.hosts}: {memory / 1024:.0f} KiB, expected at most {kib}"
    if (cpu := further("cpu", few, many)) > CPU:
        yield f"CPU of a further host up to {many.hosts}: {cpu * 1000:.1f} ms, expected at most {CPU * 1000:g}"


def _slower(few: Scale, some: Scale, many: Scale) -> Iterator[str]:
    """Whether further hosts take longer in a large fleet."""
    before, after = further("seconds", few, some), further("seconds", some, many)
    if after > PACE * before:
        yield f"seconds of a further host: {after:g} up to {many.hosts}, {before:g} up to {some.hosts}, > {PACE} x"


def further(name: str, few: Scale, many: Scale) -> float:
    """The cost of one more host in a column, between two sizes."""
    found: float = (getattr(many, name) - getattr(few, name)) / (many.hosts - few.hosts)
    return found


def recorded(host: Host, data: dict[str, Any]) -> str:
    """A real host's answer to a probe, up to its last line."""
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
    """Run the stand-in. Yields a function that stops it and returns its counts."""
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
    """Measure one plan, which must be empty for every host."""
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
    """Alone, while the lab is up: `python -m bench.scale [HOSTS…]`."""
    from tests.lab.lab import Lab  # noqa: PLC0415

    from .no_op import declared  # noqa: PLC0415

    sizes = [int(word) for word in sys.argv[1:]] or SIZES
    for size in sizes:
        print(*measure(Lab.here()["lab-1"], declared()["lab-1"], [size]), flush=True)


if __name__ == "__main__":
    main()
