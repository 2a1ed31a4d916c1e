"""Durations of Ollama (envconfig/config.go KeepAlive and LoadTimeout, v0.32.15; Go's time.ParseDuration)."""

from __future__ import annotations

import re

from fleethands.settings.expected import InvalidValue

FORM = "a duration such as `30m` or `1h30m`, or a whole number of seconds"
LONGEST = 2**63 - 1  # nanoseconds in a Go duration, 292 years
NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_PART = r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)"
_WHOLE = re.compile(rf"[-+]?(?:{_PART})+\Z", re.ASCII)
_SECONDS = re.compile(r"[-+]?\d+\Z", re.ASCII)
_LONGER = {"d": 24, "w": 24 * 7}
_FOREVER = {"forever", "always", "never", "infinite", "inf"}


def check_duration(value: object) -> str:
    """
    The duration as text, in Go's form or as whole seconds. Raises InvalidValue, because Ollama ignores any other form.

    + value: text or a whole number
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InvalidValue(FORM)
    text = str(value)
    length = abs(nanoseconds(text))
    if length > LONGEST:
        raise InvalidValue("a duration below 292 years: negative is for ever")
    return text


def nanoseconds(text: str) -> int:
    """The length of a duration; a negative one means forever. Raises InvalidValue."""
    sign = -1 if text.startswith("-") else 1
    if _SECONDS.match(text):
        return sign * int(text.lstrip("+-")[:20]) * 10**9
    if _WHOLE.match(text):
        return sign * sum(int(float(number) * NANOSECONDS[unit]) for number, unit in re.findall(_PART, text, re.ASCII))
    raise InvalidValue(_spelled(text))


def _spelled(text: str) -> str:
    if match := re.fullmatch(r"(\d{1,6})\s*([dw])(ays?|eeks?)?", text.strip().lower(), re.ASCII):
        return f"a duration, such as `{int(match[1]) * _LONGER[match[2]]}h`: hours are the largest unit"
    if match := re.fullmatch(r"(\d{1,6})\s*(s|m|h)[a-z]*", text.strip().lower(), re.ASCII):
        return f"a duration, such as `{match[1]}{match[2]}`"
    return "a duration, such as `-1` for ever or `0` for not at all" if text.lower() in _FOREVER else FORM
