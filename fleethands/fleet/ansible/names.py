"""Host names of Ansible inventories, with a port and with ranges such as `gpu[01:12:2]` and `[a:c]`."""

from __future__ import annotations

import re
from string import ascii_letters

MOST = 10_000  # hosts in one name
_PORT = re.compile(
    r"\[(?P<bracketed>[^\[\]]+)\]:(?P<bracketed_port>\d+)"
    r"|(?P<plain>(?:[^:\[\]]|\[[^\]]*\])+):(?P<port>\d+)"
)
_RANGE = re.compile(r"(?P<head>[^\[\]]*)\[(?P<range>[^\[\]]*)\](?P<tail>.*)", re.DOTALL)


class InvalidHostRange(ValueError):
    """A name that can't be expanded to hosts."""


def hosts(pattern: str) -> tuple[list[str], int | None]:
    """The host names of a name with ranges, and its port. Raises InvalidHostRange."""
    name, port = pattern, None
    if match := _PORT.fullmatch(pattern):
        name = match["bracketed"] or match["plain"]
        port = int(match["bracketed_port"] or match["port"])
    if not name or any(char.isspace() for char in name) or name == "---":
        raise InvalidHostRange(f"`{pattern}`: expected a host's name")
    if port is not None and not 0 < port < 2**16:
        raise InvalidHostRange(f"`{pattern}`: expected a port from 1 to 65535 behind `:`")
    found = _expanded(name)
    if len(found) > MOST:
        raise InvalidHostRange(f"`{pattern}`: stands for more than {MOST} hosts")
    return found, port


def _expanded(name: str) -> list[str]:
    match = _RANGE.fullmatch(name)
    if match is None:
        if "[" in name or "]" in name:
            raise InvalidHostRange(f"`{name}`: expected ranges such as `gpu[01:12]`")
        return [name]
    heads = [f"{match['head']}{each}" for each in _steps(name, match["range"])]
    tails = _expanded(match["tail"])
    if len(heads) * len(tails) > MOST:
        raise InvalidHostRange(f"`{name}`: stands for more than {MOST} hosts")
    return [f"{head}{tail}" for head in heads for tail in tails]


def _steps(name: str, text: str) -> list[str]:
    """The parts of a range, with both ends."""
    bounds = text.split(":")
    if not 2 <= len(bounds) <= 3 or not bounds[1]:
        raise InvalidHostRange(f"`{name}`: expected a range such as `[1:12]` or `[1:12:2]`, got `[{text}]`")
    first, last, step = bounds[0] or "0", bounds[1], bounds[2] if len(bounds) == 3 else "1"
    if not step.isdecimal() or not int(step):
        raise InvalidHostRange(f"`{name}`: expected a step from 1 on, got `{step}`")
    if first in ascii_letters and last in ascii_letters and len(first) == len(last) == 1:
        found = list(ascii_letters[ascii_letters.index(first) : ascii_letters.index(last) + 1 : int(step)])
    elif first.isdecimal() and last.isdecimal():
        found = _numbers(name, first, last, int(step))
    else:
        raise InvalidHostRange(f"`{name}`: expected two numbers or two letters, got `[{text}]`")
    if not found:
        raise InvalidHostRange(f"`{name}`: the range `[{text}]` ends before it begins")
    return found


def _numbers(name: str, first: str, last: str, step: int) -> list[str]:
    width = len(first) if first.startswith("0") and len(first) > 1 else 0
    if width and len(last) != width:
        raise InvalidHostRange(f"`{name}`: expected ends of the same length, got `{first}` and `{last}`")
    if (int(last) - int(first)) // step >= MOST:
        raise InvalidHostRange(f"`{name}`: stands for more than {MOST} hosts")
    return [str(number).zfill(width) for number in range(int(first), int(last) + 1, step)]
