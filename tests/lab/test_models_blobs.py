"""Broken blobs are found by their checksums, and downloaded again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.lab import fleet
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.model_pulls import (
    BLOBS,
    PULL,
    TWO_MODELS,
    apply_models,
    assert_settled,
    limit_rate,
    start_apply,
    wait_for_bytes,
)

pytestmark = pytest.mark.soak


def verify_checksums(*models: str, **data: Any) -> tuple[int, list[tuple[str, bool, str]]]:
    """Exit code, and name, verdict and hint of each link."""
    code, done = fleet.fleethands("verify", "--checksums", openhands_flavor="off", models=list(models), **data)
    return code, [(link["link"], link["ok"], link["hint"]) for link in done["hosts"]["lab-1"]["proof"]]


def find_weights(lab: Lab) -> str:
    manifest = lab.internet.registry.manifest("library/padded", "latest")
    assert manifest is not None
    layers = json.loads(manifest)["layers"]
    return f"{BLOBS}/" + str(max(layers, key=lambda layer: layer["size"])["digest"]).replace(":", "-")


def break_weights(host: Host, lab: Lab) -> None:
    host.run(f"printf x | dd of={find_weights(lab)} bs=1 seek=60000000 conv=notrunc status=none")


def is_intact(host: Host, lab: Lab) -> bool:
    file = find_weights(lab)
    return host.run(f"sha256sum {file}").stdout.split()[0] == file.rpartition("-")[2]


def test_a_pull_that_was_killed_is_named_and_its_blobs_are_read_afterwards(lab: Lab, serving: Host) -> None:
    with limit_rate(lab):
        process = start_apply()
        wait_for_bytes(serving)
        serving.run("systemctl kill -s KILL 'fleethands-pull-*'")
        assert process.wait(300) == 1
    serving.run("ollama pull padded >/dev/null 2>&1", timeout=120)  # as if the crash had come after the last byte
    break_weights(serving, lab)

    run = apply_models(*TWO_MODELS)

    assert run.code == 0, run.said
    assert is_intact(serving, lab)
    assert_settled(serving, *TWO_MODELS)


def test_a_broken_blob_is_found_when_asked_for_and_comes_anew(lab: Lab, serving: Host) -> None:
    assert apply_models(*TWO_MODELS).code == 0
    break_weights(serving, lab)
    assert apply_models(*TWO_MODELS).changed("lab-1") == []  # no tag was checked

    code, found = verify_checksums(*TWO_MODELS)

    assert code == 1
    assert {name: ok for name, ok, _ in found if name.startswith("blobs")} == {
        "blobs codellama:7b": True,
        "blobs padded:latest": False,
    }
    assert "fleethands apply" in next(hint for name, _, hint in found if name == "blobs padded:latest")
    assert PULL in apply_models(*TWO_MODELS).changed("lab-1")
    assert is_intact(serving, lab)
    code, found = verify_checksums(*TWO_MODELS)
    assert code == 0, found
    assert_settled(serving, *TWO_MODELS)


def test_blobs_are_read_wherever_they_lie_and_however_the_model_is_spelled(lab: Lab, serving: Host) -> None:
    moved: dict[str, Any] = {"ollama_models_dir": "/srv/a|b"}
    assert apply_models("codellama:7b", **moved).code == 0
    serving.run("cd '/srv/a|b/blobs' && printf x | dd of=$(ls -S | head -n 1) bs=1 seek=9000 conv=notrunc status=none")

    code, found = verify_checksums("CodeLlama:7B", **moved)

    assert (code, [ok for name, ok, _ in found if name.startswith("blobs")]) == (1, [False])
    run = apply_models("codellama:7b", **moved)  # its registry knows it by this name alone
    assert run.code == 0, run.said
    assert PULL in run.changed("lab-1")
    code, found = verify_checksums("CodeLlama:7B", **moved)
    assert (code, [ok for name, ok, _ in found if name.startswith("blobs")]) == (0, [True])
    assert_settled(serving, "CodeLlama:7B", **moved)
