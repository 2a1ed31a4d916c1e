"""Ollama in upstream's container: installed, broken, repaired, replaced by the service and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.lab import observe, sessions
from tests.lab.fleet import changes, fleethands, trouble
from tests.lab.host import Host
from tests.lab.internet.registry import Blob, Registry, compact
from tests.lab.internet.service import Request
from tests.lab.lab import Lab
from tests.lab.many import QUIET
from tests.lab.project import Project
from tests.lab.test_adoption import install
from tests.lab.test_broken_ways import type_in
from tests.lab.test_pin import applied as held
from tests.lab.test_uninstall import listing

IMAGE, NEWER = "ollama/ollama:0.24.0", "ollama/ollama:0.24.1"
NAME = "fleethands-ollama"
CONTAINER: dict[str, Any] = {**QUIET, "ollama_runtime": "container"}
BOTH = ["codellama:7b", "tiny-tools"]
STORE = "/usr/share/ollama/.ollama/models"
OVERRIDE = "/etc/systemd/system/ollama.service.d/50-fleethands.conf"
THEIRS = "systemctl stop ollama && docker run --detach --name theirs --restart always {} " + IMAGE
PULL, UNIT = "Ollama | Pull its image", "Ollama | Write the unit"
SERVE, PROVE = "Ollama | Serve this revision", "Proof | Get an answer to a prompt"


def applied(**data: Any) -> list[str]:
    """What an apply changed; a second one has nothing to do."""
    code, done = fleethands("apply", **data)
    assert code == 0, trouble(done)
    assert_unchanged(**data)
    return changes(done)


def assert_unchanged(**data: Any) -> None:
    """Nothing is to be done, and that costs one command."""
    code, again = fleethands("plan", **data)
    assert (code, changes(again), again["hosts"]["lab-1"]["remote_commands"]) == (0, [], 1), again


def image(host: Host) -> str:
    """Of the container that serves; empty where a service does."""
    return host.run(f"docker ps --filter name={NAME} --format '{{{{.Image}}}}'").stdout.strip()


def moved(registry: Registry, tag: str, word: str) -> str:
    """Have a tag of this lab's own stand for the image with another label; its digest."""
    repository = "ollama/ollama"
    document = json.loads(registry.manifest(repository, "0.24.0") or b"")
    config = json.loads(registry.blob(repository, document["config"]["digest"]))
    config["config"]["Labels"]["io.fleethands.lab.pin"] = word
    blob = Blob.of(compact(config))
    registry.push(repository, blob)
    described = {**document["config"], "digest": blob.digest, "size": blob.size}
    return registry.tag(repository, tag, compact({**document, "config": described}))


def lasting(host: Host) -> list[str]:
    """Every file and Docker object, without the directories that each boot creates."""
    return [line for line in listing(host) if not line.startswith("/var/tmp/systemd-private-")]


def asked_of(lab: Lab, since: int) -> list[Request]:
    """Requests to the lab internet, without those that Ollama sends to ollama.com by itself."""
    return [each for each in lab.internet.requests()[since:] if each.host != "ollama.com"]


def files(host: Host) -> str:
    """Every file of the models: what it is on the disk, and whose."""
    return host.run(f"find {STORE} -type f -printf '%i %T@ %U:%G %s %P\\n' | sort").stdout


@pytest.fixture(scope="module")
def contained_state(lab: Lab) -> Iterator[str]:
    """A state in which Ollama serves from its container and is proven, without OpenHands."""
    lab.internet.clear_faults()
    host = lab["lab-1"]
    host.restore("clean")
    applied(**CONTAINER)
    host.save("contained")
    yield "contained"
    lab.drop_state("contained")


@pytest.fixture
def contained(lab: Lab, contained_state: str) -> Host:
    """lab-1, applied and proven with Ollama in its container."""
    lab.internet.clear_faults()
    host = lab["lab-1"]
    host.restore(contained_state)
    host.run("until curl -fs -o /dev/null localhost:11434/api/version; do sleep 0.05; done", timeout=30)
    return host


