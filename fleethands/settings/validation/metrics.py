"""Checks the settings of the metrics against those of the gateway."""

from __future__ import annotations

from collections.abc import Iterator

from fleethands.settings.gateway import only_watchers
from fleethands.settings.host import HostSettings

Found = tuple[str, str, tuple[str, ...]]  # path, problem, the other settings that it follows from


def find_conflicts_of_metrics(settings: HostSettings) -> Iterator[Found]:
    """Each mistake, with its path and the other settings that it follows from."""
    if settings.gateway is None:  # the clients may be those of a group, for hosts that have one
        return
    for index, name in enumerate(settings.gateway_watchers):
        if name not in settings.gateway_tokens:
            known = ", ".join(f"`{each}`" for each in settings.gateway_tokens) or "none"
            problem = f"expected a name of `gateway_tokens` ({known}), got `{name}`"
            yield f"gateway_watchers.{index}", problem, ("gateway_tokens",)
    if settings.gateway_watchers and not settings.metrics:
        problem = "expected only with `metrics`: without it, there is nothing to read"
        yield "gateway_watchers", problem, ("metrics", "gateway")
    if settings.gateway_tokens and set(settings.gateway_tokens) <= set(only_watchers(settings)):
        problem = (
            "expected at least one client that is not in `gateway_watchers`: the proof sends a prompt with its token"
        )
        yield "gateway_tokens", problem, ("gateway_watchers", "gateway_managers", "gateway")
