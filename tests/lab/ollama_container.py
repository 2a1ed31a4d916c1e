"""Ollama in its container on lab-1: the settings, an apply, and what the host and the lab internet then show."""

from __future__ import annotations

from typing import Any

from tests.lab.fleet import changes, fleethands, trouble
from tests.lab.host import Host
from tests.lab.internet.service import Request
from tests.lab.lab import Lab
from tests.lab.many import QUIET

IMAGE, NEWER_IMAGE = "ollama/ollama:0.24.0", "ollama/ollama:0.24.1"
CONTAINER_NAME = "fleethands-ollama"
CONTAINER_SETTINGS: dict[str, Any] = {**QUIET, "ollama_runtime": "container"}
MODELS = ["codellama:7b", "tiny-tools"]
STORE = "/usr/share/ollama/.ollama/models"
PULL, UNIT = "Ollama | Pull its image", "Ollama | Write the unit"
SERVE, PROVE = "Ollama | Serve this revision", "Proof | Get an answer to a prompt"


def apply_settings(**data: Any) -> list[str]:
    """What an apply changed; a second one has nothing to do."""
    code, done = fleethands("apply", **data)
    assert code == 0, trouble(done)
    assert_unchanged(**data)
    return changes(done)


def assert_unchanged(**data: Any) -> None:
    """Nothing is to be done, and that costs one command."""
    code, again = fleethands("plan", **data)
    assert (code, changes(again), again["hosts"]["lab-1"]["remote_commands"]) == (0, [], 1), again


def find_image(host: Host) -> str:
    """The image of the running container; empty where Ollama runs as a service."""
    return host.run(f"docker ps --filter name={CONTAINER_NAME} --format '{{{{.Image}}}}'").stdout.strip()


def list_model_files(host: Host) -> str:
    """Every file of the models: what it is on the disk, and whose."""
    return host.run(f"find {STORE} -type f -printf '%i %T@ %U:%G %s %P\\n' | sort").stdout


def requests_since(lab: Lab, since: int) -> list[Request]:
    """Requests to the lab internet, without those that Ollama sends to ollama.com by itself."""
    return [each for each in lab.internet.requests()[since:] if each.host != "ollama.com"]