def test_a_new_host_is_proven_by_its_container(clean: Host) -> None:
    sessions.write_down(clean)

    code, done = fleethands("apply", **CONTAINER)

    assert code == 0, trouble(done)
    assert (image(clean), observe.proven(clean, observe.OLLAMA_LINKS)) == (IMAGE, True)
    assert clean.run("ls /opt/ollama", check=False).returncode != 0  # no release
    mark = sessions.mark(clean)
    assert_unchanged(**CONTAINER)
    assert list(sessions.since(clean, mark).values()) == [1]


@pytest.mark.soak
def test_openhands_has_it_a_boot_brings_it_back_and_a_removal_leaves_nothing(clean: Host) -> None:
    before = lasting(clean)
    data: dict[str, Any] = {"ollama_runtime": "container"}
    applied(**data)
    assert observe.proven(clean)
    clean.reboot()
    clean.run("until curl -fs -o /dev/null localhost:11434/api/version; do sleep 0.1; done", timeout=60)
    assert_unchanged(**data)
    code, verified = fleethands("verify", **data)
    assert (code, image(clean)) == (0, IMAGE), trouble(verified)

    code, done = fleethands("uninstall", "--models", "--workspaces", **data)

    assert code == 0, trouble(done)
    assert lasting(clean) == before


@dataclass(frozen=True)
class Break:
    """How it is broken, the expected message and the command that prints it; data: the settings."""

    how: str
    says: str
    command: str = "verify"
    data: dict[str, Any] = field(default_factory=lambda: CONTAINER)


WAYS = {
    "the image is gone": Break(
        f"docker rm -f {NAME}; docker rmi -f {IMAGE}",
        f"connection refused: nothing listens on port 11434, the image {IMAGE} is not on the host",
    ),
    "Docker is disabled": Break(
        "systemctl disable -q --now docker.socket docker.service",
        "connection refused: nothing listens on port 11434, "
        "Docker does not run (docker.service is inactive), and Ollama is a container",
    ),
    "another container publishes the port": Break(
        THEIRS.format("--publish 11434:11434"),
        f"for the container `theirs` of {IMAGE}, which fleethands did not make",
        "plan",
    ),
    "another container has the port of the host": Break(
        THEIRS.format("--network host") + " && until ss -Hltn sport = :11434 | grep -q .; do sleep 0.05; done",
        f"for the container `theirs` of {IMAGE}, which fleethands did not make",
        "plan",
    ),
    "the unit was stopped and disabled": Break(
        "systemctl disable -q --now ollama",
        "connection refused: nothing listens on port 11434, ollama.service is inactive",
    ),
}


@pytest.mark.soak
@pytest.mark.parametrize("name", WAYS)
def test_a_broken_one_is_found_with_its_cause_and_mended_by_its_hint(contained: Host, name: str) -> None:
    way = WAYS[name]
    contained.run(way.how, timeout=60)

    code, found = fleethands(way.command, **way.data)

    told = found["hosts"]["lab-1"]
    assert (code, way.says in told["reason"]) == (1, True), told
    hint = next(each for each in told["hints"] if ": fleethands" in each or "docker stop" in each)
    type_in(contained, hint if hint.startswith("on ") else f"on the host: {hint.partition('on the host: ')[2]}")
    fleethands("apply", **way.data)
    code, verified = fleethands("verify", **way.data)
    assert code == 0, trouble(verified)
    assert_unchanged(**way.data)


@pytest.mark.soak
def test_what_a_person_does_to_it_does_not_last(contained: Host) -> None:
    back = "until curl -fs -o /dev/null localhost:11434/api/version; do sleep 0.1; done"
    for done in (
        f"docker stop {NAME}",
        f"docker kill {NAME}",
        "kill -9 $(systemctl show ollama -p MainPID --value)",
        "systemctl restart docker",
        "systemctl stop docker docker.socket && systemctl start docker",
    ):
        contained.run(f"{done}; sleep 0.5; {back}", timeout=60)
        assert_unchanged(**CONTAINER)
    contained.run(f"sed -i s/0.0.0.0/127.0.0.1/ {OVERRIDE}; systemctl daemon-reload; systemctl restart ollama; {back}")

    assert applied(**CONTAINER) == ["Ollama | Write the override", SERVE, PROVE]


