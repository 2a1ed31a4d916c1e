"""Finds variables that would not reach a host's processes unchanged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fleethands.settings.host import HostSettings
from fleethands.settings.schema.ollama_env import SETTINGS
from fleethands.text.systemd import assignment, file_assignment

# bytes of the override's lines and of its secrets: the probe reads managed files of up to 64 KiB, and Linux allows
# 128 KiB per variable
MAX_BYTES = 60_000


def is_text(value: object) -> bool:
    """Whether all text in a value of host data is UTF-8. Python reads other bytes as lone surrogates."""
    if isinstance(value, str):
        return not any(0xD800 <= ord(char) <= 0xDFFF for char in value)
    if isinstance(value, Mapping):
        return all(is_text(key) and is_text(each) for key, each in value.items())
    return not isinstance(value, list | tuple) or all(is_text(each) for each in value)


def unencodable_variables(settings: HostSettings) -> Iterator[tuple[str, str]]:
    """(setting, problem) of each variable that systemd would reject, and of all variables if they are too large."""
    try:
        environment = settings.ollama_environment
    except ValueError:
        return  # cross_field.py reports a secret that can't be read
    size = 0
    for name, value in environment.items():
        try:
            write = file_assignment if name in settings.ollama_secrets else assignment
            size += len(f"Environment={write(name, value)}\n".encode())
        except ValueError as error:
            yield SETTINGS.get(name, f"ollama_env.{name}"), str(error).removeprefix(f"`{name}`: ")
    if size > MAX_BYTES:
        yield "ollama_env", f"expected at most {MAX_BYTES} bytes of variables in total, got {size}"
