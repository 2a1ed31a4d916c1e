"""Ollama's container replaces the service, another image, an installation of install.sh, and is replaced by them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.lab import observe
from tests.lab.fleet import changes, fleethands, trouble
from tests.lab.host import Host
from tests.lab.internet.registry import Blob, Registry, compact
from tests.lab.lab import Lab
from tests.lab.many import QUIET
from tests.lab.ollama_container import (
    CONTAINER_NAME,
    CONTAINER_SETTINGS,
    IMAGE,
    MODELS,
    NEWER_IMAGE,
    PROVE,
    PULL,
    SERVE,
    UNIT,
    apply_settings,
    assert_unchanged,
    find_image,
    list_model_files,
    requests_since,
)
from tests.lab.project import Project
from tests.lab.test_adoption import blobs, install
from tests.lab.test_pin import applied as apply_project


def move_tag(registry: Registry, tag: str, word: str) -> str:
    """Have a tag of this lab's own stand for the image with another label; its digest."""
    repository = "ollama/ollama"
    document = json.loads(registry.manifest(repository, "0.24.0") or b"")
    config = json.loads(registry.blob(repository, document["config"]["digest"]))
    config["config"]["Labels"]["io.fleethands.lab.pin"] = word
    blob = Blob.of(compact(config))
    registry.push(repository, blob)
    described = {**document["config"], "digest": blob.digest, "size": blob.size}
    return registry.tag(repository, tag, compact({**document, "config": described}))


@pytest.mark.soak
def test_from_the_service_to_the_container_and_back_nothing_is_downloaded_again(lab: Lab, clean: Host) -> None:
    service: dict[str, Any] = {**QUIET, "models": MODELS}
    container = {**service, "ollama_runtime": "container"}
    apply_settings(**service)
    before, asked = list_model_files(clean), len(lab.internet.requests())

    assert apply_settings(**container) == [PULL, UNIT, "Ollama | Write the override", SERVE, PROVE]
    assert (list_model_files(clean), find_image(clean)) == (before, IMAGE)
    assert apply_settings(**service) == [UNIT, "Ollama | Write the override", SERVE, PROVE]
    assert (list_model_files(clean), find_image(clean)) == (before, "")
    assert clean.run("ls /etc/systemd/system/docker.service.wants", check=False).stdout == ""
    assert apply_settings(**container) == [UNIT, "Ollama | Write the override", SERVE, PROVE]

    assert (list_model_files(clean), find_image(clean)) == (before, IMAGE)
    later = requests_since(lab, asked)
    assert {each.path.split("/")[2] for each in later if "/blobs/" in each.path} <= {"ollama"}  # its own image
    assert not [each for each in later if each.host not in {"registry-1.docker.io", "auth.docker.io"}]


@pytest.mark.soak
def test_an_image_that_is_another_version_gives_way(contained: Host) -> None:
    contained.run(f"docker pull -q {NEWER_IMAGE} && docker tag {NEWER_IMAGE} mine/ollama:0.24.0")
    digest = contained.run(f"docker image inspect -f '{{{{index .RepoDigests 0}}}}' {NEWER_IMAGE}").stdout.strip()
    pid = observe.process(contained)

    # of the declared version by its name alone: only its answer tells
    code, done = fleethands("apply", "--no-rollback", **CONTAINER_SETTINGS, ollama_image="mine/ollama:0.24.0")
    told = trouble(done)
    assert code == 1, told
    assert "mine/ollama:0.24.0 answers at http://127.0.0.1:11434, but not as Ollama 0.24.0" in told
    assert "Ollama 0.24.0 serves again as before" in told
    assert find_image(contained) == IMAGE
    assert apply_settings(**CONTAINER_SETTINGS) == [PROVE]

    # the name that it has is given to another one
    contained.run(f"docker tag {NEWER_IMAGE} {IMAGE}")
    code, done = fleethands("apply", "--no-rollback", **CONTAINER_SETTINGS)
    assert (code, "Ollama 0.24.0 serves again as before" in trouble(done)) == (1, True), trouble(done)
    assert contained.run("curl -s localhost:11434/api/version").stdout == '{"version":"0.24.0"}'
    assert apply_settings(**CONTAINER_SETTINGS) == [PROVE]

    # one that is pulled has to say its version before anything is stopped
    contained.run(f"docker rmi -f mine/ollama:0.24.0 {NEWER_IMAGE}")
    pid = observe.process(contained)
    code, done = fleethands("apply", "--no-rollback", **CONTAINER_SETTINGS, ollama_image=digest)
    assert code == 1
    assert "is not Ollama 0.24.0; asked for its version, it says:" in trouble(done)
    assert observe.process(contained) == pid


@pytest.mark.soak
def test_an_upgrade_and_the_way_back_without_a_network(lab: Lab, contained: Host) -> None:
    newer = {**CONTAINER_SETTINGS, "ollama_version": "0.24.1"}
    assert apply_settings(**newer)[0] == PULL
    assert find_image(contained) == NEWER_IMAGE
    asked = len(lab.internet.requests())

    code, done = fleethands("rollback", **newer)

    assert code == 0, trouble(done)
    assert find_image(contained) == IMAGE
    assert requests_since(lab, asked) == []
    assert_unchanged(**CONTAINER_SETTINGS)


@pytest.mark.soak
def test_what_install_sh_put_there_is_taken_over_by_the_container(lab: Lab, clean: Host) -> None:
    install(clean)
    before, asked = list_model_files(clean), len(lab.internet.requests())
    data = {**CONTAINER_SETTINGS, "models": MODELS}
    code, found = fleethands("plan", **data)
    assert (code, found["hosts"]["lab-1"]["status"]) == (1, "refused")

    apply_settings(**data, ollama_adopt=True)

    assert (list_model_files(clean), find_image(clean)) == (before, IMAGE)
    assert blobs(lab, asked) == []


@pytest.mark.soak
def test_a_pinned_image_is_held_to_and_upstream_follows_its_tag(lab: Lab, clean: Host, tmp_path: Path) -> None:
    tag = f"0.24.0-{lab.site.ident}"
    name, registry = f"ollama/ollama:{tag}", lab.internet.registry
    old = move_tag(registry, tag, "old")
    project = Project.laid(lab, tmp_path / "boxes", "lab-1", **CONTAINER_SETTINGS, ollama_image=name)
    assert project.fleethands("pin").code == 0
    assert json.loads(project.lockfile.read_text())["images"] == {name: old}
    assert PULL in apply_project(project)
    new = move_tag(registry, tag, "new")

    assert apply_project(project) == []
    clean.run(f"docker rm -f {CONTAINER_NAME}; docker rmi -f {name}")
    assert apply_project(project) == [PULL, SERVE, PROVE]
    assert old in clean.run(f"docker image inspect {name}").stdout

    assert project.fleethands("pin", "--only", name).code == 0
    assert apply_project(project) == [PULL, SERVE, PROVE]
    assert (new in clean.run(f"docker image inspect {name}").stdout, find_image(clean)) == (True, name)

    project.lockfile.unlink()
    assert apply_project(project) == []
    newest = move_tag(registry, tag, "newest")
    done = project.fleethands("apply", "--upstream", "--yes", "--json")
    assert (done.code, changes(done.document)) == (0, [PULL, SERVE, PROVE]), done.err
    assert newest in clean.run(f"docker image inspect {name}").stdout
    assert apply_project(project) == []
