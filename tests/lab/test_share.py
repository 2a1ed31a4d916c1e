"""Hosts of a site download a model once, and leave nothing behind."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fleethands.operations.share.relay_scripts import IDLE
from tests.lab import fleet, observe
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.many import brought
from tests.lab.model_pulls import BLOBS, count_sent_bytes, find_digest, find_size, limit_rate, list_models
from tests.lab.project import Project

HOSTS = "lab-1,lab-2,lab-3"
SITE: dict[str, Any] = {"openhands_flavor": "off", "share": True, "site": "lab"}
MODELS: dict[str, Any] = {**SITE, "models": ["codellama:7b", "padded"]}
SLOW = 8_000_000  # bytes a second of the internet
FAULT = 10  # seconds that a host may cost the others
RELAY = "/run/fleethands/share"
PARTS = "/var/lib/fleethands/artifacts"
DOCKER_STATE = "docker"  # of hosts
CUT = (
    "nft add table inet cut; nft add chain inet cut out '{ type filter hook output priority 0; }'; "
    "nft add rule inet cut out"
)


def apply(**data: Any) -> dict[str, Any]:
    code, done = fleet.fleethands("apply", hosts=HOSTS, timeout=400, **data)
    assert code == 0, "\n".join(fleet.trouble(done, name) for name in done["hosts"])
    return done


def notes(document: dict[str, Any], host: str) -> str:
    return "\n".join(document["hosts"][host]["notes"])


def what_is_left(host: Host, keeps: bool = False) -> str:
    """
    Ports, units, rules and files of shared downloads.

    + keeps: kept parts and their list may be left
    """
    found = host.run(
        "ss -Hltn sport = :11439; systemctl list-units --no-legend 'fleethands-relay*' 'fleethands-fetch*';"
        f" nft list tables | grep share; ls -d {RELAY}; ls -A {PARTS}; pgrep -a perl || true",
        check=False,
    ).stdout
    allowed = {"kept", *(row.split()[2].replace(":", "-") for row in kept_rows(host))} if keeps else set()
    return "".join(line for line in found.splitlines(keepends=True) if line.strip() not in allowed)


def assert_clean(hosts: Iterable[Host], keeps: bool = False) -> None:
    assert {host.name: what_is_left(host, keeps) for host in hosts} == {host.name: "" for host in hosts}


def kept_rows(host: Host) -> list[str]:
    return host.run(f"cat {PARTS}/kept", check=False).stdout.splitlines()


def find_weights(lab: Lab) -> str:
    """The path of the weights of `padded` on a host."""
    manifest = json.loads(lab.internet.registry.manifest("library/padded", "latest") or b"")
    weights = max(manifest["layers"], key=lambda layer: int(layer["size"]))["digest"].replace(":", "-")
    return f"{BLOBS}/{weights}"


def await_model(lab: Lab, hosts: Iterable[Host], seconds: float) -> None:
    """Until each host has the weights of `padded` under their name. + seconds: for all hosts together"""
    end = time.monotonic() + seconds
    for host in hosts:
        host.run(f"until [ -e {find_weights(lab)} ]; do sleep 0.2; done", timeout=max(1, end - time.monotonic()))


def await_clean(hosts: Iterable[Host], seconds: float) -> None:
    """Until nothing is left. It has to take no longer than this."""
    end, hosts = time.monotonic() + seconds, list(hosts)
    while any(what_is_left(host) for host in hosts) and time.monotonic() < end:
        time.sleep(1)
    assert_clean(hosts)


def test_a_model_comes_from_the_internet_once(lab: Lab, quiet_state: str) -> None:
    hosts, since = brought(lab, 3, quiet_state), time.time()
    with limit_rate(lab, SLOW) as path:
        _, plan = fleet.fleethands("plan", hosts=HOSTS, **MODELS)
        done = apply(**MODELS)

    pulls = [
        change["consequence"]
        for change in plan["hosts"]["lab-2"]["changes"]
        if change["operation"] == "Pull what is missing"
    ]
    assert pulls[0].endswith(" from lab-1, or from the internet if no host of the site lab has it")
    assert "shared no downloads" not in "".join(notes(done, name) for name in hosts)
    assert count_sent_bytes(lab, since, path) <= 1.05 * find_size(lab)
    for name, host in hosts.items():
        assert list_models(host)["padded:latest"] == find_digest(lab), name
    for name in ("lab-2", "lab-3"):
        assert "MiB from the neighbor" in notes(done, name)
    assert_clean(hosts.values())
    assert [host["changes"] for host in fleet.fleethands("plan", hosts=HOSTS, **MODELS)[1]["hosts"].values()] == [
        []
    ] * 3

    add_a_host_without_internet(lab, hosts["lab-3"], quiet_state)


def add_a_host_without_internet(lab: Lab, host: Host, quiet_state: str) -> None:
    """A host that is added later takes a pinned model from the others."""
    host.restore(quiet_state)
    host.run(f"{CUT} ip daddr {lab.gateway} tcp dport '{{ 80, 443, 5000 }}' reject")
    pinned = {**SITE, "models": ["codellama:7b", {"name": "padded", "digest": find_digest(lab)}]}
    done = apply(**pinned)
    assert "MiB from the neighbor" in notes(done, host.name)
    assert list_models(host)["padded:latest"] == find_digest(lab)
    assert_clean([lab[f"lab-{number}"] for number in (1, 2, 3)])


@pytest.mark.soak
def test_a_controller_that_is_killed_stops_nothing(lab: Lab, quiet_state: str) -> None:
    hosts, since = brought(lab, 3, quiet_state), time.time()
    with limit_rate(lab, SLOW) as path:
        process = fleet.begin("apply", hosts=HOSTS, **MODELS)
        hosts["lab-2"].run(f"until ls {RELAY}/wanted/* >/dev/null 2>&1; do sleep 0.1; done", timeout=60)
        time.sleep(3)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        await_model(lab, hosts.values(), 1.4 * find_size(lab) / SLOW + FAULT)
        assert count_sent_bytes(lab, since, path) <= 1.05 * find_size(lab)
    assert what_is_left(hosts["lab-1"])  # the last request was seconds ago
    await_clean(hosts.values(), IDLE + FAULT)
    apply(**MODELS)
    assert_clean(hosts.values())


@pytest.mark.soak
def test_after_ctrl_c_nothing_is_left(lab: Lab, quiet_state: str) -> None:
    hosts = brought(lab, 3, quiet_state)
    with limit_rate(lab, 5 * SLOW):
        process = fleet.begin("apply", hosts=HOSTS, **MODELS)
        hosts["lab-2"].run(f"until ls {RELAY}/wanted/* >/dev/null 2>&1; do sleep 0.1; done", timeout=60)
        os.kill(process.pid, signal.SIGINT)  # each host finishes its current step
        process.communicate(timeout=find_size(lab) / SLOW + 60)
    assert_clean(hosts.values())


@pytest.mark.soak
def test_a_host_that_cannot_reach_the_others_downloads_itself(lab: Lab, quiet_state: str) -> None:
    hosts, since = brought(lab, 3, quiet_state), time.time()
    hosts["lab-2"].run(f"{CUT} tcp dport 11439 drop")
    with limit_rate(lab, SLOW) as path:
        done = apply(**MODELS)

    assert f"neighbor {hosts['lab-1'].address} does not answer" in notes(done, "lab-2")
    assert count_sent_bytes(lab, since, path) <= 2.05 * find_size(lab)
    ended = {name: float(host.run(f"stat -c %.Y {find_weights(lab)}").stdout) for name, host in hosts.items()}
    assert ended["lab-2"] - ended["lab-1"] <= FAULT + 10
    assert ended["lab-3"] - ended["lab-1"] <= FAULT + 10
    assert_clean(hosts.values())


@pytest.mark.soak
def test_uninstall_during_a_run_removes_the_relay(lab: Lab, quiet_state: str) -> None:
    hosts = brought(lab, 3, quiet_state)
    with limit_rate(lab, SLOW):
        process = fleet.begin("apply", hosts=HOSTS, **MODELS)
        hosts["lab-1"].run(f"until ls {RELAY}/wanted/* >/dev/null 2>&1; do sleep 0.1; done", timeout=60)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        code, done = fleet.fleethands("uninstall", hosts=HOSTS, timeout=300)

    assert code == 0, fleet.trouble(done)
    assert_clean(hosts.values())


@pytest.fixture
def docker_state(lab: Lab, converged_state: str) -> Iterator[str]:
    """All packages and Docker, without Ollama and images: a host without internet could not install the packages."""
    host = lab["lab-1"]
    host.restore(converged_state)
    code, done = fleet.fleethands("uninstall", "--models", "--workspaces", timeout=300)
    assert code == 0, fleet.trouble(done)
    host.save(DOCKER_STATE)
    yield DOCKER_STATE
    lab.drop_state(DOCKER_STATE)


def apply_project(project: Project) -> dict[str, Any]:
    done = project.fleethands("apply", "--yes", "--json", timeout=600)
    assert done.code == 0, done.err
    hosts: dict[str, Any] = done.document["hosts"]
    return hosts


def assert_unchanged(project: Project) -> None:
    """A second apply costs one command a host."""
    found = {name: (host["status"], host["remote_commands"]) for name, host in apply_project(project).items()}
    assert found == dict.fromkeys(project.hosts, ("unchanged", 1))


def assert_keeps_all(host: Host) -> None:
    """The list has the release and the image, and each part has the bytes of its digest."""
    rows = kept_rows(host)
    assert {row.split()[0] for row in rows} == {"release", "image"}
    digests = host.run(f"cd {PARTS} && sha256sum sha256-*").stdout.split("\n")
    found = {line.split()[1]: line.split()[0] for line in digests if line}
    assert set(found) == {row.split()[2].replace(":", "-") for row in rows}
    assert all(name == f"sha256-{digest}" for name, digest in found.items())


@pytest.mark.soak
def test_a_host_added_later_gets_everything_from_its_neighbors(lab: Lab, docker_state: str, tmp_path: Path) -> None:
    hosts = brought(lab, 3, docker_state)
    data = {"share": True, "site": "lab", "models": ["codellama:7b"]}
    project = Project.laid(lab, tmp_path / "boxes", "lab-1", "lab-2", **data)
    assert project.fleethands("pin").code == 0
    done = apply_project(project)
    assert "shared no downloads" not in "".join(note for host in done.values() for note in host["notes"]), done
    assert_clean([hosts[name] for name in project.hosts], keeps=True)
    assert_unchanged(project)
    for name in project.hosts:
        assert_keeps_all(hosts[name])

    project = replace(project, hosts=tuple(hosts))
    project.declare(**data)
    add_to_site(lab, project, hosts["lab-3"])
    assert_unchanged(project)

    project.declare(**{**data, "share": False})
    changed = apply_project(project)
    assert [[change["operation"] for change in host["changes"]] for host in changed.values()] == [
        ["Remove kept parts"]
    ] * 3
    assert_clean(hosts.values())
    assert_unchanged(project)


def add_to_site(lab: Lab, project: Project, host: Host) -> None:
    """Release, image and model come from the neighbors, and nothing comes from the internet."""
    host.run(f"{CUT} ip daddr {lab.gateway} tcp dport '{{ 80, 443, 5000 }}' reject")
    since, planned = time.time(), project.fleethands("plan", "--json").document["hosts"][host.name]
    sources = [each["consequence"] for each in planned["changes"] if "downloads " in each["consequence"]]
    assert any("from neighbors of the site lab, because it does not reach github.com" in each for each in sources)

    done = apply_project(project)

    said = "\n".join(done[host.name]["notes"])
    for kind in ("release", "image", "model"):
        assert any(f": {kind} " in line and "MiB from the neighbor" in line for line in said.splitlines()), said
    assert [each.path for each in lab.internet.requests(since) if each.sent > 100_000] == []
    assert observe.proven(host)
    assert list_models(host)["codellama:7b"] == find_digest(lab, "codellama", "7b")
    assert_keeps_all(host)
    assert_clean([lab[name] for name in project.hosts], keeps=True)
