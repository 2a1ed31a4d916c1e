"""Whose a container is, as the probe tells it."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fleethands.facts.docker import SPEC_LABEL, parse_docker
from fleethands.facts.docker_engine import DockerEngine, parse_engine
from fleethands.facts.network import Listener
from fleethands.facts.system import Space
from fleethands.operations.core.decision import Refused, Unchanged
from fleethands.operations.openhands import conflicts
from fleethands.operations.openhands import container as openhands_container
from fleethands.operations.openhands.container_spec import container_spec
from fleethands.operations.preflight import ports
from tests.answers import docker_script
from tests.hosts import bare, declared

MINE, MOVED = "sha256:" + "1" * 64, "sha256:" + "2" * 64
SPEC = {"fleethands.spec": "s", "fleethands.users": "1:1 1:1", "mine": "yes"}
MADE = {**SPEC, "fleethands.made": "m1"}


def inspected(value: dict[str, Any]) -> str:
    return base64.b64encode(json.dumps([value]).encode()).decode()


def image(labels: dict[str, str] | None, id: str = MINE) -> str:
    return inspected({"Id": id, "Config": {"Labels": labels}, "RepoDigests": []})


def container(labels: dict[str, str] | None) -> str:
    config = {"Labels": labels, "Image": "openhands:1"}
    return inspected({"Id": "c", "State": {"Status": "running", "StartedAt": ""}, "Image": MINE, "Config": config})


def labels_of(*lines: str) -> dict[str, str]:
    found = parse_docker(["version 26", *lines]).container
    assert found is not None
    return dict(found.labels)


@pytest.mark.parametrize("mine", [SPEC, MADE])
@pytest.mark.parametrize("inherited", [None, {}, {"mine": "yes"}, {"fleethands.spec": "other"}])
def test_labels_that_the_image_does_not_have_are_the_containers_own(
    mine: dict[str, str], inherited: dict[str, str] | None
) -> None:
    assert labels_of(f"container {container(mine)}", f"image {image(inherited)}") == mine
    moved = image({**mine, "fleethands.made": "m1"}, MOVED)
    assert labels_of(f"container {container(mine)}", f"image {moved}", f"origin {image(inherited)}") == mine


@pytest.mark.parametrize("mine", [SPEC, MADE])
def test_labels_that_an_image_handed_on_are_nobodys_word(mine: dict[str, str]) -> None:
    for more in ({}, {"fleethands.users": "0:0 0:0"}):
        its = container({**mine, **more})
        assert labels_of(f"container {its}", f"image {image(mine)}") == {"mine": "yes"}
        assert labels_of(f"container {its}", "image -", f"origin {image(mine)}") == {"mine": "yes"}


def test_a_container_of_ours_from_an_image_that_was_committed_from_ours_is_ours() -> None:
    again = {**MADE, "fleethands.made": "m2"}
    assert labels_of(f"container {container(again)}", f"image {image(MADE)}") == again


@pytest.mark.parametrize("lines", [("image -",), (f"image {image({}, MOVED)}",), ("image -", "origin -"), ()])
def test_where_the_image_is_not_known_nothing_says_that_it_is_ours(lines: tuple[str, ...]) -> None:
    assert labels_of(f"container {container(MADE)}", *lines) == {"mine": "yes"}


STANDIN = """#!/bin/sh
echo "$*" >>"$place/asked"
case $* in
  'info '*) echo '{"ServerVersion":"26","DockerRootDir":"/var/lib/docker","SecurityOptions":null}' ;;
  'container inspect openhands-app') cat "$place/container" ;;
  'image inspect '*) cat "$place/$3" 2>/dev/null || { echo "Error: No such image: $3" >&2; exit 1; } ;;
esac
"""


def probed(place: Path, image: str, objects: dict[str, dict[str, Any]]) -> tuple[list[str], list[str]]:
    """What the probe prints about Docker, and what it asked. `docker` is a stand-in with `OURS` and these images."""
    (place / "docker").write_text(STANDIN)
    (place / "docker").chmod(0o755)
    for name, each in {"container": OURS, **objects}.items():
        (place / name).write_text(json.dumps([each], indent=4))
    text = docker_script()
    head = f"""PATH={place}:$PATH place={place}; export PATH place
image_records={place}/records
container=openhands-app image={image} ports=3000 records=/none ollama_image='' ollama_container=none
"""
    stubs = """have() { [ "$1" != curl ]; }; need() { :; }
