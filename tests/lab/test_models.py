"""The whole life of models on a real host: pulled through trouble, pinned, moved, copied, made, loaded, removed."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from fleethands.pinning import registry
from fleethands.settings.schema.models import Model
from fleethands.settings.values.names import ModelName
from tests.lab import fleet
from tests.lab.host import Host
from tests.lab.internet import authority
from tests.lab.internet.faults import Fault
from tests.lab.internet.names import MODELS
from tests.lab.internet.registry import compact
from tests.lab.lab import Lab
from tests.lab.model_pulls import (
    PULL,
    apply_models,
    assert_settled,
    count_sent_bytes,
    find_digest,
    find_size,
    limit_rate,
    list_models,
    wait_for_bytes,
)

NOBODY_S = "0" * 64


def test_a_killed_controller_s_pull_goes_on_and_is_found_by_the_next_run(lab: Lab, serving: Host) -> None:
    since = time.time()
    with limit_rate(lab) as path:
        process = fleet.start("lab-1", openhands_flavor="off", models=["codellama:7b", "padded"])
        try:
            wait_for_bytes(serving)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        run = apply_models("codellama:7b", "padded")

    assert run.code == 0, run.said
    assert list_models(serving)["padded:latest"] == find_digest(lab)
    assert find_size(lab) <= count_sent_bytes(lab, since, path) <= 1.2 * find_size(lab)
    assert_settled(serving, "codellama:7b", "padded")


def test_wrong_bytes_are_named_and_a_registry_that_fails_at_first_is_asked_again(lab: Lab, serving: Host) -> None:
    with lab.internet.fault(Fault(flip=True), "model:padded"):
        run = apply_models("codellama:7b", "padded")

    assert run.code == 1
    assert "error: pull of padded:latest ended early: digest mismatch, file must be downloaded again: want" in run.said
    assert "hint: the registry, or a proxy on the way, sends wrong bytes" in run.said
    assert set(list_models(serving)) == {"codellama:7b"}

    since = time.time()
    with lab.internet.fault(Fault(status=500, times=4), "manifest:padded") as (path,):
        run = apply_models("codellama:7b", "padded")

    assert run.code == 0, run.said
    assert [request.status for request in lab.internet.requests(since) if request.path == path][:5] == [500] * 4 + [200]
    assert list_models(serving)["padded:latest"] == find_digest(lab)
    assert_settled(serving, "codellama:7b", "padded")


@pytest.fixture
def moving(lab: Lab) -> str:
    """A model of this lab's own whose tag is codellama's now, and can be moved."""
    name = f"moving-{lab.site.ident}"
    _move(lab, name, "7b")
    return name


def _move(lab: Lab, name: str, tag: str) -> str:
    registry = lab.internet.registry
    manifest = registry.manifest("library/codellama", tag)
    assert manifest is not None
    document = json.loads(manifest)
    for blob in (document["config"], *document["layers"]):
        registry.borrow(f"library/{name}", blob["digest"], "library/codellama")
    return registry.tag(f"library/{name}", "latest", compact(document)).removeprefix("sha256:")


@pytest.fixture
def outside(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine finds the lab's registry under its real name, too."""
    import socket  # noqa: PLC0415

    found = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        return found(lab.internet.address if host == MODELS else host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate()))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def upstream(*names: str) -> dict[str, str]:
    return registry.digests(registry.look_up_models([Model(name=ModelName.parse(name)) for name in names]))


@pytest.mark.usefixtures("outside")
def test_a_moved_tag_is_found_followed_and_refused_where_it_is_pinned(lab: Lab, serving: Host, moving: str) -> None:
    name = f"{moving}:latest"
    assert apply_models("codellama:7b", moving).code == 0
    old = list_models(serving)[name]
    new = _move(lab, moving, "7b-instruct")
    known = upstream(moving, "codellama:7b")
    assert known == {name: new, "codellama:7b": list_models(serving)["codellama:7b"]}

    pinned = apply_models("codellama:7b", {"name": moving, "digest": old}, fleethands_check_tags=known)
    assert (pinned.code, pinned.changed("lab-1")) == (0, []), pinned.said
    refused = apply_models("codellama:7b", {"name": moving, "digest": NOBODY_S})
    assert refused.code == 1
    assert f"error: the tag {name} moved: the registry has {new}, pinned is {NOBODY_S}" in refused.said
    assert list_models(serving)[name] == old

    moved = apply_models("codellama:7b", moving, fleethands_check_tags=known)

    assert moved.code == 0
    assert moved.changed("lab-1")[0] == PULL
    assert list_models(serving)[name] == new
    assert_settled(serving, "codellama:7b", moving, fleethands_check_tags=known)


@pytest.mark.soak
def test_a_plan_asks_registries_when_it_is_told_to(lab: Lab, serving: Host, moving: str, tmp_path: Path) -> None:
    assert apply_models("codellama:7b", moving).code == 0
    _move(lab, moving, "7b-instruct")
    (tmp_path / "hosts").write_text(f"{lab.internet.address} {MODELS}\n")

    def whys(*more: str) -> list[str]:
        words = ["plan", "inventory/lab.py", "--hosts", "lab-1", "--json", "--data", f'models=["{moving}"]', *more]
        document = fleet.fleethands_with(tmp_path / "hosts", authority.certificate(), *words)
        changes = document["hosts"]["lab-1"]["changes"]
        return [change["why"] for change in changes if f"{change['task']} | {change['operation']}" == PULL]

    assert whys() == []
    assert whys("--upstream") == ["the tag moved in the registry"]


@pytest.mark.usefixtures("outside")
def test_registries_that_do_not_answer_are_named(lab: Lab) -> None:
    with lab.internet.fault(Fault(status=500), "manifest:padded"):
        found = registry.look_up_models(
            [Model(name=ModelName.parse("padded")), Model(name=ModelName.parse("no-such-model"))], patience=5
        )
    assert [str(answer) for answer in found.values()] == [
        "RegistryError(reason='registry.ollama.ai answers 500')",
        "RegistryError(reason='registry.ollama.ai has no such model')",
    ]
    (answer,) = registry.look_up_models([Model(name=ModelName.parse("padded"))]).values()
    assert isinstance(answer, registry.RegistryDigest)
    assert (answer.digest, answer.size > find_size(lab)) == (find_digest(lab), True)
