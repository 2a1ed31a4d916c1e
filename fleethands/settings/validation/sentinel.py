"""Checks the settings of the sentinel against each other, and the values of its secrets."""

from __future__ import annotations

from collections.abc import Iterator

from fleethands.settings.host import HostSettings
from fleethands.settings.schema.sentinel import check_key, check_webhook
from fleethands.settings.validation.declared_secret import find_problem_of_secret
from fleethands.settings.validation.gateway import Found
from fleethands.settings.values.secret import MASK, Secret

CHECKS = {"sentinel_webhook": check_webhook, "sentinel_key": check_key}


def find_conflicts_of_sentinel(settings: HostSettings) -> Iterator[Found]:
    """Each mistake, with its path and the other settings that it follows from."""
    if settings.sentinel and settings.model is None:
        problem = "expected False, because no model is declared that the sentinel could ask, got `True`"
        yield "sentinel", problem, ("models", "openhands_model")
    if settings.sentinel_key is not None and settings.sentinel_webhook is None:
        problem = f"expected only with `sentinel_webhook`, which it signs, got `{MASK}`"
        yield "sentinel_key", problem, ("sentinel_webhook",)
    for key, check in CHECKS.items():
        value = getattr(settings, key)
        if isinstance(value, Secret):
            yield from find_problem_of_secret(settings, key, value, check)
