"""The model is chosen in the settings that OpenHands reads; what a person chose there since then stays."""

from __future__ import annotations

import json
from typing import Any

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.probe import ABSENT, File
from fleethands.operations import diff
from fleethands.operations.change import Change, Decision, Same, operation, step
from fleethands.settings import HostSettings
from fleethands.settings.openhands import API_KEY, base_url, generation, model_string
from fleethands.settings.secret import MASK


@operation
def chosen(settings: HostSettings, seen: Probe) -> Decision:
    """
    Have the model chosen in the settings that this generation reads.

    A choice that a person made in the page since then stays: only what we wrote ourselves is replaced.
    """
    era = generation(settings.openhands_image)
    wanted = era.settings_file(model_string(settings), base_url(settings) + "/v1")
    state = seen.files[paths.OPENHANDS_SETTINGS]
    found = _json(state)
    if found is not None and _holds(found, wanted):
        return Same(f"OpenHands has {model_string(settings)} chosen")
    seeded = _json(seen.files[paths.OPENHANDS_SEED])
    if found is not None and seeded is not None and not _holds(found, seeded):
        return Same("the model was chosen by a person since; left as it is")
    whole = (
        _merged(found, wanted)
        if found is not None
        else era.first_settings(model_string(settings), base_url(settings) + "/v1")
    )
    owner = f"{settings.openhands_user}:{settings.openhands_user}"
    texts = {"seed": json.dumps(wanted, indent=2) + "\n", "settings": json.dumps(whole, indent=2) + "\n"}
    script = step(
        "choose", owner=owner, seed_path=paths.OPENHANDS_SEED, settings_path=paths.OPENHANDS_SETTINGS, **texts
    )

    def then(probe: Probe) -> Probe:
        seed = File("file", "0600", owner="root:root", content=texts["seed"].encode())
        chosen = File("file", "0600", owner=owner, content=texts["settings"].encode())
        return probe.with_file(paths.OPENHANDS_SEED, seed).with_file(paths.OPENHANDS_SETTINGS, chosen)

    return Change(
        "OpenHands' model",
        "absent" if found is None else _model(found) or "another model",
        model_string(settings),
        script,
        then,
        why="`openai/` keeps tool calls, which litellm drops for `ollama/`",
        diff=diff.unified(paths.OPENHANDS_SETTINGS, _visible(found, wanted), _visible(whole, wanted)),
    )


def _model(found: dict[str, Any]) -> str:
    return str(found.get("llm_model") or found.get("agent_settings", {}).get("llm", {}).get("model") or "")


def _visible(found: dict[str, Any] | None, wanted: dict[str, Any]) -> File:
    """The part of the settings that is ours to show: a person's own keys and API key are theirs."""
    if found is None:
        return ABSENT
    return File("file", "0600", content=json.dumps(_picked(found, wanted), indent=2).encode())


def _picked(found: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    picked: dict[str, Any] = {}
    for key in sorted(found.keys() & wanted.keys()):
        value = found[key]
        if isinstance(value, dict) and isinstance(wanted[key], dict):
            picked[key] = _picked(value, wanted[key])
        else:
            picked[key] = MASK if key.endswith("api_key") and value != API_KEY else value
    return picked


def _json(state: File) -> dict[str, Any] | None:
    try:
        value = json.loads(state.content or b"")
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _holds(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(_holds(found.get(key), value) for key, value in wanted.items())
    return bool(found == wanted)


def _merged(found: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    nested = {
        key: _merged(found.get(key) or {}, value) if isinstance(value, dict) else value for key, value in wanted.items()
    }
    return {**found, **nested}
