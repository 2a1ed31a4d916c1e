"""Why no Ollama answers at an external address."""

from __future__ import annotations

from fleethands.facts.external_ollama import VersionRequest
from fleethands.operations.ollama.external_commands import SERVER, command_place
from fleethands.settings.values.names import host_and_port

START = f"{SERVER}: systemctl start ollama"
# curl's exit status (man curl)
NO_NAME, NO_CONNECTION, TIMEOUT = (5, 6), 7, 28
NO_TLS, BAD_CERTIFICATE = 35, (51, 53, 54, 58, 59, 60, 64, 66, 77, 80, 82, 83, 90, 91)
NO_HTTP = (1, 8, 52, 56)
# HTTP's
LOGIN = ("it wants a login, and no setting has one",)
FORBIDDEN = ("it refuses this host", "its OLLAMA_HOST is of loopback alone, or a server before it lets few in")
BAD_GATEWAY = ("the server before it gets no answer from Ollama", START)
CODES = {401: LOGIN, 403: FORBIDDEN, 407: LOGIN, 502: BAD_GATEWAY, 503: BAD_GATEWAY, 504: BAD_GATEWAY}


def explain_no_answer(url: str, way: VersionRequest) -> tuple[str, ...]:
    """The cause, followed by hints."""
    name, port = host_and_port(url)
    if way.status in NO_NAME:
        hint = f'in the inventory, by its address: "ollama_address": "http://10.0.0.5:{port}"'
        return f"the name {name} is not known on this host", hint
    if way.status == NO_CONNECTION:
        return (
            f"nothing listens there, or no way leads there{_quote(way)}",
            f"{command_place(url)}: systemctl start ollama",
        )
    if way.status == TIMEOUT:
        return _explain_timeout(port, way)
    if way.status == NO_TLS or way.status in BAD_CERTIFICATE:
        return _explain_tls(url, way)
    return _explain_answer(way)


def _explain_timeout(port: int, way: VersionRequest) -> tuple[str, ...]:
    if way.remote:
        return "it takes the request, and does not answer within 5 s", f"{SERVER}: systemctl restart ollama"
    return "no answer within 5 s: a firewall keeps this host out, or that machine is off", *_allow_hints(way.ours, port)


def _explain_tls(url: str, way: VersionRequest) -> tuple[str, ...]:
    if way.status == NO_TLS:
        plain = url.replace("https://", "http://")
        return f"it does not use TLS{_quote(way)}", f'in the inventory, if so: "ollama_address": "{plain}"'
    return f"its certificate will not do{_quote(way)}", "on the host: apt-get install ca-certificates"


def _quote(way: VersionRequest) -> str:
    return f" ({way.said})" if way.said else ""


def _allow_hints(ours: str, port: int) -> tuple[str, ...]:
    if not ours:
        return ()
    ufw = f"on that server, where ufw is its firewall: ufw allow from {ours} to any port {port} proto tcp"
    return ufw, f'where fleethands keeps that server, in its inventory: "allow_from": ["{ours}"]'


def _explain_answer(way: VersionRequest) -> tuple[str, ...]:
    """Something answers, but not Ollama, or a proxy in front of it."""
    if way.leads:
        return f"it answers HTTP {way.code}, and leads to {way.leads}", "in the inventory: `ollama_address`, like that"
    if way.code in CODES:
        cause, *hints = CODES[way.code]
        return f"{cause} (HTTP {way.code})", *hints
    if way.status in NO_HTTP:
        return (f"what answers there is not Ollama{_quote(way)}",)
    if way.status:
        return (f"curl ended with status {way.status}{_quote(way)}",)
    return (f"what answers there is not Ollama{f' (HTTP {way.code})' if way.code not in (0, 200) else ''}",)