@pytest.mark.soak
def test_from_the_service_to_the_container_and_back_nothing_is_downloaded_again(lab: Lab, clean: Host) -> None:
    service: dict[str, Any] = {**QUIET, "models": BOTH}
    container = {**service, "ollama_runtime": "container"}
    applied(**service)
    before, asked = files(clean), len(lab.internet.requests())

    assert applied(**container) == [PULL, UNIT, "Ollama | Write the override", SERVE, PROVE]
    assert (files(clean), image(clean)) == (before, IMAGE)
    assert applied(**service) == [UNIT, "Ollama | Write the override", SERVE, PROVE]
    assert (files(clean), image(clean)) == (before, "")
    assert clean.run("ls /etc/systemd/system/docker.service.wants", check=False).stdout == ""
    assert applied(**container) == [UNIT, "Ollama | Write the override", SERVE, PROVE]

    assert (files(clean), image(clean)) == (before, IMAGE)
    later = asked_of(lab, asked)
    assert {each.path.split("/")[2] for each in later if "/blobs/" in each.path} <= {"ollama"}  # its own image
    assert not [each for each in later if each.host not in {"registry-1.docker.io", "auth.docker.io"}]


@pytest.mark.soak
def test_an_image_that_is_another_version_gives_way(contained: Host) -> None:
    contained.run(f"docker pull -q {NEWER} && docker tag {NEWER} mine/ollama:0.24.0")
    digest = contained.run(f"docker image inspect -f '{{{{index .RepoDigests 0}}}}' {NEWER}").stdout.strip()
    pid = observe.process(contained)

    # of the declared version by its name alone: only its answer tells
    code, done = fleethands("apply", "--no-rollback", **CONTAINER, ollama_image="mine/ollama:0.24.0")
    told = trouble(done)
    assert code == 1, told
    assert "mine/ollama:0.24.0 answers at http://127.0.0.1:11434, but not as Ollama 0.24.0" in told
    assert "Ollama 0.24.0 serves again as before" in told
    assert image(contained) == IMAGE
    assert applied(**CONTAINER) == [PROVE]

    # the name that it has is given to another one
    contained.run(f"docker tag {NEWER} {IMAGE}")
    code, done = fleethands("apply", "--no-rollback", **CONTAINER)
    assert (code, "Ollama 0.24.0 serves again as before" in trouble(done)) == (1, True), trouble(done)
    assert contained.run("curl -s localhost:11434/api/version").stdout == '{"version":"0.24.0"}'
    assert applied(**CONTAINER) == [PROVE]

    # one that is pulled has to say its version before anything is stopped
    contained.run(f"docker rmi -f mine/ollama:0.24.0 {NEWER}")
    pid = observe.process(contained)
    code, done = fleethands("apply", "--no-rollback", **CONTAINER, ollama_image=digest)
    assert code == 1
    assert "is not Ollama 0.24.0; asked for its version, it says:" in trouble(done)
    assert observe.process(contained) == pid


@pytest.mark.soak
def test_an_upgrade_and_the_way_back_without_a_network(lab: Lab, contained: Host) -> None:
    newer = {**CONTAINER, "ollama_version": "0.24.1"}
    assert applied(**newer)[0] == PULL
    assert image(contained) == NEWER
    asked = len(lab.internet.requests())

    code, done = fleethands("rollback", **newer)

    assert code == 0, trouble(done)
    assert image(contained) == IMAGE
    assert asked_of(lab, asked) == []
    assert_unchanged(**CONTAINER)


@pytest.mark.soak
def test_models_are_made_loaded_and_pruned_through_it(contained: Host, tmp_path: Path) -> None:
    file = tmp_path / "Modelfile"
    file.write_text("FROM codellama:7b\nSYSTEM Say OK.\n")
    models: list[Any] = [{"name": "codellama:7b", "preload": True}, {"name": "mine", "modelfile": str(file)}]
    data = {**CONTAINER, "models": models, "models_prune": True, "ollama_keep_alive": -1}

    applied(**data)

    assert "mine:latest" in contained.run("curl -s localhost:11434/api/tags").stdout
    assert "codellama:7b" in contained.run("curl -s localhost:11434/api/ps").stdout
    assert "Models | Remove what is not listed" in applied(**{**data, "models": models[:1]})
    code, verified = fleethands("verify", "--checksums", **{**data, "models": models[:1]})
    assert code == 0, trouble(verified)


