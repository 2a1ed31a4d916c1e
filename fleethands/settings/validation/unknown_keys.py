"""
Tells misspelled settings from the keys of others in host data.

Host data also belongs to pyinfra, to other deploys and to Ansible's roles. A foreign key may begin with our prefixes:
`ollama_backup_dir`. So only a key that is nearly the name of a setting is a mistake.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from fleethands import deploy_options
from fleethands.deploy_options import DeployOptions
from fleethands.settings.host import HostSettings
from fleethands.settings.renamed import OLD_SETTINGS
from fleethands.settings.schema import ollama_env

PREFIXES = ("ollama_", "openhands_", "models_")
PYINFRA_PREFIXES = ("_", "ssh_", "docker_", "dockerssh_", "vagrant_", "terraform_", "chroot_", "fake_")  # pyinfra's own
COMMON_WORDS = {"modes", "modules", "nodes"}  # similar to a setting's name, but a user's own key
MISSPELLED = 0.85  # similarity from which a key without our prefixes is a misspelled setting
MISSPELLED_REST = 0.6  # the same for what follows a prefix, which is short
NEAR = 0.5


def misspelled_keys(data: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(key, problem) of each key that is certainly meant as a setting."""
    return ((key, problem) for key, problem in suspicious_keys(data) if _is_mistake(_plain(key)))


def foreign_keys(data: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(key, problem) of each key that begins like a setting, and is left to its owner."""
    return ((key, problem) for key, problem in suspicious_keys(data) if not _is_mistake(_plain(key)))


def suspicious_keys(data: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(key, problem) of each key that begins like a setting, or is similar to one."""
    for key in data:
        if (
            isinstance(key, str)
            and key not in HostSettings.model_fields
            and key not in OLD_SETTINGS
            and key not in DeployOptions.defaults()
            and not key.startswith(PYINFRA_PREFIXES)
            and key not in COMMON_WORDS
        ):
            problem = _problem(key)
            if problem:
                yield key, problem


@cache
def _problem(key: str) -> str:
    plain = _plain(key)
    if plain.startswith(deploy_options.PREFIX):
        return describe_unknown("option of a run", plain, DeployOptions.defaults(), NEAR)
    if plain in {"ollama", "openhands"}:
        return f"no such setting: keys are flat, such as `{plain}_{'version' if plain == 'ollama' else 'image'}`"
    if key in ollama_env.VARIABLES or (key == plain and plain.upper() in ollama_env.VARIABLES):
        return "no such setting: expected inside `ollama_env`"
    ours = plain.startswith(PREFIXES)
    return (
        describe_unknown("setting", plain, HostSettings.model_fields, NEAR if ours else MISSPELLED)
        if ours or _near(plain)
        else ""
    )


@cache
def _is_mistake(plain: str) -> bool:
    """Whether a suspicious key is nearly a setting, or one under another prefix, such as `ollama_port`."""
    if plain.startswith(deploy_options.PREFIX):
        return bool(difflib.get_close_matches(plain, DeployOptions.defaults(), 1, cutoff=MISSPELLED))
    prefix = next((each for each in PREFIXES if plain.startswith(each)), "")
    if not prefix or plain.upper() in ollama_env.VARIABLES:
        return True
    rest = plain.removeprefix(prefix)
    siblings = [key.removeprefix(prefix) for key in HostSettings.model_fields if key.startswith(prefix)]
    elsewhere = {*HostSettings.model_fields, *map(_without_prefix, HostSettings.model_fields)}
    return bool({plain, rest} & elsewhere or difflib.get_close_matches(rest, siblings, 1, cutoff=MISSPELLED_REST))


def _without_prefix(key: str) -> str:
    return key.removeprefix(next((each for each in PREFIXES if key.startswith(each)), ""))


def _plain(key: str) -> str:
    return key.lower().replace("-", "_")


def _near(key: str) -> bool:
    return bool(difflib.get_close_matches(key, HostSettings.model_fields, 1, cutoff=MISSPELLED))


def describe_unknown(what: str, word: str, words: Mapping[str, Any], cutoff: float = NEAR) -> str:
    """A message that something does not exist, with the nearest valid name."""
    near = difflib.get_close_matches(word, words, 1, cutoff=cutoff)
    return f"no such {what}" + (f", nearest is `{near[0]}`" if near else "")
