"""Rates of downloads, in bytes or bits a second."""

from __future__ import annotations

import re

from fleethands.settings.expected import InvalidValue

FORM = "a rate such as `8 MiB/s` or `100 Mbit/s`, or a whole number of bytes a second"
LOWEST = 16 << 10  # bytes a second; at less, curl takes longer than the stall limit for one read
HIGHEST = 1 << 40
UNITS = {
    "B/s": 1, "kB/s": 10**3, "MB/s": 10**6, "GB/s": 10**9, "KiB/s": 1 << 10, "MiB/s": 1 << 20, "GiB/s": 1 << 30,
    "bit/s": 1 / 8, "kbit/s": 10**3 / 8, "Mbit/s": 10**6 / 8, "Gbit/s": 10**9 / 8,
}  # fmt: skip
_RATE = re.compile(r"(\d{1,12}(?:\.\d{1,6})?) ?([A-Za-z/]+)\Z", re.ASCII)
_OTHER = {unit.lower(): unit for unit in UNITS} | {
    "k": "KiB/s", "m": "MiB/s", "g": "GiB/s", "kib": "KiB/s", "mib": "MiB/s", "gib": "GiB/s", "kb": "kB/s",
    "gb": "GB/s", "kbps": "kbit/s", "mbps": "Mbit/s", "gbps": "Gbit/s", "kbit": "kbit/s", "mbit": "Mbit/s",
    "gbit": "Gbit/s",
}  # fmt: skip


def parse_rate(value: object) -> int:
    """
    Whole bytes a second. Raises InvalidValue.

    + value: text with a unit, or a whole number of bytes

    >>> parse_rate("100 Mbit/s")
    12500000
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return _within(value)
    found = _RATE.match(value) if isinstance(value, str) else None
    if found is None:
        raise InvalidValue(FORM)
    number, unit = found.groups()
    if unit not in UNITS:
        near = _OTHER.get(unit.lower())
        raise InvalidValue(f"`{number} {near}`" if near else FORM)
    return _within(int(float(number) * UNITS[unit]))


def _within(rate: int) -> int:
    if rate < LOWEST:
        raise InvalidValue("at least `16 KiB/s`")
    if rate > HIGHEST:
        raise InvalidValue("at most `1024 GiB/s`")
    return rate
