"""Hosts without any way out: from a bare Debian to a proof with a bundle, and bundles that are refused."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fleethands.bundle.bundle import Bundle
from tests.lab import fleet
from tests.lab.bundles import BARE, NO_CLOUD, count_packets, create, cut_off, pack
from tests.lab.flavors import CANVAS, V0
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.many import QUIET, brought
from tests.lab.project import Project
from tests.lab.shell import run

NEW: dict[str, Any] = {**QUIET, "ollama_version": "0.24.1", "models": ["codellama:7b", "padded"]}
SITE: dict[str, Any] = {**NEW, "share": True, "share_keep": False, "site": "lab"}


@contextmanager
def bare(lab: Lab, suite: str, names: Sequence[str] = BARE) -> Iterator[list[Host]]:
    """Hosts with a Debian without Docker, curl, zstd and nftables."""
    lab.internet.clear_faults()
    lab.up(dict.fromkeys(names, f"{suite}-nodocker"))
    try:
        yield [lab[name] for name in names]
    finally:
        lab.trim(3)


@contextmanager
def counted_ssh(hosts: Iterable[Host]) -> Iterator[Callable[[], int]]:
    """Yields a function: the bytes that this machine has sent to the SSH servers of hosts."""
    rules = "\n".join(f"ip daddr {host.address} tcp dport 22 counter" for host in hosts)
    name = "fhbundlessh"
    chain = "type filter hook output priority 0;"
    run("nft", "-f", "-", stdin=f"table inet {name} {{ chain sent {{ {chain}\n{rules}\n}}\n}}\n")
    try:
        yield lambda: sum(
            int(each) for each in re.findall(r"bytes (\d+)", run("nft", "list", "table", "inet", name).stdout)
        )
    finally:
        run("nft", "delete", "table", "inet", name)


def size_of_new(path: Path, *names: str) -> int:
    """Bytes of the artifacts of a bundle that hosts do not have."""
    index = Bundle.open(path).index
    return index.size([each for each in index.artifacts if each.name.startswith(names)])


def what_is_left(host: Host) -> str:
    """Files, units and rules of a delivery."""
    return host.run(
        "ls -A /var/lib/fleethands/artifacts; ls -d /run/fleethands/share /run/fleethands/delivery;"
        " systemctl list-units --no-legend 'fleethands-relay*'; nft list tables | grep share; pgrep -a perl",
        check=False,
    ).stdout


def prove(lab: Lab, place: Path, suite: str, data: dict[str, Any]) -> None:
    """A bare host is proven, and nothing of it got out. A second run has nothing to do."""
    with bare(lab, suite) as (host,):
        project, path = create(lab, place, suite, data)
        with cut_off(host) as table:
            done = project.fleethands("apply", "--bundle", str(path), "--yes", "--json", timeout=900)
            assert done.code == 0, f"{fleet.trouble(done.document, 'lab-4')}\n{done.err}"
            again = project.fleethands("plan", "--bundle", str(path), "--json")
            assert count_packets(table) == 0
        found = again.document["hosts"]["lab-4"]
        assert (again.code, found["changes"], found["remote_commands"]) == (0, [], 1)
        assert host.run("ls /var/lib/fleethands/artifacts 2>/dev/null", check=False).stdout == ""


def test_a_bare_host_without_a_way_out_is_proven(lab: Lab, tmp_path: Path) -> None:
    prove(lab, tmp_path, "trixie", QUIET)


@pytest.mark.soak
@pytest.mark.timeout(1500)
@pytest.mark.parametrize(
    ("suite", "generation", "data"),
    [
        ("trixie", "openhands", V0),
        ("trixie", "canvas", CANVAS),
        ("bookworm", "openhands", V0),
        ("bookworm", "canvas", CANVAS),
    ],
    ids=["trixie, V0", "trixie, Canvas", "bookworm, V0", "bookworm, Canvas"],
)
def test_openhands_too(suite: str, generation: str, data: dict[str, Any], lab: Lab, tmp_path: Path) -> None:
    if generation == "canvas":
        lab.internet.offer("canvas")
    prove(lab, tmp_path, suite, data)


@pytest.mark.soak
@pytest.mark.parametrize("words", [(), ("--canary", "lab-1")], ids=["at once", "after a canary"])
def test_a_bundle_crosses_the_line_to_a_site_once(
    words: tuple[str, ...], lab: Lab, quiet_state: str, tmp_path: Path
) -> None:
    """Another release and another model. The batch behind a canary takes both from it."""
    hosts = brought(lab, 3, quiet_state)
    project = Project.laid(lab, tmp_path / "boxes", *hosts, **NO_CLOUD, **SITE)
    path = pack(project, tmp_path)
    since = time.time()
    with counted_ssh(hosts.values()) as sent:
        done = project.fleethands("apply", "--bundle", str(path), "--yes", "--json", *words, timeout=600)
        assert done.code == 0, f"{[fleet.trouble(done.document, name) for name in hosts]}\n{done.err}"
        size, count = size_of_new(path, "ollama-linux", "padded"), sent()

    found = done.document["hosts"]
    notes = {name: "\n".join(each["notes"]) for name, each in found.items()}
    assert "shared no downloads" not in "".join(notes.values())
    assert ("MiB from the neighbor" in notes["lab-2"], "MiB from the neighbor" in notes["lab-3"]) == (True, True), notes
    assert size <= count <= 1.1 * size, f"{count} bytes for {size}"
    assert [each.path for each in lab.internet.requests(since) if each.sent > 1000] == []
    for host in hosts.values():
        assert what_is_left(host) == "", host.name
    again = project.fleethands("plan", "--bundle", str(path), "--json").document["hosts"]
    assert [(each["changes"], each["remote_commands"]) for each in again.values()] == [([], 1)] * 3


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_bare_hosts_of_a_site_get_a_bundle_once(lab: Lab, tmp_path: Path) -> None:
    """Packages too, although the hosts have no nft when the first parts arrive."""
    names = ("lab-4", "lab-5")
    with bare(lab, "trixie", names) as hosts:
        project, path = create(
            lab, tmp_path, "trixie", {**QUIET, "share": True, "share_keep": False, "site": "lab"}, names
        )
        with counted_ssh(hosts) as sent:
            done = project.fleethands("apply", "--bundle", str(path), "--yes", "--json", timeout=600)
            count = sent()
        assert done.code == 0, f"{[fleet.trouble(done.document, name) for name in names]}\n{done.err}"

        notes = "\n".join(done.document["hosts"]["lab-5"]["notes"])
        assert "MiB from the neighbor" in notes, notes
        assert count <= 1.1 * size_of_new(path, ""), f"{count} bytes for {size_of_new(path, '')}"
        assert {host.name: what_is_left(host) for host in hosts} == dict.fromkeys(names, "")
        again = project.fleethands("plan", "--bundle", str(path), "--json").document["hosts"]
        assert [(each["changes"], each["remote_commands"]) for each in again.values()] == [([], 1)] * 2


@pytest.mark.soak
def test_a_user_with_sudo_gets_the_parts_too(lab: Lab, quiet_state: str, tmp_path: Path) -> None:
    (host,) = brought(lab, 1, quiet_state).values()
    project = Project.laid(lab, tmp_path / "boxes", host.name, ssh_user="admin", **NO_CLOUD, **NEW)
    path = pack(project, tmp_path)

    done = project.fleethands("apply", "--bundle", str(path), "--yes", "--json", timeout=600)

    assert done.code == 0, f"{fleet.trouble(done.document, host.name)}\n{done.err}"
    assert "Send the parts that are missing" in {
        each["operation"] for each in done.document["hosts"][host.name]["changes"]
    }
    assert what_is_left(host) == ""


def test_bundles_that_are_not_right_are_refused_by_name(lab: Lab, tmp_path: Path) -> None:
    with bare(lab, "trixie") as (host,):
        project, path = create(lab, tmp_path, "trixie", QUIET)
        whole = path.read_bytes()
        cases = {
            "truncated": (whole[: len(whole) // 2], "is truncated"),
            "tampered": (whole[:-5000] + bytes([whole[-5000] ^ 1]) + whole[-4999:], "is damaged"),
        }
        for name, (content, reason) in cases.items():
            other = tmp_path / f"{name}.bundle"
            other.write_bytes(content)
            done = project.fleethands("apply", "--bundle", str(other), "--yes")
            assert (done.code, f"{other} {reason}" in done.err) == (1, True), done.err
        lock = json.loads(project.lockfile.read_text())
        (name,) = lock["models"]
        lock["models"][name]["digest"] = "0" * 64
        project.lockfile.write_text(json.dumps(lock))
        done = project.fleethands("plan", "--bundle", str(path), "--json")
        found = done.document["hosts"]["lab-4"]
        assert (done.code, found["status"]) == (1, "refused")
        assert found["reason"].startswith(f"{path} is outdated: of model {name}")
        assert host.run("ls -d /var/lib/fleethands/artifacts /opt/ollama", check=False).stdout == ""
