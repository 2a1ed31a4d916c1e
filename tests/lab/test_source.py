"""OpenHands without a container: built on its host from npm or from git, served by systemd, proven, replaced, removed.

A build takes minutes and 2 GB, so all of it is soak; what is built is kept in the lab's cache.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab import cache, fleet, observe
from tests.lab.flavors import CANVAS, TOOLS, until
from tests.lab.fleet import changes, fleethands
from tests.lab.host import Host
from tests.lab.internet import repositories
from tests.lab.internet.repositories import Repository
from tests.lab.lab import Lab
from tests.lab.test_uninstall import listing
from tests.lab.watching import seen, watching

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]  # a build takes up to ten minutes

BUILD, RUN = "OpenHands | Build OpenHands", "OpenHands | Run the service"
NPM: dict[str, Any] = {"openhands_flavor": "source", **TOOLS}
GUIDE = {**NPM, "openhands_repo": "https://github.com/All-Hands-AI/OpenHands"}
GIT = {**NPM, "openhands_repo": "https://github.com/OpenHands/OpenHands"}
LINKS = ["list", "generate-on-host", "context", "workspace", "generate-in-openhands", "openhands-answers"]
BUILT_FROM = (
    *(
        "operations/openhands/source_service.py",
        "operations/openhands/build_from_source.py",
        "operations/openhands/locks",
    ),
    *("operations/openhands/source_build", "operations/openhands/source_builder"),
)
OPENED = (3001, 8000, 11434, 18000, 18001, 18910, 18911, 18912, 18913)  # by Canvas, by its build, by Ollama
MINUTES = 60.0
BUILDING = 20 * MINUTES


def serves(host: Host, **data: Any) -> dict[str, Any]:
    """The product brings the host there, proves it, and finds nothing left to do by one command."""
    code, done = fleethands("apply", timeout=BUILDING, **data)
    assert code == 0, fleet.trouble(done)
    code, again = fleethands("apply", **data)
    assert (code, changes(again)) == (0, []), again
    assert again["hosts"]["lab-1"]["remote_commands"] == 1
    runs = "service" if data.get("openhands_flavor") == "source" else "container"
    assert {*LINKS, runs} <= set(held(host))
    assert leftovers(host) == []
    return done


def leftovers(host: Host) -> list[str]:
    """Work files, processes and owners that a build and its trial may leave, in addition to what any run may leave."""
    half = "find /opt/openhands-source -mindepth 1 -maxdepth 1 -type d ! -exec test -e {}/.fleethands \\; -print"
    files = "ls -d /run/fleethands/rehearsal* /run/fleethands/build /opt/openhands-source/*.before"
    living = "pgrep -a -u fleethands-build; systemctl list-units --all --plain --no-legend 'fleethands-[br]*'"
    owned = "find /opt/openhands-source ! -user root ! -path '*/cache*' -o -perm /7022 ! -type l ! -path '*/cache*'"
    more = host.run(f"{half}; {files}; {living}; {owned}", check=False)
    return [*observe.leftovers(host), *more.stdout.splitlines()]


def held(host: Host) -> list[str]:
    return [link.name for link in observe.proof(host) if link.ok]


def main_process(host: Host) -> str:
    return host.run("systemctl show openhands -p MainPID --value").stdout.strip()


@pytest.fixture
def outward(clean: Host) -> Iterator[Host]:
    """lab-1, as Debian left it, with the packages of the world in reach."""
    with clean.outward():
        yield clean


@pytest.fixture
def canvas_host(lab: Lab, clean: Host) -> Iterator[Host]:
    """lab-1 with Agent Canvas from npm, applied and proven at some time; made once for all labs of this machine."""
    folder = fleet.ROOT / "fleethands"
    files = [file for name in BUILT_FROM for file in _files(folder / name)]
    state = f"source-{cache.key(*files)}"
    if not lab.has_state(state):
        with clean.outward():
            serves(clean, **NPM)
        clean.save(state, shared=True)
    clean.restore(state)
    with clean.outward():
        yield clean


def _files(place: Path) -> list[Path]:
    return sorted(place.iterdir()) if place.is_dir() else [place]


@pytest.fixture
def upstream(lab: Lab) -> dict[str, Repository]:
    return lab.internet.offer_repositories()


def test_a_clean_host_serves_what_npm_has_and_does_so_after_a_reboot(lab: Lab, outward: Host) -> None:
    code, planned = fleethands("plan", **NPM)
    assert code == 2
    assert [each for each in changes(planned) if each in {BUILD, RUN}] == [BUILD, RUN]

    neighbour = lab["lab-2"]
    neighbour.restore("clean")
    with watching(neighbour, outward, OPENED) as seen_open:
        serves(outward, **NPM)
        assert seen_open() == set()
        outward.run("systemctl stop fleethands-firewall; nft delete table inet fleethands")
        until(neighbour, seen(outward, 3001, 8000), 20)
        outward.run("systemctl start fleethands-firewall")

    assert held(outward) == [
        *("list", "generate-on-host", "context", "model-tools", "service", "workspace"),
        *("generate-in-openhands", "openhands-answers", "openhands-model", "openhands-asks-model", "speed"),
    ]
    hidden(outward)
    outward.reboot()
    outward.run("until curl -fs -o /dev/null localhost:8000/ready; do sleep 0.2; done", timeout=240)
    assert changes(fleethands("plan", **NPM)[1]) == []
    code, deep = fleethands("verify", "--conversation", timeout=1000, **NPM)
    assert code == 0, fleet.trouble(deep)


def hidden(host: Host) -> None:
    """Canvas' key is in its file and its process, and nowhere else; its page asks for it."""
    key = host.run("sed -n s/^LOCAL_BACKEND_API_KEY=//p /etc/fleethands/canvas.env").stdout.strip()
    assert len(key) == 64
    shown = "journalctl -b -o cat; ps -eww -o args; systemctl show openhands"
    assert key not in host.run(f"{shown}; find /var/lib/fleethands -type f -exec cat {{}} +").stdout
    for command in ("plan", "status"):
        said = fleet.say(command, "--json", "--data", "openhands_flavor=source", "--data", 'models=["tiny-tools"]')[1]
        assert key not in said
    assert "401" in host.run("curl -s -o /dev/null -w '%{http_code}' localhost:8000/api/settings").stdout


