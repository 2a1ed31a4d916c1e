"""What of a host's settings would not reach its processes as it stands there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fleethands.settings.host import HostSettings
from fleethands.settings.schema.ollama_env import SETTINGS
from fleethands.text.systemd import assignment, file_assignment

# bytes of the lines of the override and of its secrets: the probe reads managed files of up to 64 KiB; Linux passes on
# 128 KiB a variable
MAX_BYTES = 60_000


def is_text(value: object) -> bool:
    """Whether all text in a value of host data is text: what was read from bytes that are not UTF-8 is none."""
    if isinstance(value, str):
        return not any(0xD800 <= ord(char) <= 0xDFFF for char in value)
    if isinstance(value, Mapping):
        return all(is_text(key) and is_text(each) for key, each in value.items())
    return not isinstance(value, list | tuple) or all(is_text(each) for each in value)


def unencodable_variables(settings: HostSettings) -> Iterator[tuple[str, str]]:
    """(setting, problem) of each variable that systemd would refuse, and of all of them where they are too much."""
    try:
        environment = settings.ollama_environment
    except ValueError:
        return  # a secret that can't be read is named where secrets are read
    size = 0
    for name, value in environment.items():
        try:
            write = file_assignment if name in settings.ollama_secrets else assignment
            size += len(f"Environment={write(name, value)}\n".encode())
        except ValueError as error:
            yield SETTINGS.get(name, f"ollama_env.{name}"), str(error).removeprefix(f"`{name}`: ")
    if size > MAX_BYTES:
        yield "ollama_env", f"expected at most {MAX_BYTES} bytes of variables in total, got {size}"
