"""fleethands.lock: written from the controller, held to by `fleethands` and stock pyinfra, whatever moves upstream."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.lab import fleet, observe
from tests.lab.host import Host
from tests.lab.internet.registry import Blob, Registry, compact
from tests.lab.lab import Lab
from tests.lab.project import Done, Project

OPENHANDS = "all-hands-ai/openhands"
NOBODY_S = "0" * 64
PULL = "Models | Pull what is missing"
RELEASE = "Ollama | Install the pinned release"
RUN = "OpenHands | Run the container"


def move_model(registry: Registry, name: str, tag: str) -> str:
    """Have a name of this lab's own stand for one of codellama's tags; its digest."""
    document = json.loads(registry.manifest("library/codellama", tag) or b"")
    for blob in (document["config"], *document["layers"]):
        registry.borrow(f"library/{name}", blob["digest"], "library/codellama")
    return registry.tag(f"library/{name}", "latest", compact(document)).removeprefix("sha256:")


def move_image(registry: Registry, tag: str, word: str) -> str:
    """Have a tag of this lab's own stand for the guide's image with another label; its digest."""
    document = json.loads(registry.manifest(OPENHANDS, "main") or b"")
    config = json.loads(registry.blob(OPENHANDS, document["config"]["digest"]))
    config["config"].setdefault("Labels", {})["io.fleethands.lab.pin"] = word
    blob = Blob.of(compact(config))
    registry.push(OPENHANDS, blob)
    described = {**document["config"], "digest": blob.digest, "size": blob.size}
    return registry.tag(OPENHANDS, tag, compact({**document, "config": described}))


def host_of(done: Done) -> dict[str, Any]:
    found: dict[str, Any] = done.document["hosts"]["lab-1"]
    return found


def applied(project: Project, stock_too: bool = False) -> list[str]:
    """What an apply changed; a second one changes nothing and costs one command, and pyinfra has nothing to do."""
    first = project.fleethands("apply", "--yes", "--json")
    assert first.code == 0, first.err
    again = project.fleethands("apply", "--yes", "--json")
    assert (again.code, again.document["result"], host_of(again)["remote_commands"]) == (0, "unchanged", 1), again.err
    if stock_too:
        stock = project.pyinfra("--json", "--dry")
        assert stock.code == 0, stock.err
        assert [row["names"] for row in stock.document["plan"] if row["hosts_with_change"]] == []
    return fleet.changes(first.document)


@pytest.fixture
def project(lab: Lab, tmp_path: Path) -> Project:
    """lab-1 with a model whose tag this test moves, and nothing pinned yet."""
    lab.internet.clear_faults()
    lab["lab-1"].restore("clean")
    name = f"pinned-{lab.site.ident}"
    move_model(lab.internet.registry, name, "7b")
    return Project.laid(lab, tmp_path / "boxes", "lab-1", models=[name], openhands_flavor="off")


def test_what_is_pinned_is_held_to_until_it_is_pinned_anew(lab: Lab, project: Project) -> None:
    name = f"pinned-{lab.site.ident}:latest"
    pinned = project.fleethands("pin")
    assert (pinned.code, project.fleethands("pin", "--check").code) == (0, 0), pinned.err
    old = json.loads(project.lockfile.read_text())["models"][name]["digest"]

    assert PULL in applied(project)
    new = move_model(lab.internet.registry, name.removesuffix(":latest"), "7b-instruct")

    # the host that has it keeps it, and the check says what moved
    assert applied(project, stock_too=True) == []
    check = project.fleethands("pin", "--check")
    assert check.code == 2
    assert check.err == (
        f"error: {name} moved: {old} is pinned, {new} is current\n\n"
        f"hint: pin what is current: fleethands pin inventory/lab.py --only {name}\n"
    )

    # one that lacks it can't get it, and is refused before anything changes
    lab["lab-1"].run(f"ollama rm {name}")
    for done in (project.fleethands("plan", "--json"), project.fleethands("apply", "--yes", "--json")):
        assert done.code == 1
        assert host_of(done)["status"] == "refused"
        assert host_of(done)["reason"] == f"the tag {name} moved: the registry has {new}, pinned is {old}"
        hint = f"on this machine: fleethands pin inventory/lab.py --only {name}"
        assert host_of(done)["hints"] == [f"if the new one is wanted, {hint}"]
    stock = project.pyinfra("-y")
    assert stock.code == 1
    assert f"error: the tag {name} moved: the registry has {new}, pinned is {old}" in stock.err

    renewed = project.fleethands("pin", "--json")

    assert renewed.document["changes"] == [{"kind": "model", "name": name, "from": old, "to": new}]
    assert PULL in applied(project)
    assert project.fleethands("pin", "--check").code == 0
    assert new in lab["lab-1"].run("curl -fsS localhost:11434/api/tags").stdout


@pytest.mark.soak
def test_an_archive_with_another_sha256_is_refused(lab: Lab, project: Project) -> None:
    assert project.fleethands("pin").code == 0
    assert RELEASE in applied(project)
    document = json.loads(project.lockfile.read_text())
    ((archive, right),) = document["ollama"]["0.24.0"].items()
    process = lab["lab-1"].run("systemctl show ollama -p MainPID --value").stdout
    document["ollama"]["0.24.0"][archive] = NOBODY_S
    project.lockfile.write_text(json.dumps(document))

    refused = project.fleethands("apply", "--yes", "--json")

    assert refused.code == 1
    reason = f"{archive} of Ollama 0.24.0 is not what was expected: expected sha256 {NOBODY_S}, received {right}"
    assert reason in host_of(refused)["reason"]
    command = "on this machine: fleethands pin inventory/lab.py --only 0.24.0"
    assert f"if upstream really replaced it, {command}" in host_of(refused)["hints"]
    assert lab["lab-1"].run("systemctl show ollama -p MainPID --value").stdout == process
    check = project.fleethands("pin", "--check")
    assert (check.code, right in check.err, NOBODY_S in check.err) == (2, True, True)

    assert project.fleethands("pin").code == 0
    assert RELEASE not in applied(project)


@pytest.mark.soak
@pytest.mark.timeout(1500)  # three containers, and a pull of the whole image
def test_an_image_is_run_by_its_digest_whatever_its_tag_becomes(lab: Lab, converged: Host, tmp_path: Path) -> None:
    registry, tag = lab.internet.registry, f"pin-{lab.site.ident}"
    image = f"ghcr.io/{OPENHANDS}:{tag}"
    old = move_image(registry, tag, "old")
    project = Project.laid(lab, tmp_path / "boxes", "lab-1", openhands_image=image, openhands_pull="always")
    assert applied_unpinned(project)[-2:] == [RUN, "Proof | Get an answer to a prompt"]
    container = observe.identity(converged).container

    assert project.fleethands("pin").code == 0
    assert applied(project) == []  # what runs is what was pinned
    assert observe.identity(converged).container == container
    new = move_image(registry, tag, "new")
    assert applied(project, stock_too=True) == []
    check = project.fleethands("pin", "--check")
    assert (check.code, old in check.err, new in check.err) == (2, True, True)

    # a host without any image gets the pinned one, though its tag is another's by now
    converged.run("docker rm --force openhands-app && docker image prune --all --force", timeout=120)
    assert RUN in applied(project)
    assert label(converged) == "old"

    assert project.fleethands("pin", "--only", image).code == 0
    planned = project.fleethands("plan", "--json")
    (change,) = [each for each in host_of(planned)["changes"] if each["task"] == "OpenHands"]
    assert change["from"] == f"made from another image than the pinned {new[:19]}"
    assert RUN in applied(project)
    assert label(converged) == "new"
    assert observe.proven(converged)


def applied_unpinned(project: Project) -> list[str]:
    done = project.fleethands("apply", "--yes", "--json")
    assert done.code == 0, done.err
    return fleet.changes(done.document)


def label(host: Host) -> str:
    words = "docker inspect openhands-app --format '{{index .Config.Labels \"io.fleethands.lab.pin\"}}'"
    return host.run(words).stdout.strip()
