"""Twelve hosts with nothing to do: the product, the minimum, and a plain pyinfra deploy."""

from __future__ import annotations

import json
import runpy
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fleethands.facts.probe_request import ProbeRequest
from fleethands.settings import read_fleet
from tests.lab import sessions
from tests.lab.host import Host

from . import inside
from .timing import BIN, ROOT, Finished, alternating, median, timed

TARGET = "inventory/lab.py"
ROUNDS = 5
MOST = 2.0  # times the bare program's seconds
GUIDE = (BIN / "pyinfra", TARGET, "bench/guide_deploy.py", "-y")


@dataclass(frozen=True)
class Program:
    """
    One program over its runs: medians.

    + inside: seconds of connecting, probing and (the product) deciding, without start-up and imports; None: unknown
    """

    seconds: float
    cpu: float
    memory: float
    inside: float | None = None

    @classmethod
    def median_of(cls, runs: Sequence[Finished[Any]], inside: Sequence[float] = ()) -> Program:
        """The middle run."""
        return cls(
            median([run.seconds for run in runs]),
            median([run.cpu for run in runs]),
            median([run.memory for run in runs]),
            median(inside) if inside else None,
        )


@dataclass(frozen=True)
class NoOp:
    """
    What was measured on hosts with nothing to do.

    + stages: where the seconds of a plan go
    + wrong: the broken promises; empty without any
    """

    hosts: int
    plan: Program
    apply: Program
    bare: Program
    guide: Program
    stages: dict[str, float]
    wrong: list[str]


def measure(hosts: Sequence[Host]) -> NoOp:
    """Run all programs in turn, after a warm-up each, and compare sshd's count of commands with the product's."""
    wrong: list[str] = []
    _guide_once()
    with tempfile.TemporaryDirectory() as folder:
        spec = _spec(Path(folder) / "spec.json")
        plans, applies, bares, insides, guides = alternating(
            ROUNDS,
            lambda: _product(hosts, wrong, "plan"),
            lambda: _product(hosts, wrong, "apply", "--yes"),
            lambda: _bare(spec, len(hosts)),
            _inside,
            lambda: _guide(len(hosts)),
        )
    stages = {name: median([run.said[name] for run in insides]) for name in insides[0].said}
    plan = Program.median_of(plans, [run.said[inside.HOSTS] for run in insides])
    bare = Program.median_of(bares, [run.said["seconds"] for run in bares])
    found = NoOp(len(hosts), plan, Program.median_of(applies), bare, Program.median_of(guides), stages, wrong)
    for name, program in (("a plan", found.plan), ("an apply", found.apply)):
        ratio = program.seconds / bare.seconds
        if ratio > MOST:
            wrong.append(f"{name} takes {ratio:.2f} times the bare program's time, expected at most {MOST:g}")
    return found


def declared() -> dict[str, Any]:
    """Host → its data in the lab's inventory."""
    return dict(runpy.run_path(str(ROOT / TARGET))["lab"])


def _spec(path: Path) -> Path:
    """What the bare program needs: the addresses and keys of the inventory, and the probe's script."""
    data = declared()
    name, first = next(iter(data.items()))
    script = ProbeRequest.create(read_fleet({name: first})[name]).script
    addresses = {host: values["ssh_hostname"] for host, values in data.items()}
    known = {"key": first["ssh_key"], "known_hosts": first["ssh_known_hosts_file"], "user": first["ssh_user"]}
    path.write_text(json.dumps({"hosts": addresses, "script": script, **known}))
    return path


def _product(hosts: Sequence[Host], wrong: list[str], *words: str) -> Finished[dict[str, Any]]:
    """One run and its faults: a host with changes, or with a second command by either count."""
    with ThreadPoolExecutor() as pool:
        marks = list(pool.map(sessions.mark, hosts))
        run = timed([BIN / "fleethands", words[0], TARGET, "--json", *words[1:]])
        counts = list(pool.map(sessions.since, hosts, marks))
    document = json.loads(run.said)
    for host, counted in zip(hosts, counts, strict=True):
        report = document["hosts"].get(host.name, {"status": "missing", "remote_commands": 0})
        if report["status"] != "unchanged":
            wrong.append(f"{host.name}: {words[0]}: is {report['status']}, expected unchanged")
        if [report["remote_commands"], *counted.values()] != [1, 1]:
            wrong.append(
                f"{host.name}: {words[0]}: {report['remote_commands']} commands by the report,"
                f" {list(counted.values())} by sshd's log of each connection, expected 1 in 1 connection"
            )
    return replace(run, said=document)  # type: ignore[return-value]


def _guide_once() -> None:
    """Run the plain deploy once, so that it has nothing to do afterwards."""
    timed(GUIDE)


def _guide(count: int) -> Finished[dict[str, Any]]:
    run = timed([*GUIDE, "--json"])
    results = json.loads(run.said)["results"]
    changed = {host for row in results["operations"] for host in row["success"]}
    if changed or results["failed_hosts"]:
        raise RuntimeError(f"the plain deploy is not without anything to do: {sorted(changed)}")
    if max(len(row["no_change"]) for row in results["operations"]) != count:
        raise RuntimeError(f"the plain deploy did not reach {count} hosts")
    return replace(run, said=results)  # type: ignore[return-value]


def _bare(spec: Path, count: int) -> Finished[dict[str, Any]]:
    run = timed([BIN / "python", ROOT / "bench" / "bare.py", spec])
    said = json.loads(run.said)
    if len(said["bytes"]) != count or not all(said["bytes"].values()):
        raise RuntimeError(f"the bare program did not read {count} hosts: {run.said}")
    return replace(run, said=said)  # type: ignore[return-value]


def _inside() -> Finished[dict[str, Any]]:
    run = timed([BIN / "python", "-m", "bench.inside", TARGET])
    return replace(run, said=json.loads(run.said))  # type: ignore[return-value]
