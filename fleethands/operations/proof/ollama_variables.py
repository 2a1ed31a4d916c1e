"""What the proof's script has to know about Ollama."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from fleethands.facts import Probe
from fleethands.operations.ollama import external_commands
from fleethands.operations.ollama.gpus import has_gpu
from fleethands.settings import HostSettings
from fleethands.settings.schema.ollama import SHORTEST_CONTEXT
from fleethands.settings.values.durations import nanoseconds
from fleethands.settings.values.names import is_local

MIN_KEEP_ALIVE = "60s"  # a model that Ollama would unload at once stays for so long, so that the proof sees where it is


@dataclass(frozen=True, kw_only=True)
class PromptVariables:
    """
    The prompt, as JSON.

    + request: the prompt itself; warm: what only loads the model
    """

    model: str
    request: str
    warm: str


@dataclass(frozen=True, kw_only=True)
class OllamaVariables:
    """
    Where Ollama runs, and what is expected of it.

    + elsewhere: empty for our Ollama; for an external one `here` on this host, `there` on another machine
    + place, restart, said_by_ollama: where to type commands for it, what restarts it, what prints its log
    + gpu: `yes` if a GPU must carry the model, `seen` if there is one, `no`
    + context: tokens that the model must be loaded with; empty: any number
    + bring_model: what pulls the model, for an external Ollama
    """

    local_url: str
    ollama_image: str
    port_of_ollama: int
    elsewhere: str
    place: str
    restart: str
    said_by_ollama: str
    gpu: str
    context: str
    server: str = ""
    bring_model: str = ""


def prompt_request(settings: HostSettings) -> dict[str, Any]:
    """The request of the proof's own prompt."""
    request = {
        "model": str(settings.model),
        "prompt": "Say OK.",
        "stream": False,
        "options": {"num_predict": 16},
    }
    if 0 <= nanoseconds(settings.ollama_keep_alive or MIN_KEEP_ALIVE) < nanoseconds(MIN_KEEP_ALIVE):
        request["keep_alive"] = MIN_KEEP_ALIVE
    return request


def prompt_variables(settings: HostSettings) -> PromptVariables:
    request = prompt_request(settings)
    warm = {key: request[key] for key in ("model", "keep_alive") if key in request}
    return PromptVariables(model=str(settings.model), request=json.dumps(request), warm=json.dumps(warm))


def ollama_variables(settings: HostSettings, probe: Probe | None) -> OllamaVariables:
    """
    The variables of the proof's script.

    + probe: None if nothing is to follow from the host: a GPU counts only if it is declared
    """
    return _of_ours(settings, probe) if settings.manages_ollama else _of_external(settings)


def _of_ours(settings: HostSettings, probe: Probe | None) -> OllamaVariables:
    found = settings.gpu is None and probe is not None and has_gpu(probe)
    return OllamaVariables(
        elsewhere="",
        gpu="yes" if settings.gpu else "seen" if found else "no",
        context=str(settings.context_length or ""),
        **_connection(settings),
        **_commands("on the host"),
    )


def _of_external(settings: HostSettings) -> OllamaVariables:
    url = str(settings.ollama_address)
    return OllamaVariables(
        elsewhere="here" if is_local(url) else "there",
        gpu="no",
        context="" if settings.openhands_flavor == "off" else str(SHORTEST_CONTEXT),
        server=settings.ollama_server[0],
        bring_model=external_commands.pull_hint(url, str(settings.model)),
        **_connection(settings),
        **_commands(external_commands.command_place(url)),
    )


def _connection(settings: HostSettings) -> dict[str, Any]:
    return {
        "local_url": settings.ollama_client_url,
        "ollama_image": settings.ollama_declared_image,
        "port_of_ollama": settings.ollama_server[1],
    }


def _commands(place: str) -> dict[str, Any]:
    restart, log = "systemctl restart ollama", "journalctl -u ollama -n 20"
    return {"place": place, "restart": f"{place}: {restart}", "said_by_ollama": f"{place}: {log}"}
