"""Hosts on which Ollama's account, store, way out or settings are not as upstream's installer leaves them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.lab import fleet, observe
from tests.lab.host import Host
from tests.lab.many import QUIET

MODEL = "codellama:7b"
ONE: dict[str, Any] = {**QUIET, "models": [MODEL]}
FIXTURES = Path(__file__).parents[1] / "fixtures"
OWN_MODELS = "Ollama | Give it its models"


def refused(**data: Any) -> tuple[str, list[str]]:
    """Reason and hints of a plan that is refused."""
    code, document = fleet.fleethands("plan", **data)
    told = document["hosts"]["lab-1"]
    assert (code, told["status"]) == (1, "refused"), told
    return told["reason"], told["hints"]


def typed(host: Host, hints: list[str]) -> None:
    """Those of the hints that are commands for the host, done there."""
    for hint in hints:
        _, on_host, command = hint.partition("on the host: ")
        if on_host:
            host.run(command)


def assert_unchanged(**data: Any) -> None:
    """A second apply changes nothing."""
    assert fleet.apply("lab-1", **data).changed("lab-1") == []


@pytest.mark.soak
def test_a_pinned_model_comes_into_the_home_that_the_account_has(clean: Host) -> None:
    clean.run("useradd -r -m -d /var/lib/ollama -s /bin/false ollama")
    assert fleet.apply("lab-1", **ONE).code == 0
    manifest = "/var/lib/ollama/.ollama/models/manifests/registry.ollama.ai/library/codellama/7b"
    digest = clean.run(f"sha256sum < {manifest}").stdout.split()[0]
    clean.run(f"ollama rm {MODEL}")
    pinned = {**ONE, "models": [{"name": MODEL, "digest": digest}]}

    run = fleet.apply("lab-1", **pinned)

    assert run.code == 0, run.said
    assert_unchanged(**pinned)


@pytest.mark.soak
def test_a_parent_that_ollama_may_not_enter_is_named_before_anything_changes(clean: Host) -> None:
    clean.run("install -d -m 0700 /data")
    wanted = {**ONE, "ollama_models_dir": "/data/ollama/models"}

    reason, hints = refused(**wanted)

    assert reason == "the user ollama may not enter /data (root:root 0700), and /data/ollama/models is below it"
    assert clean.run("ls -A /data; ls -A /opt/ollama", check=False).stdout == ""
    typed(clean, hints)
    run = fleet.apply("lab-1", **wanted)
    assert run.code == 0, run.said
    assert_unchanged(**wanted)
    clean.run("groupadd storage && usermod -aG storage ollama && chgrp storage /data && chmod 0750 /data")
    clean.run("systemctl restart ollama")
    assert_unchanged(**wanted)  # the account has a way in, if not everybody has
    clean.run("systemctl stop ollama; gpasswd -d ollama storage")
    assert "(root:storage 0750)" in refused(**wanted)[0]


@pytest.mark.soak
def test_models_that_root_copied_are_given_to_ollama(serving: Host) -> None:
    serving.run("mkdir -p /data/models && cp -r /usr/share/ollama/.ollama/models/. /data/models/")
    serving.run(
        "chown ollama:ollama /data/models && mkdir /data/models/.mine && ln -s /etc/shadow /data/models/.mine/x"
    )
    wanted = {**QUIET, "models": [MODEL, "tiny-tools"], "ollama_models_dir": "/data/models"}
    shadow = serving.run("stat -c '%U:%G %a' /etc/shadow").stdout

    code, document = fleet.fleethands("plan", **wanted)
    run = fleet.apply("lab-1", **wanted)

    assert (code, OWN_MODELS in fleet.changes(document)) == (2, True), document
    assert run.code == 0, run.said
    assert serving.run("find /data/models ! -user ollama").stdout == ""
    assert serving.run("stat -c '%U:%G %a' /etc/shadow").stdout == shadow
    assert_unchanged(**wanted)


@pytest.mark.soak
def test_models_of_a_person_are_named_and_a_pull_ends_at_once(serving: Host) -> None:
    serving.run("useradd -m bob; cd /usr/share/ollama/.ollama/models && chown -R bob: manifests blobs")
    wanted = {**QUIET, "models": [MODEL, "tiny-tools"]}

    planned = fleet.fleethands("plan", **wanted)[1]["hosts"]["lab-1"]["notes"]
    run = fleet.apply("lab-1", **wanted)

    assert any("Ollama can't write /usr/share/ollama/.ollama/models/" in note for note in planned), planned
    assert run.code == 1
    assert "trying again" not in run.said
    assert "permission denied" in run.said
    (hint,) = set(re.findall(r"hint: on the host: (chown -R ollama: .*)", run.said))
    serving.run(hint)
    assert fleet.apply("lab-1", **wanted).code == 0
    assert_unchanged(**wanted)


@pytest.mark.soak
def test_a_second_name_of_a_file_of_root_s_is_not_given_away(serving: Host) -> None:
    models = "/usr/share/ollama/.ollama/models"
    serving.run(f"cp /etc/hostname /usr/share/ollama/other && ln /usr/share/ollama/other {models}/blobs/other")
    serving.run(f"chown root: {models}/blobs")

    run = fleet.apply("lab-1", **ONE)

    assert run.code == 1
    assert f"error: {models}/blobs/other stays root's: it has a second name somewhere" in run.said
    assert serving.run("stat -c %U /usr/share/ollama/other").stdout == "root\n"
    typed(
        serving, [f"on the host: {line}" for line in re.findall(r"hint: on the host: (chown ollama: .*)", run.said)[:1]]
    )
    assert fleet.apply("lab-1", **ONE).code == 0
    assert_unchanged(**ONE)


@pytest.mark.soak
def test_a_gpu_that_carries_no_model_is_noted(serving: Host) -> None:
    """The host has no GPU. tests/fixtures has the output of nvidia-smi, and the model is in main memory."""
    words = (FIXTURES / "nvidia-smi-unified.csv").read_text()
    script = f"#!/bin/sh\ncat <<'.'\n{words}.\n"
    serving.run("cat > /usr/local/bin/nvidia-smi; chmod 755 /usr/local/bin/nvidia-smi", stdin=script)

    run = fleet.apply("lab-1", **QUIET)

    assert run.code == 0, run.said
    assert "gpu-memory" in [link.name for link in observe.proof(serving)]
    code, document = fleet.fleethands("status", **QUIET)
    told = document["hosts"]["lab-1"]
    assert (code, [note for note in told["notes"] if "but a model is in main memory" in note] != []) == (
        0,
        True,
    )
    assert_unchanged(**QUIET)
    meant = {**QUIET, "gpu": False}
    assert fleet.apply("lab-1", **meant).code == 0
    assert not any("main memory" in note for note in fleet.fleethands("status", **meant)[1]["hosts"]["lab-1"]["notes"])
