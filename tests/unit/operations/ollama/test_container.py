"""Ollama as a container: what is decided, what its unit runs, and what is read of it."""

from __future__ import annotations

import base64
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.docker import Docker, Image, Publisher, parse_docker
from fleethands.facts.docker_engine import DockerEngine
from fleethands.facts.network import Listener
from fleethands.facts.ollama import Ollama, Process, parse_process
from fleethands.facts.record import Record
from fleethands.facts.service import Service, UnitText
from fleethands.facts.system import Space
from fleethands.facts.upstream import required_downloads as upstream_wanted
from fleethands.operations.core import ownership, release_record
from fleethands.operations.core.decision import Change, Unchanged
from fleethands.operations.docker import engine
from fleethands.operations.ollama import adoption_checks, image, remove_ollama, service
from fleethands.operations.ollama.desired_process import DesiredProcess
from fleethands.operations.preflight import disk_space, ports
from fleethands.operations.rollback import rollback
from fleethands.pinning import registry
from fleethands.settings import packages
from fleethands.settings.apply_pins import find_pinnable
from fleethands.settings.pins import Pins
from tests.answers import docker_script
from tests.helpers.checkout import ROOT
from tests.hosts import bare, declared

IMAGE, ID, OTHER = "ollama/ollama:0.24.0", "sha256:" + "1" * 64, "sha256:" + "2" * 64
DIGEST = "sha256:" + "d" * 64
OFF: dict[str, Any] = {"openhands_flavor": "off", "ollama_runtime": "container"}
MADE = Docker(True, "26", ollama_image=Image(ID, frozenset({DIGEST})))


def running(settings: Any, revision: str = "r1", **changed: Any) -> Probe:
    """A host on which it serves."""
    wanted = DesiredProcess.for_host(settings, bare(settings).replace(docker=MADE), revision)
    made = replace(wanted.process, pid=7, started=1, inside=8)
    seen = service.serve.decide(settings, bare(settings).replace(docker=MADE), revision).predict(bare(settings))
    return seen.replace(docker=MADE, process=replace(made, **changed))


def test_what_serves_from_the_declared_image_stays() -> None:
    settings = declared(**OFF)

    same = service.serve.decide(settings, running(settings), "r1")

    assert isinstance(same, Unchanged)
    assert same.fact == f"Ollama 0.24.0 by {IMAGE}, revision r1, is served"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"image": OTHER}, f"it runs from another image than {IMAGE}"),
        ({"image": "", "exe": "/usr/bin/docker"}, "its container does not run"),
        ({"image": "", "exe": "/opt/ollama/0.24.0/bin/ollama"}, "it runs as a service"),
        ({"image": "", "exe": "/usr/bin/ollama"}, "it runs /usr/bin/ollama"),
        ({"environment": {}}, "its OLLAMA_HOST is not as declared"),
    ],
)
def test_another_process_is_replaced_with_the_reason(changed: dict[str, Any], why: str) -> None:
    settings = declared(**OFF)
    change = service.serve.decide(settings, running(settings, **changed), "r1")
    assert isinstance(change, Change)
    assert change.before == why
    assert change.after == f"Ollama 0.24.0 by {IMAGE}, revision r1"
    assert (change.script.values["image"], change.script.values["restart"]) == (IMAGE, "yes")


def test_a_service_takes_the_place_of_a_container() -> None:
    seen = running(declared(**OFF))
    change = service.serve.decide(declared(openhands_flavor="off"), seen, "r1")
    assert (change.before, change.script.values["image"]) == ("it runs in a container", "")


def test_an_image_is_pulled_where_it_is_missing_or_its_tag_moved() -> None:
    settings = declared(**OFF)
    seen = bare(settings).replace(docker=replace(MADE, ollama_image=None))
    absent = image.pull.decide(settings, seen)
    assert (absent.before, absent.after) == ("absent", "on the host")
    assert absent.consequence == f"downloads {IMAGE} (its source did not tell the size)"
    assert isinstance(image.pull.decide(settings, absent.predict(seen)), Unchanged)
    assert isinstance(image.pull.decide(settings, seen.replace(docker=MADE)), Unchanged)
    assert isinstance(image.pull.decide(settings, seen.replace(docker=MADE), newest=DIGEST), Unchanged)
    assert image.pull.decide(settings, seen.replace(docker=MADE), newest=OTHER).before == "an older image of that name"
    assert image.pull.decide(settings, bare(settings)).before == "not known: Docker does not run"


def test_a_rollback_gives_the_name_to_the_image_of_then() -> None:
    settings, seen = declared(**OFF), bare().replace(docker=MADE)
    assert isinstance(image.pull.decide(settings, seen, same=ID), Unchanged)
    change = image.pull.decide(settings, seen, same=OTHER)
    assert change.script.values | {"image": OTHER, "name": IMAGE} == change.script.values
    assert change.why == "its tag moved since"