def test_one_host_goes_from_container_to_service_and_back(lab: Lab, canvas_host: Host) -> None:
    lab.internet.offer("canvas")
    canvas_host.run("echo mine > /opt/openhands/workspace/notes; chown openhands: /opt/openhands/workspace/notes")

    for data in (CANVAS, NPM, TOOLS, NPM):
        serves(canvas_host, **data)
        owner = canvas_host.run("stat -c %u /opt/openhands/workspace /opt/openhands/workspace/notes").stdout.split()
        assert owner[0] == owner[1]
        assert canvas_host.run("cat /opt/openhands/workspace/notes").stdout == "mine\n"
        running = canvas_host.run("systemctl is-active openhands; docker ps -aq | wc -l", check=False).stdout.split()
        assert running == (["active", "0"] if data is NPM else ["inactive", "1"])

    code, off = fleethands("apply", openhands_flavor="off", **TOOLS)
    assert code == 0, off
    assert canvas_host.run("systemctl cat openhands; ls /opt/openhands-source", check=False).stdout == ""
    assert canvas_host.run("cat /opt/openhands/workspace/notes").stdout == "mine\n"
    assert changes(fleethands("apply", openhands_flavor="off", **TOOLS)[1]) == []


def test_one_that_does_not_start_gives_way_to_what_was_there(canvas_host: Host) -> None:
    serves(canvas_host, **NPM)

    code, failed = fleethands("apply", **NPM, openhands_env={"NODE_OPTIONS": "--require /no/such/file"})

    assert code == 1
    told = failed["hosts"]["lab-1"]
    assert "the previous one is running again" in told["reason"]
    assert told["status"] == "rolled-back"
    assert "/no/such/file" in "\n".join(told["log"])
    assert changes(fleethands("apply", **NPM)[1]) == []


