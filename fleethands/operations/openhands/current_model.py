"""The model that OpenHands uses: who selected it, and whether it can work."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fleethands.facts import Probe
from fleethands.facts.files import File
from fleethands.settings import HostSettings
from fleethands.settings.expected import InvalidValue
from fleethands.settings.generations import Generation
from fleethands.settings.openhands import base_url, generation_of, model_string
from fleethands.settings.values.names import ModelName
from fleethands.untrusted import mapping, parse_json

_NO_TOOLS = "with the prefix ollama/ litellm sends no tools, so that the agent can only chat"
PREFIX_ERRORS = {  # (litellm's prefix, whether the address ends in /v1) → why such a model cannot work
    ("ollama", True): _NO_TOOLS,
    ("ollama", False): _NO_TOOLS,
    ("openai", False): "with the prefix openai/ the address must end in /v1",
    ("ollama_chat", True): "with the prefix ollama_chat/ the address must not end in /v1",
}
PROFILE = "default"  # the one that Canvas' built-in agent names


@dataclass(frozen=True)
class SelectedModel:
    """
    The model that is selected in OpenHands.

    + model, url: as its API shows them; empty for a user's own choice, which the proof does not compare
    + says: the choice as a clause; wrong: why it cannot work, empty if that is not known beforehand
    + address: the foreign server that answers, without anything that may be secret
    """

    model: str
    url: str
    says: str
    wrong: str = ""
    address: str = ""


def current_model(settings: HostSettings, probe: Probe) -> SelectedModel:
    """
    The declared model, or a user's own choice if that is kept.

    litellm's prefixes: ollama/ sends no tools, openai/ adds /chat/completions and ollama_chat/ adds /api/chat to the
    address (tried, litellm 1.106.2).
    """
    era, declared = generation_of(settings), declared_model(settings)
    found = read_settings(era, probe)
    if found is None or settings.openhands_settings == "enforced" or not is_users_choice(settings, found, probe):
        return declared
    if contains(found, era.settings_file(declared.model, declared.url)):
        return SelectedModel("", "", "a person chose another profile, which fleethands does not test")
    return _user_choice(selected_name(found), _selected_url(found), settings, probe)


def declared_model(settings: HostSettings) -> SelectedModel:
    """The declared model, as fleethands selects it in OpenHands."""
    model, url = model_string(settings), base_url(settings) + "/v1"
    return SelectedModel(model, url, f"{model} at {url}")


def _user_choice(model: str, url: str, settings: HostSettings, probe: Probe) -> SelectedModel:
    server = _server_address(url)
    says = f"a person chose {model or 'no model'}{' at ' + server if server else ''}"
    if "/" not in model:
        return SelectedModel("", "", says, f"{says}: litellm does not know whose model that is")
    if server == "":
        return SelectedModel("", "", f"{says} of a provider's own, which was not asked")
    if server != _server_address(base_url(settings)):
        return SelectedModel("", "", says, address=server)
    return SelectedModel("", "", says, _prefix_error(model, url.rstrip("/"), settings, probe, says))


def _prefix_error(model: str, url: str, settings: HostSettings, probe: Probe, says: str) -> str:
    prefix, _, name = model.partition("/")
    slash_v1 = url.endswith("/v1")
    if cause := PREFIX_ERRORS.get((prefix, slash_v1)):
        return f"{says}: {cause}"
    if prefix in {"openai", "ollama_chat"} and probe.knows("models") and _full_name(name) not in probe.models:
        return f"{says}, which Ollama does not have"
    return ""


def _full_name(name: str) -> str:
    try:
        return str(ModelName.parse(name))
    except InvalidValue:
        return name


def _server_address(url: str) -> str:
    """Scheme, name and port, without anything that may be secret; empty if it is no address."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{name}{port}" if parts.scheme in {"http", "https"} and name else ""


def read_settings(era: Generation, probe: Probe) -> dict[str, Any] | None:
    """The settings of a host's OpenHands; None without any."""
    return _parse_object(probe.files[era.settings_path])


def is_active(era: Generation, probe: Probe) -> bool:
    """Whether our profile is the active one. Only Canvas has profiles."""
    return not era.needs_key or (_parse_object(probe.files[era.active_path]) or {}).get("active_profile") == PROFILE


def is_users_choice(settings: HostSettings, found: dict[str, Any], probe: Probe) -> bool:
    """
    Whether a user changed the settings since fleethands wrote them.

    After an uninstall the record is gone and the settings may be left: another model or server is then a user's choice.
    """
    era = generation_of(settings)
    seeded = _parse_object(probe.files[era.seed_path])
    if seeded is not None:
        return not (contains(found, seeded) and is_active(era, probe))
    ours = (model_string(settings), _server_address(base_url(settings)))
    return selected_name(found) != "" and (selected_name(found), _server_address(_selected_url(found))) != ours


def selected_name(found: dict[str, Any]) -> str:
    """The model of the settings, as it is written there."""
    return str(found.get("llm_model") or found.get("model") or _nested(found).get("model") or "")


def _selected_url(found: dict[str, Any]) -> str:
    return str(found.get("llm_base_url") or found.get("base_url") or _nested(found).get("base_url") or "")


def _nested(found: dict[str, Any]) -> dict[str, Any]:
    """V1 nests its LLM settings. Those of V0 and of Canvas' profile are flat."""
    settings = found.get("agent_settings")
    llm = settings.get("llm") if isinstance(settings, dict) else None
    return llm if isinstance(llm, dict) else {}


def contains(found: Any, wanted: Any) -> bool:
    """Whether the settings contain all wanted values."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(contains(found.get(key), value) for key, value in wanted.items())
    return bool(found == wanted)


def _parse_object(state: File) -> dict[str, Any] | None:
    """The object in a file of the agent's, which may hold anything; None if it is no JSON object."""
    try:
        value = mapping(parse_json(state.content or b""))
        json.dumps(value, indent=2)
    except (ValueError, RecursionError):
        return None
    return value
