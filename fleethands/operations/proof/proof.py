"""The service was used along its whole way; where it fails, why."""

from __future__ import annotations

import json

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import File
from fleethands.operations.core import release_record
from fleethands.operations.core.operation import Change, Decision, Unchanged, operation, step
from fleethands.operations.core.proof_record import all_hold, is_of_declared_ollama, read_links
from fleethands.operations.ollama import external_commands
from fleethands.operations.ollama.gpus import has_gpu
from fleethands.operations.openhands.container import READY_WITHIN
from fleethands.operations.openhands.model_choice import Choice, current
from fleethands.script import Script
from fleethands.settings import HostSettings
from fleethands.settings.generations import API_KEY, CANVAS, HOST_NAME, V1, Generation
from fleethands.settings.openhands import base_url, generation_of, model_string
from fleethands.settings.schema.ollama import SHORTEST_CONTEXT
from fleethands.settings.values.durations import nanoseconds
from fleethands.settings.values.names import is_local

APPLY_HINT = "on this machine: fleethands apply"
ASKED_FOR = "it was asked for"
WHY = {
    "unproven": "no proof was made since the last change",
    "broken": "the last proof failed",
    "of another Ollama": "the last proof was made with that",
}


@operation
def prove(
    settings: HostSettings,
    probe: Probe,
    anew: bool = False,
    deep: bool = False,
    never: bool = False,
    recorded: HostSettings | None = None,
) -> Decision:
    """
    Have a proof that a prompt gets an answer. Every change voids the one before.

    + anew: whatever was proven before; deep: with a conversation, which is removed afterwards
    + never: not now, whatever was changed
    + recorded: what is written down as declared, once all has held; None: nothing is
    """
    if never:
        return Unchanged("no proof was asked for")
    known = read_links(probe)
    held = all_hold(known) and is_of_declared_ollama(settings, known)
    if held and not anew:
        return Unchanged(f"{len(known)} links proven since the last change")
    if settings.model is None:
        return Unchanged("no model is declared, so there is nothing to ask")
    before = "proven" if held else "of another Ollama" if all_hold(known) else "broken" if known else "unproven"
    proven = File("file", "0644", owner="root:root", content=b"all\tok\t0\t\n")
    return Change(
        "proof",
        before,
        "proven",
        _script(settings, probe, deep).having(**_record(recorded, probe)),
        lambda probe: probe.with_file(paths.PROOF, proven),
        why=ASKED_FOR if held else WHY[before],
        consequence=f"loads {settings.model} and asks it a short question",
    )


def _record(recorded: HostSettings | None, probe: Probe) -> dict[str, str]:
    return (
        release_record.new_record(recorded, probe)
        if recorded
        else dict.fromkeys(("entry", "shift", "records", "kept"), "")
    )


CHECKED_WITHIN = 14  # seconds: Canvas gives its own check 15 (agent-server 1.56.0, PREFLIGHT_TIMEOUT_SECONDS)
LOOKED_AT = "60s"  # a model that would go at once stays so long, or nobody could see how it was loaded


def _script(settings: HostSettings, probe: Probe, deep: bool) -> Script:
    era = generation_of(settings)
    request = {
        "model": str(settings.model),
        "prompt": "Say OK.",
        "stream": False,
        "options": {"num_predict": 16},
    }
    if 0 <= nanoseconds(settings.ollama_keep_alive or LOOKED_AT) < nanoseconds(LOOKED_AT):
        request["keep_alive"] = LOOKED_AT
    return step(
        "proof",
        model=str(settings.model),
        request=json.dumps(request),
        warm=json.dumps({key: request[key] for key in ("model", "keep_alive") if key in request}),
        local_url=settings.ollama_client_url,
        ollama_image=settings.ollama_declared_image,
        port_of_ollama=str(settings.ollama_server[1]),
        container_url=base_url(settings),
        record=paths.PROOF,
        apply=APPLY_HINT,
        **_of_ollama(settings, probe),
        deep="yes" if deep else "no",
        least=str(SHORTEST_CONTEXT),
        openhands=openhands_runtime(settings),
        tools="yes" if openhands_runtime(settings) != "no" and era.tools else "no",
        **_of_openhands(settings, era, current(settings, probe)),
    )


def _of_ollama(settings: HostSettings, probe: Probe) -> dict[str, str]:
    """Where it runs, how it is restarted and where its words are, and what is expected of it."""
    if settings.manages_ollama:
        gpu = "yes" if settings.gpu else "seen" if settings.gpu is None and has_gpu(probe) else "no"
        context = str(settings.context_length or "")
        return {"elsewhere": "", "gpu": gpu, "context": context, **_typed("on the host")}
    url, longest = str(settings.ollama_address), "" if openhands_runtime(settings) == "no" else str(SHORTEST_CONTEXT)
    return {
        "elsewhere": "here" if is_local(url) else "there",
        "server": settings.ollama_server[0],
        "bring_model": external_commands.pulling(url, str(settings.model)),
        "gpu": "no",
        "context": longest,
        **_typed(external_commands.place(url)),
    }


def _typed(place: str) -> dict[str, str]:
    restart, said = "systemctl restart ollama", "journalctl -u ollama -n 20"
    return {"place": place, "restart": f"{place}: {restart}", "said_by_ollama": f"{place}: {said}"}


def openhands_runtime(settings: HostSettings) -> str:
    """How OpenHands runs: in a `container`, as a `service`, or `no`."""
    return {"off": "no", "source": "service"}.get(settings.openhands_flavor, "container")


def _of_openhands(settings: HostSettings, era: Generation, choice: Choice) -> dict[str, str]:
    # without `num_retries` 0 it tries a dead Ollama for minutes (agent-server 1.44)
    llm = {**CANVAS.settings_file(model_string(settings), base_url(settings) + "/v1"), "api_key": API_KEY}
    llm |= {"num_retries": 0, "timeout": 120}
    return {
        "container": paths.CONTAINER,
        "image": settings.openhands_image,
        "generation": era.api,
        "page": settings.openhands_url,
        "limit": str(READY_WITHIN),
        "port": str(settings.openhands_port),
        "user": settings.openhands_user,
        "workspace": era.workspace if settings.container_image else str(settings.openhands_workspace),
        "talks": (era.state if settings.container_image else era.directory) + "/sessions",
        "ready_url": settings.openhands_url + era.ready,
        "settings_url": settings.openhands_url + era.settings_api,
        "webhook": f"http://{HOST_NAME}:{settings.openhands_port}{era.ready}" if era is V1 else "",
        "key_file": paths.CANVAS_KEY if era.needs_key else "",
        "validation": json.dumps({"llm": llm}) if era.needs_key else "",
        "limit_check": str(CHECKED_WITHIN),
        "validate_url": f"{settings.openhands_url}/api/profiles/default/validate",
        "chosen": choice.model,
        "chosen_url": choice.url,
        "chosen_says": choice.says,
        "chosen_wrong": choice.wrong,
        "chosen_try": choice.address,
        "choose": f"{APPLY_HINT}{'' if choice.model else ' --data openhands_settings=enforced'}",
    }
