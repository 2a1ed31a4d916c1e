"""What a change downloads, in words, with its size where the source told it."""

from __future__ import annotations

from fleethands.facts import Probe

UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def sentence(seen: Probe, kind: str, name: str, what: str) -> str:
    """
    `downloads WHAT (SIZE)`.

    + kind, name: as the probe's upstream section has them
    """
    size = seen.upstream.size(kind, name)
    return f"downloads {what} ({human(size) if size is not None else 'its source did not tell the size'})"


def human(size: float) -> str:
    """A number of bytes as people read it."""
    power = 0
    while size >= 1024 and power < len(UNITS) - 1:
        size, power = size / 1024, power + 1
    return f"{size:.1f} {UNITS[power]}" if power else f"{size:.0f} bytes"
