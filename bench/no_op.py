"""Twelve hosts with nothing to do: `fleethands plan` beside the least that can be done."""

from __future__ import annotations

import json
import runpy
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleethands.facts.reading import Question
from fleethands.settings import read_fleet
from tests.lab import sessions
from tests.lab.host import Host

from .timing import BIN, ROOT, Finished, alternating, median, timed

TARGET = "inventory/lab.py"
ROUNDS = 5
MOST = 2.0  # times the bare program's wall time


@dataclass(frozen=True)
class Pair:
    """The product's seconds and those of the bare program, for the same thing."""

    product: float
    bare: float

    @property
    def ratio(self) -> float:
        return self.product / self.bare


@dataclass(frozen=True)
class NoOp:
    """
    What was measured; seconds are medians.

    + whole: from the start of each process to its end
    + inside: reaching the hosts, reading them and (the product) deciding; no start-up, no imports
    + stages: where the product's seconds go
    + wrong: what is not as promised, in words; empty when all is
    """

    hosts: int
    whole: Pair
    inside: Pair
    stages: dict[str, float]
    wrong: list[str]


def measure(hosts: Sequence[Host]) -> NoOp:
    """Both programs in turn, after a warm-up each; sshd's own count beside the product's."""
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        spec = _spec(Path(folder) / "spec.json")
        plans, bares, insides = alternating(
            ROUNDS, lambda: _plan(hosts, wrong), lambda: _bare(spec, len(hosts)), _inside
        )
    stages = {name: median([run.said[name] for run in insides]) for name in insides[0].said}
    within = [run.said["connect"] + run.said["probe and decide"] for run in insides]
    whole = Pair(median([run.seconds for run in plans]), median([run.seconds for run in bares]))
    inside = Pair(median(within), median([run.said["seconds"] for run in bares]))
    if whole.ratio > MOST:
        wrong.append(f"a plan takes {whole.ratio:.2f} times the bare program's time, expected at most {MOST:g}")
    return NoOp(len(hosts), whole, inside, stages, wrong)


def _spec(path: Path) -> Path:
    """What the bare program needs to do the same: the addresses and keys of the inventory, the text of the probe."""
    data: dict[str, Any] = dict(runpy.run_path(str(ROOT / TARGET))["lab"])
    name, first = next(iter(data.items()))
    script = Question.about(read_fleet({name: first})[name]).script
    addresses = {host: values["ssh_hostname"] for host, values in data.items()}
    known = {"key": first["ssh_key"], "known_hosts": first["ssh_known_hosts_file"], "user": first["ssh_user"]}
    path.write_text(json.dumps({"hosts": addresses, "script": script, **known}))
    return path


def _plan(hosts: Sequence[Host], wrong: list[str]) -> Finished[dict[str, Any]]:
    """One plan, and what is wrong with it: a host with something to do, or with a second command by either count."""
    with ThreadPoolExecutor() as pool:
        marks = list(pool.map(sessions.mark, hosts))
        run = timed([BIN / "fleethands", "plan", TARGET, "--json"])
        counts = list(pool.map(sessions.since, hosts, marks))
    document = json.loads(run.said)
    for host, counted in zip(hosts, counts, strict=True):
        report = document["hosts"].get(host.name, {"status": "missing", "remote_commands": 0})
        if report["status"] != "unchanged":
            wrong.append(f"{host.name}: is {report['status']}, expected unchanged")
        if [report["remote_commands"], *counted.values()] != [1, 1]:
            wrong.append(
                f"{host.name}: {report['remote_commands']} commands by the report,"
                f" {list(counted.values())} by sshd's log of each connection, expected 1 in 1 connection"
            )
    return Finished(run.seconds, document)


def _bare(spec: Path, count: int) -> Finished[dict[str, Any]]:
    run = timed([BIN / "python", ROOT / "bench" / "bare.py", spec])
    said = json.loads(run.said)
    if len(said["bytes"]) != count or not all(said["bytes"].values()):
        raise RuntimeError(f"the bare program did not read {count} hosts: {run.said}")
    return Finished(run.seconds, said)


def _inside() -> Finished[dict[str, Any]]:
    run = timed([BIN / "python", "-m", "bench.inside", TARGET])
    return Finished(run.seconds, json.loads(run.said))
