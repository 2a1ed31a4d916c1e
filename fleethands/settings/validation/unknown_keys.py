"""Finds misspelled settings in host data."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from fleethands.settings.host import HostSettings
from fleethands.settings.renamed import OLD_SETTINGS
from fleethands.settings.schema import ollama_env

PREFIXES = ("ollama_", "openhands_", "models_")
PYINFRA_PREFIXES = ("_", "ssh_", "docker_", "dockerssh_", "vagrant_", "terraform_", "chroot_", "fake_")  # pyinfra's own
COMMON_WORDS = {"modes", "modules", "nodes"}  # similar to a setting's name, but a user's own key
MISSPELLED = 0.85  # similarity from which a key without our prefixes is a misspelled setting
NEAR = 0.5


def misspelled_keys(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(key, problem) of each key that looks like a misspelled setting."""
    for key in data:
        if (
            isinstance(key, str)
            and key not in HostSettings.model_fields
            and key not in OLD_SETTINGS
            and not key.startswith(PYINFRA_PREFIXES)
            and key not in COMMON_WORDS
        ):
            problem = _problem(key)
            if problem:
                yield key, problem


def _problem(key: str) -> str:
    plain = key.lower().replace("-", "_")
    if plain in {"ollama", "openhands"}:
        return f"no such setting: keys are flat, such as `{plain}_{'version' if plain == 'ollama' else 'image'}`"
    if key in ollama_env.VARIABLES:
        return "no such setting: expected inside `ollama_env`"
    ours = plain.startswith(PREFIXES)
    return (
        describe_unknown("setting", plain, HostSettings.model_fields, NEAR if ours else MISSPELLED)
        if ours or _near(plain)
        else ""
    )


def _near(key: str) -> bool:
    return bool(difflib.get_close_matches(key, HostSettings.model_fields, 1, cutoff=MISSPELLED))


def describe_unknown(what: str, word: str, words: Mapping[str, Any], cutoff: float = NEAR) -> str:
    """A message that something does not exist, with the nearest valid name."""
    near = difflib.get_close_matches(word, words, 1, cutoff=cutoff)
    return f"no such {what}" + (f", nearest is `{near[0]}`" if near else "")
