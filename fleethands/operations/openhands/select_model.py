"""Selects the model in the settings that OpenHands reads. A user's own choice stays."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from fleethands.facts import Probe
from fleethands.facts.files import ABSENT, File
from fleethands.operations.core import diff
from fleethands.operations.core.decision import Change, Decision, Unchanged
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.operations.openhands.current_model import (
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


@dataclass(frozen=True)
class WriteSettings(HostScript, file="choose"):
    """Writes OpenHands' settings, and the record of what fleethands selected (`seed`)."""

    owner: str
    seed_path: str
    settings_path: str
    seed: str
    settings: str


@dataclass(frozen=True)
class SelectInCanvas(HostScript, file="choose_canvas"):
    """Selects the model through Canvas' API; `words` is the command that shows its log."""

    url: str
    key_file: str
    profile: str
    name: str
    seed: str
    seed_path: str
    words: str


@dataclass(frozen=True)
class SettingsFiles:
    """
    The files that select the model.

    + seed: the part of the settings that fleethands selects, which is recorded
    + merged: the complete settings
    """

    generation: Generation
    seed: dict[str, Any]
    merged: dict[str, Any]
    owner: str

    @property
    def seed_text(self) -> str:
        return json.dumps(self.seed, indent=2) + "\n"

    @property
    def settings_text(self) -> str:
        return json.dumps(self.merged, indent=2) + "\n"

    def predict(self, probe: Probe) -> Probe:
        seed = File("file", "0600", owner="root:root", content=self.seed_text.encode())
        settings = File("file", "0600", owner=self.owner, content=self.settings_text.encode())
        probe = probe.with_file(self.generation.seed_path, seed)
        return probe.with_file(self.generation.settings_path, settings)


@operation
def select_model(settings: HostSettings, probe: Probe) -> Decision:
    """
    Select the model in the settings that this generation reads.

    If a user selected another model in the page since, that one stays and the plan has a note, unless
    `openhands_settings` is `enforced`.
    """
    generation, model, url = generation_of(settings), model_string(settings), base_url(settings) + "/v1"
    wanted, found = generation.settings_file(model, url), read_settings(generation, probe)
    if found is not None and contains(found, wanted) and is_active(generation, probe):
        return Unchanged(f"OpenHands has {model} chosen")
    if found is not None and settings.openhands_settings == "kept" and is_users_choice(settings, found, probe):
        chosen = selected_name(found) or "other settings"
        note = f"a person chose {chosen} in OpenHands, which stays; declared is {model} (see `openhands_settings`)"
        return Unchanged("the model was chosen by a person since", (note,))
    merged = _merge(found, wanted) if found is not None else generation.first_settings(model, url)
    files = SettingsFiles(generation, wanted, merged, f"{settings.openhands_user}:{settings.openhands_user}")
    return Change(
        "OpenHands' model",
        "absent" if found is None else selected_name(found) or "another model",
        model,
        _script(settings, files),
        files.predict,
        why="`openai/` keeps tool calls, which litellm drops for `ollama/`",
        diff=diff.unified_diff(generation.settings_path, _shown_part(found, wanted), _shown_part(merged, wanted)),
    )


def _script(settings: HostSettings, files: SettingsFiles) -> Script:
    generation = files.generation
    if generation.needs_key:  # Canvas encrypts its settings, so its API selects the model
        return SelectInCanvas(
            url=settings.openhands_url,
            key_file=CANVAS_KEY,
            profile=json.dumps({"llm": {**files.seed, "api_key": API_KEY}}),
            name=PROFILE,
            seed=files.seed_text,
            seed_path=generation.seed_path,
            words="journalctl -u openhands -n 50" if generation is SOURCE else "docker logs --tail 50 openhands-app",
        ).script
    return WriteSettings(
        owner=files.owner,
        seed_path=generation.seed_path,
        settings_path=generation.settings_path,
        seed=files.seed_text,
        settings=files.settings_text,
    ).script


def _shown_part(found: dict[str, Any] | None, wanted: dict[str, Any]) -> File:
    """The part of the settings that may be shown: not a user's own settings and API keys."""
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
    """A value that is no object is replaced where an object is wanted: the agent may write anything."""
    nested = {key: _merge_value(found.get(key), value) for key, value in wanted.items()}
    return {**found, **nested}


def _merge_value(found: Any, wanted: Any) -> Any:
    return _merge(found if isinstance(found, dict) else {}, wanted) if isinstance(wanted, dict) else wanted
