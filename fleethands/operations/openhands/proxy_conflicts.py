"""Proxies in OpenHands' own environment that it would use for Ollama."""

from __future__ import annotations

from fleethands.settings import HostSettings
from fleethands.settings.openhands import base_url
from fleethands.settings.values.names import host_and_port

EXEMPT = ("NO_PROXY", "no_proxy")


def proxy_notes(settings: HostSettings) -> tuple[str, ...]:
    """A note if OpenHands would ask Ollama through a proxy, as its libraries do with these variables (httpx, curl)."""
    if settings.openhands_flavor == "off":
        return ()
    url, given = base_url(settings), settings.openhands_env
    name, scheme = host_and_port(url)[0], url.partition(":")[0]
    proxies = [each for each in (f"{scheme}_proxy", "all_proxy") if given.keys() & {each, each.upper()}]
    exempt = {word.strip() for key in EXEMPT for word in str(given.get(key, "")).split(",")}
    if not proxies or exempt & {name, "*"} or any(word and name.endswith(f".{word.lstrip('.')}") for word in exempt):
        return ()
    add = f'add to `openhands_env`: "NO_PROXY": "{name}"'
    return (f"OpenHands asks {url} by the proxy of `openhands_env`; unless that leads there, {add}",)