limit() { "$@"; }; disk_of() { :; }; before() { shift; "$@"; }
read_docker ''"""
    said = subprocess.run(["sh", "-c", head + text + stubs], capture_output=True, text=True, check=True)
    return said.stdout.splitlines(), (place / "asked").read_text().splitlines()


OURS = {
    "Id": "c",
    "Args": ['"Image": "sha256:0", "fleethands.spec"'],
    "State": {"Status": "running", "StartedAt": ""},
    "Image": MINE,
    "Config": {"Labels": SPEC, "Image": "openhands:1"},
}
PLAIN, COMMITTED = ({"Id": MINE, "Config": {"Labels": labels}} for labels in ({}, SPEC))
OTHER = {"Id": MOVED, "Parent": MINE, "Config": {"Labels": SPEC}}
ASKED = ["--version", "info --format {{json .}}", "container inspect openhands-app"]


def test_the_image_is_asked_for_its_labels_without_another_command_where_it_is_the_declared_one(tmp_path: Path) -> None:
    for image, ours in ((PLAIN, True), (COMMITTED, False)):
        (tmp_path / "asked").write_text("")
        said, asked = probed(tmp_path, "openhands:1", {"openhands:1": image})

        assert asked == [*ASKED, "image inspect openhands:1"]
        found = parse_docker(said).container
        assert found is not None
        assert (SPEC_LABEL in found.labels) == ours


@pytest.mark.parametrize("declared_image", [OTHER, None])
@pytest.mark.parametrize(("image", "ours"), [(PLAIN, True), (COMMITTED, False)])
def test_another_image_than_the_declared_one_is_asked_for(
    tmp_path: Path, declared_image: dict[str, Any] | None, image: dict[str, Any], ours: bool
) -> None:
    there = {"openhands:1": declared_image} if declared_image else {}
    said, asked = probed(tmp_path, next(iter(there), "''"), {**there, MINE: image})

    assert asked == [*ASKED, *(f"image inspect {name}" for name in (*there, MINE))]
    found = parse_docker(said).container
    assert found is not None
    assert (SPEC_LABEL in found.labels) == ours


PINNED = "sha256:" + "3" * 64


def test_an_image_that_was_loaded_is_found_by_the_digest_that_docker_does_not_know(tmp_path: Path) -> None:
    (tmp_path / "records").write_text(f"{PINNED} {MINE}\nno record\n{MOVED} sha256:$(id)\n")
    loaded = {"Id": MINE, "Config": {"Labels": {}}, "RepoDigests": []}

    said, asked = probed(tmp_path, f"openhands@{PINNED}", {MINE: loaded})

    assert asked[-2:] == [f"image inspect openhands@{PINNED}", f"image inspect {MINE}"]
    found = parse_docker(said)
    assert (found.image, found.digests) == (MINE, frozenset({PINNED}))


def test_a_loaded_image_that_somebody_removed_is_missing(tmp_path: Path) -> None:
    (tmp_path / "records").write_text(f"{PINNED} {MOVED}\n")

    said, _ = probed(tmp_path, f"openhands@{PINNED}", {MINE: PLAIN})

    assert parse_docker(said).image is None


def test_what_was_committed_and_run_under_our_name_is_refused_and_left_alone() -> None:
    settings = declared()
    spec = container_spec(settings, -1).digest
    handed = {"fleethands.spec": spec, "fleethands.made": "m1"}
    lines = ["version 26", f"container {container(handed)}", f"image {image(handed)}"]
    seen = bare(settings).replace(docker=parse_docker(lines))

    assert conflicts.has_foreign_container(seen)
    refused = openhands_container.serve.decide(settings, seen)
    assert isinstance(refused, Refused)
    assert refused.reason == "a container named openhands-app is there that fleethands did not make"
    assert openhands_container.remove.decide(settings, seen) == Unchanged("there is no managed container")


PUBLISHED = {
    "3000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "3000"}, {"HostIp": "", "HostPort": "3001"}],
    "1/udp": None,
}


@pytest.mark.parametrize(
    ("state", "labels", "listener", "ours"),
    [
        ("running", MADE, Listener(3000, "127.0.0.1", "slim-proxy", 7), True),
        ("running", MADE, Listener(3001, "*", "slim-proxy", 7), True),
        ("running", MADE, Listener(3001, "::", "", 0), True),
        ("running", MADE, Listener(3000, "10.0.0.1", "slim-proxy", 7), False),
        ("exited", MADE, Listener(3000, "127.0.0.1", "slim-proxy", 7), False),
        ("running", {}, Listener(3000, "127.0.0.1", "slim-proxy", 7), False),
    ],
)
def test_a_port_that_our_own_container_publishes_is_ours_whoever_holds_its_socket(
    state: str, labels: dict[str, str], listener: Listener, ours: bool
) -> None:
    row = {
        "Id": "c",
        "State": {"Status": state, "StartedAt": ""},
        "Image": MINE,
        "Config": {"Labels": labels, "Image": "openhands:1"},
        "HostConfig": {"PortBindings": PUBLISHED},
    }
    settings = declared(openhands_port=listener.port)
    found = parse_docker(["version 26", f"container {inspected(row)}", f"image {image({})}"])
    seen = bare(settings).replace(docker=found, sockets=(listener,))

    assert (ports.check_ports(settings, seen) is None) == ours


ENGINE_STANDIN = """#!/bin/sh
case $0 in
  */curl) cat "$place/info" && printf '\\n@@mark 200\\n' ;;
  *) case $* in --version) cat "$place/command" ;; *) cat "$place/info-of-command" ;; esac ;;