@pytest.mark.soak
def test_models_behind_links_and_a_directory_of_their_own(clean: Host) -> None:
    clean.run("useradd -r -d /usr/share/ollama -s /bin/false ollama")
    clean.run("mkdir -p /data/store /data/own /usr/share/ollama && ln -s /data/store /usr/share/ollama/.ollama")
    clean.run("chown -hR ollama: /data/store /usr/share/ollama")
    applied(**CONTAINER)
    assert clean.run("ls /data/store/models/manifests").returncode == 0

    clean.run("ln -s /data/own /srv/models")
    applied(**CONTAINER, ollama_models_dir="/srv/models", ollama_env={"OLLAMA_API_KEY": "k", "OLLAMA_DEBUG": True})

    assert clean.run("ls /data/own/manifests").returncode == 0


@pytest.mark.soak
def test_a_link_of_ollamas_own_brings_no_place_of_roots_into_the_container(clean: Host) -> None:
    applied(**CONTAINER)
    clean.run("mkdir /root/open && echo secret > /root/open/file && chmod 755 /root/open && systemctl stop ollama")
    as_ollama = "setpriv --reuid ollama --regid ollama --init-groups sh -c"
    clean.run(f"cd /usr/share/ollama && {as_ollama} 'mv .ollama mine && ln -s /root/open .ollama'")

    clean.run("systemctl start ollama")

    places = f"docker ps -aq --filter name={NAME} | xargs -r docker inspect --format '{{{{.HostConfig.Binds}}}}'"
    seen = clean.run(f"for _ in $(seq 100); do {places} 2>/dev/null; sleep 0.05; done", timeout=60).stdout
    assert "/usr/share/ollama:/usr/share/ollama" in seen
    assert "/root" not in seen


@pytest.mark.soak
def test_what_install_sh_put_there_is_taken_over_by_the_container(lab: Lab, clean: Host) -> None:
    install(clean)
    before, asked = files(clean), len(lab.internet.requests())
    data = {**CONTAINER, "models": BOTH}
    code, found = fleethands("plan", **data)
    assert (code, found["hosts"]["lab-1"]["status"]) == (1, "refused")

    applied(**data, ollama_adopt=True)

    assert (files(clean), image(clean)) == (before, IMAGE)
    assert not [each for each in lab.internet.requests()[asked:] if "/library/" in each.path and "/blobs/" in each.path]


@pytest.mark.soak
def test_a_pinned_image_is_held_to_and_upstream_follows_its_tag(lab: Lab, clean: Host, tmp_path: Path) -> None:
    tag = f"0.24.0-{lab.site.ident}"
    name, registry = f"ollama/ollama:{tag}", lab.internet.registry
    old = moved(registry, tag, "old")
    project = Project.laid(lab, tmp_path / "boxes", "lab-1", **CONTAINER, ollama_image=name)
    assert project.fleethands("pin").code == 0
    assert json.loads(project.lockfile.read_text())["images"] == {name: old}
    assert PULL in held(project)
    new = moved(registry, tag, "new")

    assert held(project) == []
    clean.run(f"docker rm -f {NAME}; docker rmi -f {name}")
    assert held(project) == [PULL, SERVE, PROVE]
    assert old in clean.run(f"docker image inspect {name}").stdout

    assert project.fleethands("pin", "--only", name).code == 0
    assert held(project) == [PULL, SERVE, PROVE]
    assert (new in clean.run(f"docker image inspect {name}").stdout, image(clean)) == (True, name)

    project.lockfile.unlink()
    assert held(project) == []
    newest = moved(registry, tag, "newest")
    done = project.fleethands("apply", "--upstream", "--yes", "--json")
    assert (done.code, changes(done.document)) == (0, [PULL, SERVE, PROVE]), done.err
    assert newest in clean.run(f"docker image inspect {name}").stdout
    assert held(project) == []
