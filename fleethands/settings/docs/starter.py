"""The short inventory of `fleethands init`: the settings that most projects change."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from fleethands.settings.docs.example import HEAD, INDENT, STARTED, TAIL, WIDTH
from fleethands.settings.host import HostSettings
from fleethands.settings.schema.describe import about
from fleethands.settings.values.literal import literal

SETTINGS = ("models", "openhands_flavor", "allow_from", "ollama_models_dir", "gpu")
REST = "All other settings: `fleethands init --all-settings DIR`, or docs/reference/settings.md of fleethands."


def inventory(name: str) -> str:
    """
    The whole file, as Python.

    + name: of the file
    """
    return HEAD.format(name=name) + "".join(map(_setting, SETTINGS)) + f"{INDENT}# {REST}\n" + TAIL


def _setting(name: str) -> str:
    comment = "".join(f"{INDENT}# {line}\n" for line in _wrap(about(HostSettings.model_fields[name]).meaning))
    if name in STARTED:
        return f'{comment}{INDENT}"{name}": {literal(STARTED[name])},\n'
    return f'{comment}{INDENT}# "{name}": {literal(getattr(HostSettings(), name))},\n'


def _wrap(line: str) -> Iterator[str]:
    yield from textwrap.wrap(line, WIDTH - len(INDENT) - 2, break_long_words=False, break_on_hyphens=False)
