"""
Reads the text of a variable as Ollama does, and finds the setting with the same meaning.

After ollama envconfig/config.go, v0.32.15, and Go's net.SplitHostPort, strconv.ParseBool and time.ParseDuration.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Hashable
from pathlib import PurePosixPath

from fleethands.settings.expected import InvalidValue, check_line
from fleethands.settings.schema import ollama_env
from fleethands.settings.schema.ollama_env import BOOL, DURATION, GO_FALSE, GO_TRUE, LEVEL, SETTINGS, UINT
from fleethands.settings.schema.types import parse_models_dir
from fleethands.settings.values.durations import check_duration, nanoseconds
from fleethands.settings.values.names import OLLAMA_PORT, ListenAddress, check_origin

_WITH_PORT = re.compile(r"(?:\[([^\[\]]*)\]|([^:\[\]]*)):([^:\[\]]*)\Z")
_WHOLE = re.compile(r"[0-9]{1,19}\Z")
_SIGNED = re.compile(r"[+-]?[0-9]{1,9}\Z")
EVERYWHERE = {"", "0.0.0.0", "::"}  # noqa: S104  Go listens on both families for each of them


def parse_meaning(name: str, text: str) -> Hashable:
    """The meaning of a variable's text for Ollama; None for Ollama's default. Equal meanings have the same effect."""
    if not _is_ollamas(name):
        return text
    said = _stripped(text)
    if not said:
        return None
    if name == "OLLAMA_HOST":
        host, port = parse_listen_address(said)
        return ("" if host in EVERYWHERE else "127.0.0.1" if host == "localhost" else host), port
    if name == "OLLAMA_ORIGINS":
        return frozenset(said.lower().split(","))  # gin-contrib/cors takes them so
    if name == "OLLAMA_MODELS":
        return PurePosixPath(said)
    return _READ.get(_kind(name), str)(said)


def means_same(name: str, one: str | None, other: str | None) -> bool:
    """Whether two texts of a variable mean the same to Ollama; None if the variable is not set."""
    if one is None or other is None:
        return one == other
    return one == other or parse_meaning(name, one) == parse_meaning(name, other)


def to_setting(name: str, text: str) -> tuple[str, str | int | list[str] | dict[str, str]]:
    """
    The setting and its value with the same meaning as a variable's text.

    Raises InvalidValue if no value of the setting has this meaning, UnknownVariable if there is no setting.
    """
    said = _stripped(text) if _is_ollamas(name) else check_line(text)
    if name not in SETTINGS:
        ollama_env.check_name(name)
        value = _text(_kind(name), said)
        ollama_env.check_value(name, value)
        return "ollama_env", {name: value}
    return SETTINGS[name], _AS_KEY[name](said)


def parse_listen_address(text: str) -> tuple[str, int]:
    """Host and port of OLLAMA_HOST; an IP is in its usual form."""
    scheme, found, rest = text.partition("://")
    scheme, rest = (scheme, rest) if found else ("", text)
    usual = {"http": 80, "https": 443}.get(scheme, OLLAMA_PORT)
    rest = rest.partition("/")[0]
    match = _WITH_PORT.match(rest)
    host = (match[1] or match[2] or "") if match else rest.strip("[]") or "127.0.0.1"
    port = int(match[3]) if match and _SIGNED.match(match[3]) else usual
    try:
        host = str(ipaddress.ip_address(host))
    except ValueError:
        host = host.lower()
    return host, port if 0 <= port < 65536 else usual


def _stripped(text: str) -> str:
    return text.strip().strip("\"'").strip()


def _is_ollamas(name: str) -> bool:
    return name.startswith("OLLAMA_")


def _kind(name: str) -> str:
    return {"OLLAMA_CONTEXT_LENGTH": UINT, "OLLAMA_KEEP_ALIVE": DURATION}.get(name) or ollama_env.kind_of(name)


def _bool(said: str) -> bool:
    return said not in GO_FALSE  # every other word is true


def _uint(said: str) -> int | None:
    return int(said) if _WHOLE.match(said) else None


def _level(said: str) -> int:
    return 1 if said in GO_TRUE else int(said) if _SIGNED.match(said) else 0


def _duration(said: str) -> int | None:
    try:
        return max(-1, nanoseconds(check_duration(said)))
    except InvalidValue:
        return None


_READ: dict[str, Callable[[str], Hashable]] = {BOOL: _bool, UINT: _uint, LEVEL: _level, DURATION: _duration}


def _text(kind: str, said: str) -> str:
    """The value of `ollama_env` with the same meaning."""
    if kind == BOOL and said:
        return "1" if _bool(said) else "0"
    if kind == LEVEL:
        return str(min(_level(said), 2))
    return str(int(said)) if kind == UINT and _WHOLE.match(said) else said


def _host(said: str) -> str:
    host, port = parse_listen_address(said)
    try:
        ipaddress.ip_address(host or "0.0.0.0")  # noqa: S104
    except ValueError:
        if host != "localhost":
            raise InvalidValue("an IP address", "and what a name stands for may change") from None
        host = "127.0.0.1"
    host = host or "0.0.0.0"  # noqa: S104
    return str(ListenAddress.parse(f"[{host}]:{port}" if ":" in host else f"{host}:{port}"))


def _origins(said: str) -> list[str]:
    return [check_origin(each.strip()) for each in said.split(",")]


def _context(said: str) -> int:
    if not (count := _uint(said)):
        raise InvalidValue("a whole number from 1", "and Ollama takes its own for it")
    return count


def _models(said: str) -> str:
    return str(parse_models_dir(said))


_AS_KEY: dict[str, Callable[[str], str | int | list[str]]] = {
    "OLLAMA_HOST": _host,
    "OLLAMA_ORIGINS": _origins,
    "OLLAMA_CONTEXT_LENGTH": _context,
    "OLLAMA_KEEP_ALIVE": check_duration,
    "OLLAMA_MODELS": _models,
}