def test_a_controller_that_is_killed_while_it_builds_is_made_up_for(outward: Host) -> None:
    run = fleet.start("lab-1", **NPM)
    outward.run("until ls -d /opt/openhands-source/*/tools; do sleep 0.5; done", timeout=5 * MINUTES)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()

    serves(outward, **NPM)


def test_all_of_it_goes_again(outward: Host) -> None:
    outward.run("apt-get -q update && apt-get -q -y install --no-install-recommends git python3-venv tmux", timeout=180)
    before = listing(outward)
    serves(outward, **NPM)

    code, done = fleethands("uninstall", "--models", "--workspaces", **NPM)

    assert code == 0, fleet.trouble(done)
    assert listing(outward) == before


def test_the_guides_repository_is_built_by_its_makefile(upstream: dict[str, Repository], outward: Host) -> None:
    serves(outward, **GUIDE)

    assert "openhands-model" in held(outward)
    root = outward.run("readlink -f /opt/openhands-source/git-*[0-9a-f]/checkout | sort -u").stdout.strip()
    assert "STAND-IN" in outward.run(f"cat {root}/LAB.txt").stdout
    commit = outward.run(f"cut -d ' ' -f 2 {root}/../.fleethands").stdout.strip()
    assert commit == outward.run(f"git -C {root} rev-parse HEAD").stdout.strip()
    assert 'model = "openai/tiny-tools:latest"' in outward.run("cat /etc/fleethands/config.toml").stdout
    assert "<title>OpenHands" in outward.run("curl -fsS localhost:3000/").stdout
    assert fleethands("verify", "--conversation", timeout=900, **GUIDE)[0] == 0
    moves(upstream[repositories.V0], outward)


def moves(repository: Repository, host: Host) -> None:
    """Another ref is built while the present build answers. So is a branch that moved."""
    tag = repository.commit("next", {"NEXT.txt": "1\n"})
    branch = {**GUIDE, "openhands_ref": "next", "openhands_generation": "v0", "openhands_pull": "always"}
    before, run = main_process(host), fleet.start("lab-1", **branch)
    answered = 0
    while not host.run(f"grep -rls {tag} /opt/openhands-source/*/.fleethands", check=False).stdout:
        assert run.poll() is None
        assert main_process(host) in {before, "0"} or answered
        answered += host.run("curl -fs -o /dev/null --max-time 20 localhost:3000/health", check=False).returncode == 0
        time.sleep(0.5)
    assert answered > 3
    assert run.wait(BUILDING) == 0
    assert main_process(host) != before
    assert changes(fleethands("apply", **branch)[1]) == []

    later = repository.commit("next", {"NEXT.txt": "2\n"}, onto=tag)

    assert later[:12] in fleet.say("plan", *[f"--data={k}={json.dumps(v)}" for k, v in branch.items()])[1]
    serves(host, **branch)
    assert later in host.run("cat /opt/openhands-source/*/.fleethands").stdout


def test_canvas_repository_is_built_by_npm(upstream: dict[str, Repository], outward: Host) -> None:
    wrong = upstream[repositories.CANVAS].commit("other", {"package.json": '{"name": "other"}\n'})
    code, refused = fleethands("apply", timeout=BUILDING, **GIT, openhands_ref=wrong)
    assert code == 1
    assert "is no OpenHands" in refused["hosts"]["lab-1"]["reason"]
    assert "declare another openhands_repo or openhands_ref" in refused["hosts"]["lab-1"]["hints"]

    serves(outward, **GIT)

    assert "openhands-asks-model" in held(outward)
    code, told = fleethands("apply", timeout=BUILDING, **GIT, openhands_generation="v0", openhands_ref="main")
    assert (code, told["hosts"]["lab-1"]["hints"]) == (1, ["declare openhands_generation: canvas"])
    assert fleethands("plan", **GIT)[0] in {0, 2}
    assert outward.run("curl -fsS localhost:8000/ready").stdout
