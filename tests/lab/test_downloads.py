"""Downloads with a limit: releases, models and images come by their parts, and the result is as without a limit."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.lab import fleet, observe
from tests.lab.flavors import CANVAS, V0
from tests.lab.fleet import fleethands, trouble
from tests.lab.host import Host
from tests.lab.internet.faults import Fault
from tests.lab.lab import Lab
from tests.lab.model_pulls import (
    apply_models,
    count_sent_bytes,
    find_digest,
    find_size,
    list_models,
)
from tests.lab.ollama_container import (
    CONTAINER_NAME,
    CONTAINER_SETTINGS,
    PROVE,
    PULL,
    SERVE,
    assert_unchanged,
    find_image,
)
from tests.lab.parts import LIMIT, SETTING, assert_nothing_left, list_parts, measure_rate, wait_for_part
from tests.lab.project import Project
from tests.lab.test_container_change import move_tag
from tests.lab.test_pin import applied as apply_project
from tests.lab.test_uninstall import listing

MODEL = "padded"
WEIGHTS = f"model:{MODEL}"


def test_a_release_and_a_model_keep_to_the_limit(lab: Lab, clean: Host) -> None:
    process = fleet.start("lab-1", openhands_flavor="off", models=["codellama:7b", MODEL], **SETTING)
    rate = measure_rate(clean)
    assert process.wait(300) == 0

    print(f"{rate / LIMIT:.3f} x the limit")
    assert 0.9 * LIMIT <= rate <= 1.1 * LIMIT, rate
    assert list_models(clean)["padded:latest"] == find_digest(lab)
    assert observe.proven(clean, observe.OLLAMA_LINKS)
    assert_nothing_left(clean)
    models = {"openhands_flavor": "off", "models": ["codellama:7b", MODEL]}
    assert_unchanged(**models, **SETTING)
    assert_unchanged(**models)  # the limit alone changes nothing


@pytest.mark.soak
def test_a_unit_that_is_killed_continues_where_it_was(lab: Lab, serving: Host) -> None:
    since = time.time()
    with lab.internet.fault(Fault(rate=20_000_000), WEIGHTS) as (path,):
        process = fleet.start("lab-1", openhands_flavor="off", models=["codellama:7b", MODEL], **SETTING)
        wait_for_part(serving, 30)
        serving.run("systemctl kill -s KILL 'fleethands-pull-*'")
        assert process.wait(60) == 1
        assert any(name.endswith(".part") for name in list_parts(serving))
        run = apply_models("codellama:7b", MODEL, **SETTING)

    assert run.code == 0, run.said
    assert list_models(serving)["padded:latest"] == find_digest(lab)
    assert count_sent_bytes(lab, since, path) <= 1.2 * find_size(lab)
    assert_nothing_left(serving)


@pytest.mark.soak
def test_a_controller_that_is_killed_costs_no_byte(lab: Lab, serving: Host) -> None:
    since = time.time()
    with lab.internet.fault(Fault(rate=20_000_000), WEIGHTS) as (path,):
        process = fleet.start("lab-1", openhands_flavor="off", models=["codellama:7b", MODEL], **SETTING)
        wait_for_part(serving, 20)
        process.kill()
        process.wait(30)
        run = apply_models("codellama:7b", MODEL, **SETTING)

    assert run.code == 0, run.said
    assert list_models(serving)["padded:latest"] == find_digest(lab)
    assert count_sent_bytes(lab, since, path) <= 1.05 * find_size(lab)
    assert_nothing_left(serving)


@pytest.mark.soak
def test_connections_that_are_cut_cost_no_byte_twice(lab: Lab, serving: Host) -> None:
    since = time.time()
    with lab.internet.fault(Fault(cut=30_000_000, times=4), WEIGHTS) as (path,):
        run = apply_models("codellama:7b", MODEL, download_limit="50 MiB/s")

    assert run.code == 0, run.said
    assert count_sent_bytes(lab, since, path) <= 1.05 * find_size(lab)
    assert_nothing_left(serving)


@pytest.mark.soak
def test_wrong_bytes_never_become_a_model_or_a_release(lab: Lab, serving: Host) -> None:
    with lab.internet.fault(Fault(flip=True), WEIGHTS):
        run = apply_models("codellama:7b", MODEL, download_limit="100 MiB/s")
    assert run.code == 1
    assert "has other bytes than its digest sha256:" in run.said
    assert "padded:latest" not in list_models(serving)
    assert list_parts(serving) == [] or not any(name.endswith(".part") for name in list_parts(serving))

    with lab.internet.fault(Fault(flip=True), "archive:0.24.1"):
        run = apply_models("codellama:7b", ollama_version="0.24.1", download_limit="100 MiB/s")
    assert run.code == 1
    assert "has other bytes than its digest sha256:" in run.said
    assert serving.run("readlink /opt/ollama/current").stdout.strip() == "0.24.0"

    run = apply_models("codellama:7b", MODEL, ollama_version="0.24.1", download_limit="100 MiB/s")
    assert run.code == 0, run.said
    assert list_models(serving)["padded:latest"] == find_digest(lab)
    assert_nothing_left(serving)


def count_layers(lab: Lab, since: float) -> set[int]:
    """How often each layer of Ollama's image was sent. The size of an image needs its config, which is small."""
    asked = [each for each in lab.internet.requests(since) if "/ollama/ollama/blobs/" in each.path]
    paths = [each.path for each in asked if each.sent > 100_000]
    return {paths.count(path) for path in paths}


