"""Durations and sizes as text."""

from __future__ import annotations

SIZE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def format_duration(seconds: float) -> str:
    """
    A duration in its largest units.

    Example: `850 ms`, `4.2 s`, `45 s`, `20 min`, `1 min 30 s`, `2 h 5 min`.
    """
    if 0 < seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds == int(seconds) else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def format_size(size: int) -> str:
    """
    A number of bytes in its largest unit.

    Example: `512 B`, `87 MiB`, `1.9 GiB`, `8 MiB`.
    """
    value, unit = float(size), 0
    while value >= 1024 and unit < len(SIZE_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    digits = f"{value:.1f}" if value < 10 else f"{value:.0f}"
    return f"{digits.removesuffix('.0')} {SIZE_UNITS[unit]}"
