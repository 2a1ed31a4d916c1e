"""Leaves secrets out of settings that are checked on a machine that need not have them."""

from __future__ import annotations

from collections.abc import Iterator

from fleethands.settings.host import HostSettings
from fleethands.settings.serialize import ENVIRONMENTS
from fleethands.settings.values.secret import Secret


def without_unread_secrets(settings: HostSettings) -> tuple[HostSettings, list[tuple[str, str]]]:
    """The settings without secrets that can't be read here, and (path, reason) of each. No command is run."""
    unread = {(key, name): why for key, name, why in _unread(settings)}
    kept = {
        key: {name: value for name, value in getattr(settings, key).items() if (key, name) not in unread}
        for key in ENVIRONMENTS
    }
    return settings.model_copy(update=kept), [(f"{key}.{name}", why) for (key, name), why in unread.items()]


def _unread(settings: HostSettings) -> Iterator[tuple[str, str, str]]:
    for key in ENVIRONMENTS:
        for name, value in getattr(settings, key).items():
            if isinstance(value, Secret) and (why := _why_unread(value)):
                yield key, name, f"the value was not checked: {why}"


def _why_unread(secret: Secret) -> str:
    if secret.kind == "command":
        return f"`{secret.place}` was not run"
    try:
        secret.reveal()
    except ValueError as error:
        return str(error)
    return ""