@pytest.mark.soak  # test_bundle.py has a sample
def test_a_pinned_image_comes_by_its_parts(lab: Lab, clean: Host, tmp_path: Path) -> None:
    tag = f"0.24.0-parts-{lab.site.ident}"
    name, registry = f"ollama/ollama:{tag}", lab.internet.registry
    old = move_tag(registry, tag, "old")
    settings = {**CONTAINER_SETTINGS, "download_limit": "100 MiB/s"}
    project = Project.laid(lab, tmp_path / "boxes", "lab-1", **settings, ollama_image=name)
    assert project.fleethands("pin").code == 0

    since = time.time()

    assert PULL in apply_project(project)

    assert find_image(clean) == name
    assert count_layers(lab, since) == {1}
    assert old in clean.run(f"docker image inspect {name}").stdout  # Docker knows the digest
    assert apply_project(project) == []
    assert_nothing_left(clean, CONTAINER_NAME)
    clean.run(f"docker rm -f {CONTAINER_NAME}; docker rmi -f {name}")
    assert apply_project(project) == [PULL, SERVE, PROVE]
    move_tag(registry, tag, "new")
    assert apply_project(project) == []
    assert project.fleethands("pin", "--only", name).code == 0
    assert apply_project(project) == [PULL, SERVE, PROVE]
    assert apply_project(project) == []


@pytest.mark.soak
@pytest.mark.parametrize("openhands", [V0, CANVAS], ids=["gui", "canvas"])
def test_an_image_by_its_tag_and_a_removal(lab: Lab, clean: Host, openhands: dict[str, Any]) -> None:
    lab.internet.offer("canvas")
    before = listing(clean)
    data = {**openhands, "download_limit": "200 MiB/s"}
    code, done = fleethands("apply", timeout=600, **data)
    assert code == 0, trouble(done)
    assert {link.ok for link in observe.proof(clean)} == {True}
    assert_unchanged(**data)
    assert_unchanged(**openhands)  # the limit alone changes nothing
    assert_nothing_left(clean)

    code, done = fleethands("uninstall", "--models", "--workspaces", **data)

    assert code == 0, trouble(done)
    assert listing(clean) == before


@pytest.mark.soak
def test_a_removal_ends_a_download_that_still_runs(lab: Lab, serving: Host) -> None:
    process = fleet.start("lab-1", openhands_flavor="off", models=["codellama:7b", MODEL], **SETTING)
    wait_for_part(serving, 10)
    process.kill()
    process.wait(30)

    code, done = fleethands("uninstall", "--models", openhands_flavor="off")

    assert code == 0, trouble(done)
    assert list_parts(serving) == []