def test_a_pinned_image_is_pulled_by_its_digest_and_has_its_name() -> None:
    settings = declared(**OFF).with_pins(Pins(images={IMAGE: DIGEST}))
    change = image.pull.decide(settings, bare(settings).replace(docker=Docker(True, "26")), newest=OTHER)
    assert change.script.values["image"] == f"ollama/ollama@{DIGEST}"
    assert change.script.values["name"] == IMAGE
    served = service.serve.decide(settings, change.predict(bare(settings)), "r1")
    assert (served.script.values["image"], served.script.values["pinned"]) == (IMAGE, f"ollama/ollama@{DIGEST}")


def test_a_container_needs_docker_and_no_release() -> None:
    settings = declared(**OFF)
    assert packages.ENGINE in packages.needed_packages(settings)
    assert "zstd" not in packages.needed_packages(settings)
    assert packages.ENGINE not in packages.needed_packages(declared(openhands_flavor="off"))
    assert isinstance(engine.start.decide(settings, bare(settings)), Change)
    assert {each.kind for each in upstream_wanted(settings)} == {"image", "model"}
    want = find_pinnable(settings)
    assert (want.release, want.images) == (None, (IMAGE,))
    assert find_pinnable(declared(**OFF, ollama_image=f"ollama/ollama@{DIGEST}")).images == ()


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (OFF, 'Ollama without Docker: declare `"ollama_runtime": "service"`'),
        ({}, 'OpenHands without Docker: declare `"openhands_flavor": "source"`'),
        (
            {"ollama_runtime": "container"},
            "OpenHands and Ollama without Docker: "
            'declare `"openhands_flavor": "source"` and `"ollama_runtime": "service"`',
        ),
    ],
)
def test_a_docker_that_will_not_do_is_refused_with_the_way_without_it(data: dict[str, Any], hint: str) -> None:
    settings = declared(**data)
    seen = bare(settings).replace(docker=Docker(True, "26", engine=DockerEngine("26", security=frozenset({"userns"}))))
    refused = engine.check_engine(settings, seen)
    assert refused is not None
    assert hint in refused.hints


def test_the_room_for_its_image_is_looked_for_where_docker_keeps_images() -> None:
    settings = declared(**OFF)
    small = Docker(True, "26", engine=DockerEngine("26", images="/var/lib/docker", room=Space(100, True, "9")))
    refused = disk_space.check_disk_space(settings, bare(settings).replace(docker=small))
    assert refused is not None
    assert refused.reason == "/var/lib/docker has 0 MiB free, 4096 MiB are needed"
    assert (
        disk_space.check_disk_space(settings, bare(settings).replace(docker=replace(small, ollama_image=Image(ID))))
        is None
    )


def test_upstream_is_asked_what_its_tag_stands_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_model", lambda model, patience: registry.RegistryError("not asked here"))
    monkeypatch.setattr(registry, "_image", lambda name, patience: f"digest of {name}")
    pinned = declared(**OFF).with_pins(Pins(images={IMAGE: DIGEST}))

    assert registry.resolve_tags([declared(**OFF)], lambda line: None) == {IMAGE: f"digest of {IMAGE}"}
    assert registry.resolve_tags([pinned], lambda line: None) == {}


# GPUs


def test_the_process_is_that_of_the_container() -> None:
    exe, environ = (base64.b64encode(each).decode() for each in (b"/usr/bin/ollama", b"A=1\0B=2"))
    alone = Process(7, 99, "/usr/bin/ollama", {"A": "1", "B": "2"})
    assert parse_process([f"7 99 {exe}", environ]) == alone
    assert parse_process([f"7 99 {exe} 812 {ID}", environ]) == replace(alone, image=ID, inside=812)
    for wrong in ("812", "812 sha256:x", f"x {ID}", f"812 {ID} more"):
        with pytest.raises(ValueError):  # noqa: PT011
            parse_process([f"7 99 {exe} {wrong}", environ])


def test_docker_says_what_its_image_is_and_who_holds_a_port() -> None:
    row = base64.b64encode(json.dumps([{"Id": ID, "RepoDigests": [f"ollama/ollama@{DIGEST}"]}]).encode()).decode()
    lines = ["version 26", "gpus cdi", "container -", f"ollama_image {row}", "publisher 11434 theirs ollama/ollama:1"]
    found = parse_docker(lines)
    assert found.ollama_image == Image(ID, frozenset({DIGEST}))
    assert found.publishers == (Publisher(11434, "theirs", "ollama/ollama:1"),)
    assert found.engine.gpus == "cdi"
    assert parse_docker(["version 26", "container -", "ollama_image -"]).ollama_image is None


