"""Leaves secrets out of settings that are checked on a machine that need not have them."""

from __future__ import annotations

from fleethands.settings.declared_secrets import declared_secrets
from fleethands.settings.host import HostSettings
from fleethands.settings.serialize import ENVIRONMENTS
from fleethands.settings.values.secret import Secret


def without_unread_secrets(settings: HostSettings) -> tuple[HostSettings, list[tuple[str, str]]]:
    """
    The settings, and (path, reason) of each secret that can't be read here. No command is run.

    Variables with such a secret are left out. Other settings keep theirs, because other checks ask whether they are
    there; `unread_secrets` names them.
    """
    unread = {path: why for path, secret in declared_secrets(settings).items() if (why := _why_unread(secret))}
    kept = {
        key: {name: value for name, value in getattr(settings, key).items() if f"{key}.{name}" not in unread}
        for key in ENVIRONMENTS
    }
    found = [(path, f"the value was not checked: {why}") for path, why in unread.items()]
    return settings.model_copy(update=kept).with_unread_secrets(frozenset(unread)), found


def _why_unread(secret: Secret) -> str:
    if secret.kind == "command":
        return f"`{secret.place}` was not run"
    try:
        secret.reveal()
    except ValueError as error:
        return str(error)
    return ""
