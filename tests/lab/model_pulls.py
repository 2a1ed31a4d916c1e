"""Models that lab-1 pulls from the lab's registry: applies, and what the host and the registry then show."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.lab import fleet, observe
from tests.lab.host import Host
from tests.lab.internet.faults import Fault
from tests.lab.lab import Lab

BLOBS = "/usr/share/ollama/.ollama/models/blobs"
TWO_MODELS = ("codellama:7b", "padded")
PULL = "Models | Pull what is missing"


def apply_models(*models: str | dict[str, Any], **data: Any) -> fleet.Run:
    return fleet.apply("lab-1", openhands_flavor="off", models=list(models), **data)


def start_apply() -> Any:
    return fleet.start("lab-1", openhands_flavor="off", models=list(TWO_MODELS))


def assert_settled(host: Host, *models: str | dict[str, Any], **data: Any) -> None:
    """A second apply changes nothing, and no work file is left."""
    again = apply_models(*models, **data)
    assert (again.code, again.changed("lab-1")) == (0, []), again.said
    left = host.run("find /run/fleethands /var/lib/fleethands/pulls -name 'fleethands-pull-*'").stdout
    assert left == ""
    assert observe.leftovers(host) == []


def find_digest(lab: Lab, model: str = "padded", tag: str = "latest") -> str:
    manifest = lab.internet.registry.manifest(f"library/{model}", tag)
    assert manifest is not None
    return hashlib.sha256(manifest).hexdigest()


def list_models(host: Host) -> dict[str, str]:
    """Name → digest, as Ollama itself says."""
    said = json.loads(host.run("curl -fsS localhost:11434/api/tags").stdout)
    return {model["name"]: model["digest"] for model in said["models"]}


@contextmanager
def limit_rate(lab: Lab, rate: int = 20_000_000) -> Iterator[str]:
    """The weights of `padded` arrive at this rate in bytes a second. Yields their path."""
    with lab.internet.fault(Fault(rate=rate), "model:padded") as (path,):
        yield path


def count_sent_bytes(lab: Lab, since: float, path: str) -> int:
    """Bytes of these weights that were sent, those of broken answers included."""
    return sum(request.sent for request in lab.internet.requests(since) if request.path.partition("?")[0] == path)


def find_size(lab: Lab) -> int:
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