esac
"""


def probe_engine(place: Path, info: str, command: str = "", of_command: str = "") -> DockerEngine:
    """The engine as the probe tells it, where Docker's socket answers with `info`."""
    for name in ("curl", "docker"):
        (place / name).write_text(ENGINE_STANDIN)
        (place / name).chmod(0o755)
    for name, text in {"info": info, "command": command, "info-of-command": of_command}.items():
        (place / name).unlink(missing_ok=True)
        if text:
            (place / name).write_text(text)
    text = docker_script()
    head = f"""PATH={place}:$PATH place={place}; export PATH place
container=c image= ollama_image= ollama_container=none ports=3000 records=/none deadline=0 version=
"""
    stubs = """have() { [ "$1" != nvidia-container-runtime-hook ]; }
limit() { "$@"; }; before() { shift; "$@"; }
disk_of() { printf '%s\\n' '10 1024 ext2/ext3' 7 writable; }
docker_engine"""
    said = subprocess.run(["sh", "-c", head + text + stubs], capture_output=True, text=True, check=True)
    return parse_engine(said.stdout.splitlines())


def info(**more: object) -> str:
    """As the Engine API answers GET /info (moby api, 1.45): an object in one line."""
    facts = {"ID": "x", "ServerVersion": "26.1.5", "DockerRootDir": "/srv/docker", **more}
    return json.dumps(facts, separators=(",", ":"))


def test_an_engine_says_where_its_images_lie_and_how_it_confines(tmp_path: Path) -> None:
    options = ["name=seccomp,profile=builtin", "name=userns", "name=cgroupns"]
    found = probe_engine(tmp_path, info(SecurityOptions=options))

    assert (found.version, found.images, found.podman) == ("26.1.5", "/srv/docker", False)
    assert found.security == {"seccomp", "userns", "cgroupns"}
    assert found.room == Space(10, True, "7", "ext2/ext3")


def test_images_of_containerds_store_lie_with_containerd(tmp_path: Path) -> None:
    store = probe_engine(tmp_path, info(DriverStatus=[["driver-type", "io.containerd.snapshotter.v1"]])).images

    assert store.startswith("/")
    assert store != "/srv/docker"
    assert "containerd" in store


def test_what_somebody_wrote_into_a_label_is_nothing_that_the_engine_says(tmp_path: Path) -> None:
    lie = '"DockerRootDir":"/lie","SecurityOptions":["name=userns"],"BuildahVersion":"1"'
    found = probe_engine(tmp_path, info(ID=lie, Labels=[lie], SecurityOptions=None))

    assert (found.images, found.security, found.podman) == ("/srv/docker", frozenset(), False)


@pytest.mark.parametrize("root", ["relative", "", "/with space", "/with\nbreak"])
def test_a_directory_of_any_name_ends_the_probe_with_an_answer(tmp_path: Path, root: str) -> None:
    assert probe_engine(tmp_path, info(DockerRootDir=root)).version == "26.1.5"


def test_podman_is_known_behind_the_socket_and_behind_the_command(tmp_path: Path) -> None:
    assert probe_engine(tmp_path, info(BuildahVersion="1.39.3")).podman
    assert probe_engine(tmp_path, "", "podman version 5.4.2\n", "{}").podman


def test_an_engine_that_does_not_answer_is_no_engine(tmp_path: Path) -> None:
    stopped = info(ServerVersion="", DockerRootDir="")  # as docker-cli 26 says it, and succeeds
    assert probe_engine(tmp_path, "", "Docker version 26.1.5\n", stopped).version == ""
    assert probe_engine(tmp_path, "", "Docker version 26.1.5\n").version == ""


@pytest.mark.parametrize(
    "lines",
    [
        ["unit x"],
        ["unit /etc enabled"],
        ["unit a.service enabled now"],
        ["version 1", "version 2"],
        ["room 1 2 3"],
        ["room 1 2 ext2/ext3", "room 7", "room sideways"],
        ["podman 5"],
        ["images AAA"],
        ["rootless a\x1bb"],
    ],
)
def test_what_is_no_answer_about_an_engine_is_not_read(lines: list[str]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  whichever: the section is unknown then
        parse_engine(lines)