def test_a_process_is_traced_to_its_container(tmp_path: Path) -> None:
    number = "ab" * 32
    text = docker_script().replace("/proc/", f"{tmp_path}/")
    head = "container=c image= ollama_image= ollama_container=o ports=1 records=/none\n"
    known = {
        1: f"0::/system.slice/docker-{number}.scope\n", 2: f"1:name=systemd:/docker/{number}\n",
        3: "0::/system.slice/docker.service\n", 4: "0::/system.slice/ollama.service\n",
    }  # fmt: skip
    for pid, groups in known.items():
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "cgroup").write_text(groups)
    ask = "; ".join(f"container_of {pid}; echo {pid} $id" for pid in (*known, 5))
    done = subprocess.run(["sh", "-c", f"{head}{text}\n{ask}"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"1 {number}", f"2 {number}", "3", "4", "5"]


# whose a port is


def test_the_port_is_the_containers_own() -> None:
    settings = declared(**OFF)
    seen = running(settings).replace(sockets=(Listener(11434, "*", "ollama", 8),))
    assert ports.check_ports(settings, seen) is None
    assert ports.check_ports(settings, seen.replace(sockets=(Listener(11434, "*", "ollama", 9),))) is not None


@pytest.mark.parametrize("name", ["docker-proxy", "ollama"])
def test_an_ollama_in_a_container_is_named_with_the_line_that_declares_it(name: str) -> None:
    theirs = replace(MADE, publishers=(Publisher(11434, "theirs", "ollama/ollama:latest"),))
    seen = bare().replace(docker=theirs, sockets=(Listener(11434, "*", name, 9),), ollama=Ollama("0.20.0"))
    for data in (OFF, {"openhands_flavor": "off"}):
        refused = ports.check_ports(declared(**data), seen)
        assert refused is not None
        assert refused.reason == (
            f"port 11434 is held by `{name}` (pid 9) for the container `theirs` of ollama/ollama:latest, "
            "which fleethands did not make"
        )
        assert refused.hints == (
            "to replace it with a managed one, on the host: docker update --restart no theirs && docker stop theirs",
            "or have another port: `ollama_host`",
            'to use it as it is, declare "ollama_runtime": "external", "ollama_address": "http://127.0.0.1:11434"',
        )


# records


def proof_record(settings: Any, seen: Probe) -> Record:
    entry = json.loads(release_record.new_record(settings, seen).entry + "}")
    found = Record.parse(json.dumps({**entry, "time": "2026-11-29T10:00:00Z", "run": ""}).encode())
    assert found is not None
    return found


def test_a_record_holds_the_image_and_a_rollback_wants_it() -> None:
    settings = declared(**OFF)
    found = proof_record(settings, bare(settings).replace(docker=MADE))
    assert found.versions["ollama_image"] == {"name": IMAGE, "id": ID, "digest": DIGEST}
    assert "ollama_image" not in proof_record(declared(), bare()).versions
    way = rollback.RollbackTarget(settings, settings, found, place=paths.CURRENT_RECORD)
    assert way.ollama_image == ID
    assert rollback.RollbackTarget(declared(), declared(), found, place=paths.CURRENT_RECORD).ollama_image == ""
    assert found.same_as(found.declared, {**found.versions, "ollama_image": {"name": IMAGE, "id": ID}})
    assert not found.same_as(found.declared, {**found.versions, "ollama_image": {"name": IMAGE, "id": OTHER}})


# foreign files


def test_a_binary_of_somebody_elses_is_not_in_a_containers_way() -> None:
    seen = bare().with_file(paths.BINARY, replace(bare().files[paths.BINARY], kind="file"))
    assert adoption_checks.check_existing_ollama(declared(openhands_flavor="off"), seen) is not None
    assert adoption_checks.check_existing_ollama(declared(**OFF), seen) is None


@pytest.mark.parametrize(("line", "wins"), [("User=ollama", "which wins over our root"), ("User=root", "")])
def test_a_drop_in_that_changes_who_runs_dockers_client_is_refused(line: str, wins: str) -> None:
    path = "/etc/systemd/system/ollama.service.d/90-mine.conf"
    seen = bare().replace(service=Service((UnitText(path, f"[Service]\n{line}\n".encode()),)))
    refused = adoption_checks.check_existing_ollama(declared(**OFF), seen)
    assert (wins in refused.reason) if wins else refused is None  # type: ignore[union-attr]


def test_a_removal_takes_images_after_ollama() -> None:
    text = ROOT.joinpath("fleethands/tasks/removal.py").read_text()
    assert text.index("remove_ollama.remove") < text.index("removal.remove_images")
    seen = bare().with_file(
        paths.OLLAMA_UNIT, replace(bare().files[paths.OWNERSHIP_MANIFEST], kind="file", content=ownership.HEADER)
    )
    change = remove_ollama.remove.decide(declared(**OFF), seen)
    assert change.script.values["container"] == paths.OLLAMA_CONTAINER
