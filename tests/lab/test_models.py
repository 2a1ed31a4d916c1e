"""The whole life of models on a real host: pulled through trouble, pinned, moved, copied, made, loaded, removed."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fleethands.pinning import registry
from fleethands.settings.schema.models import Model
from fleethands.settings.values.names import ModelName
from tests.lab import fleet, observe
from tests.lab.host import Host
from tests.lab.internet import authority
from tests.lab.internet.faults import Fault
from tests.lab.internet.names import MODELS
from tests.lab.internet.registry import compact
from tests.lab.lab import Lab

BLOBS = "/usr/share/ollama/.ollama/models/blobs"
NOBODY_S = "0" * 64
PULL = "Models | Pull what is missing"


@pytest.fixture
def host(serving: Host) -> Host:
    """Ollama with one small model, and no OpenHands: its part of a run is not what is tested here."""
    return serving


def apply(*models: str | dict[str, Any], **data: Any) -> fleet.Run:
    return fleet.apply("lab-1", openhands_flavor="off", models=list(models), **data)


def assert_settled(host: Host, *models: str | dict[str, Any], **data: Any) -> None:
    """A second apply changes nothing, and no work file is left."""
    again = apply(*models, **data)
    assert (again.code, again.changed("lab-1")) == (0, []), again.said
    left = host.run("find /run/fleethands /var/lib/fleethands/pulls -name 'fleethands-pull-*'").stdout
    assert left == ""
    assert observe.leftovers(host) == []


def digest(lab: Lab, model: str = "padded", tag: str = "latest") -> str:
    manifest = lab.internet.registry.manifest(f"library/{model}", tag)
    assert manifest is not None
    return hashlib.sha256(manifest).hexdigest()


def listed(host: Host) -> dict[str, str]:
    """Name → digest, as Ollama itself says."""
    said = json.loads(host.run("curl -fsS localhost:11434/api/tags").stdout)
    return {model["name"]: model["digest"] for model in said["models"]}


@contextmanager
def slow(lab: Lab, rate: int = 20_000_000) -> Iterator[str]:
    """The weights of `padded` arrive at this rate in bytes a second. Yields their path."""
    with lab.internet.fault(Fault(rate=rate), "model:padded") as (path,):
        yield path


def bytes_sent(lab: Lab, since: float, path: str) -> int:
    """Bytes of these weights that were sent, those of broken answers included."""
    return sum(request.sent for request in lab.internet.requests(since) if request.path.partition("?")[0] == path)


def size(lab: Lab) -> int:
    manifest = lab.internet.registry.manifest("library/padded", "latest")
    assert manifest is not None
    return max(int(layer["size"]) for layer in json.loads(manifest)["layers"])


def wait_for_bytes(host: Host, mebibytes: int = 10) -> None:
    """Until so much of a model has come: blocks count, since a part file has its whole length at once."""
    host.run(
        f"until [ $(du -cm {BLOBS}/*-partial 2>/dev/null | tail -n 1 | cut -f 1) -ge {mebibytes} ] 2>/dev/null;"
        " do sleep 0.05; done",
        timeout=60,
    )


def test_a_killed_controller_s_pull_goes_on_and_is_found_by_the_next_run(lab: Lab, host: Host) -> None:
    since = time.time()
    with slow(lab) as path:
        process = fleet.start("lab-1", openhands_flavor="off", models=["codellama:7b", "padded"])
        try:
            wait_for_bytes(host)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        run = apply("codellama:7b", "padded")

    assert run.code == 0, run.said
    assert listed(host)["padded:latest"] == digest(lab)
    assert size(lab) <= bytes_sent(lab, since, path) <= 1.2 * size(lab)
    assert_settled(host, "codellama:7b", "padded")


def test_wrong_bytes_are_named_and_a_registry_that_fails_at_first_is_asked_again(lab: Lab, host: Host) -> None:
    with lab.internet.fault(Fault(flip=True), "model:padded"):
        run = apply("codellama:7b", "padded")

    assert run.code == 1
    assert "error: pull of padded:latest ended early: digest mismatch, file must be downloaded again: want" in run.said
    assert "hint: the registry, or a proxy on the way, sends wrong bytes" in run.said
    assert set(listed(host)) == {"codellama:7b"}

    since = time.time()
    with lab.internet.fault(Fault(status=500, times=4), "manifest:padded") as (path,):
        run = apply("codellama:7b", "padded")

    assert run.code == 0, run.said
    assert [request.status for request in lab.internet.requests(since) if request.path == path][:5] == [500] * 4 + [200]
    assert listed(host)["padded:latest"] == digest(lab)
    assert_settled(host, "codellama:7b", "padded")


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
def test_a_moved_tag_is_found_followed_and_refused_where_it_is_pinned(lab: Lab, host: Host, moving: str) -> None:
    name = f"{moving}:latest"
    assert apply("codellama:7b", moving).code == 0
    old = listed(host)[name]
    new = _move(lab, moving, "7b-instruct")
    known = upstream(moving, "codellama:7b")
    assert known == {name: new, "codellama:7b": listed(host)["codellama:7b"]}

    pinned = apply("codellama:7b", {"name": moving, "digest": old}, fleethands_check_tags=known)
    assert (pinned.code, pinned.changed("lab-1")) == (0, []), pinned.said
    refused = apply("codellama:7b", {"name": moving, "digest": NOBODY_S})
    assert refused.code == 1
    assert f"error: the tag {name} moved: the registry has {new}, pinned is {NOBODY_S}" in refused.said
    assert listed(host)[name] == old

    moved = apply("codellama:7b", moving, fleethands_check_tags=known)

    assert moved.code == 0
    assert moved.changed("lab-1")[0] == PULL
    assert listed(host)[name] == new
    assert_settled(host, "codellama:7b", moving, fleethands_check_tags=known)


@pytest.mark.soak
def test_a_plan_asks_registries_when_it_is_told_to(lab: Lab, host: Host, moving: str, tmp_path: Path) -> None:
    assert apply("codellama:7b", moving).code == 0
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
    assert (answer.digest, answer.size > size(lab)) == (digest(lab), True)
