"""The model is chosen in the settings that OpenHands reads; what a person chose there since then stays."""

from __future__ import annotations

import json
from typing import Any

from fleethands.facts import Probe
from fleethands.facts.files import ABSENT, File
from fleethands.operations.core import diff
from fleethands.operations.core.decision import Change, Decision, Unchanged
from fleethands.operations.core.host_script import step
from fleethands.operations.core.operation import operation
from fleethands.operations.openhands.model_choice import (
    PROFILE,
    contains,
    is_active,
    is_users_choice,
    read_settings,
    selected_name,
)
from fleethands.paths import CANVAS_KEY
from fleethands.script import Script
from fleethands.settings import HostSettings
from fleethands.settings.generations import API_KEY, SOURCE, Generation
from fleethands.settings.openhands import base_url, generation_of, model_string
from fleethands.settings.values.secret import MASK


@operation
def select_model(settings: HostSettings, probe: Probe) -> Decision:
    """
    Have the model chosen in the settings that this generation reads.

    A choice that a person made in the page since then stays, and is told, unless `openhands_settings` is `enforced`:
    only what we wrote ourselves is replaced.
    """
    era, model, url = generation_of(settings), model_string(settings), base_url(settings) + "/v1"
    wanted, found = era.settings_file(model, url), read_settings(era, probe)
    if found is not None and contains(found, wanted) and is_active(era, probe):
        return Unchanged(f"OpenHands has {model} chosen")
    if found is not None and settings.openhands_settings == "kept" and is_users_choice(settings, found, probe):
        note = (
            f"a person chose {selected_name(found) or 'other settings'} in OpenHands, which stays; declared is {model}"
        )
        return Unchanged("the model was chosen by a person since", (f"{note} (see `openhands_settings`)",))
    whole = _merge(found, wanted) if found is not None else era.first_settings(model, url)
    owner = f"{settings.openhands_user}:{settings.openhands_user}"
    texts = {"seed": json.dumps(wanted, indent=2) + "\n", "settings": json.dumps(whole, indent=2) + "\n"}

    def predict(probe: Probe) -> Probe:
        seed = File("file", "0600", owner="root:root", content=texts["seed"].encode())
        chosen = File("file", "0600", owner=owner, content=texts["settings"].encode())
        return probe.with_file(era.seed_path, seed).with_file(era.settings_path, chosen)

    return Change(
        "OpenHands' model",
        "absent" if found is None else selected_name(found) or "another model",
        model,
        _script(settings, era, texts, owner),
        predict,
        why="`openai/` keeps tool calls, which litellm drops for `ollama/`",
        diff=diff.unified_diff(era.settings_path, _shown_part(found, wanted), _shown_part(whole, wanted)),
    )


def _script(settings: HostSettings, era: Generation, texts: dict[str, str], owner: str) -> Script:
    if era.needs_key:  # it encrypts what it keeps, so it is told, and not written to
        llm = {**json.loads(texts["seed"]), "api_key": API_KEY}
        return step(
            "choose_canvas",
            url=settings.openhands_url,
            key_file=CANVAS_KEY,
            profile=json.dumps({"llm": llm}),
            name=PROFILE,
            seed=texts["seed"],
            seed_path=era.seed_path,
            words="journalctl -u openhands -n 50" if era is SOURCE else "docker logs --tail 50 openhands-app",
        )
    return step("choose", owner=owner, seed_path=era.seed_path, settings_path=era.settings_path, **texts)


def _shown_part(found: dict[str, Any] | None, wanted: dict[str, Any]) -> File:
    """The part of the settings that is ours to show: a person's own keys and API key are theirs."""
    if found is None:
        return ABSENT
    return File("file", "0600", content=json.dumps(_pick(found, wanted), indent=2).encode())


def _pick(found: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    picked: dict[str, Any] = {}
    for key in sorted(found.keys() & wanted.keys()):
        value = found[key]
        if isinstance(value, dict) and isinstance(wanted[key], dict):
            picked[key] = _pick(value, wanted[key])
        else:
            picked[key] = MASK if key.endswith("api_key") and value != API_KEY else value
    return picked


def _merge(found: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """The agent may have put something else where an object belongs; then that gives way."""
    nested = {key: _merge_value(found.get(key), value) for key, value in wanted.items()}
    return {**found, **nested}


def _merge_value(found: Any, wanted: Any) -> Any:
    return _merge(found if isinstance(found, dict) else {}, wanted) if isinstance(wanted, dict) else wanted
