"""Settings and secrets for commands that also work while the settings are wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fleethands.engine.engine import Engine
from fleethands.errors import FleethandsError
from fleethands.report.redaction import Mask
from fleethands.settings import HostSettings, Secret, SettingsError


def read_optional_settings(engine: Engine) -> tuple[Mapping[str, HostSettings], Mask]:
    """
    The settings of each host, none if they are wrong, and what hides their secrets.

    Every secret in the inventory is hidden even then, under whichever key it is.
    """
    try:
        settings = engine.settings()
    except (SettingsError, FleethandsError):
        found = [secret for host in engine.hosts for secret in _secrets(host.data.dict())]
        return {}, Mask({value for secret in found if (value := _reveal(secret)) is not None})
    return settings, engine.mask


def _secrets(value: Any) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _secrets(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _secrets(each)


def _reveal(secret: Secret) -> str | None:
    try:
        return secret.reveal()
    except ValueError:
        return None
