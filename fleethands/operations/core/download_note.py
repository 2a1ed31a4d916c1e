"""What a change downloads, in words, with its size where the source told it."""

from __future__ import annotations

from fleethands.facts import Probe
from fleethands.text.format import format_size


def describe_download(probe: Probe, kind: str, name: str, what: str) -> str:
    """
    `downloads WHAT (SIZE)`.

    + kind, name: as the probe's upstream section has them
    """
    size = probe.upstream.size(kind, name)
    return f"downloads {what} ({format_size(size) if size is not None else 'its source did not tell the size'})"
