"""Formats sizes."""

from __future__ import annotations

UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def format_size(size: int) -> str:
    """Bytes in the largest fitting unit: `512 B`, `87 MiB`, `1.9 GiB`."""
    value, unit = float(size), 0
    while value >= 1024 and unit < len(UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.1f} {UNITS[unit]}" if value < 10 and unit else f"{value:.0f} {UNITS[unit]}"
