"""The sentence of a plan that names a download and its size."""

from __future__ import annotations

from fleethands.facts import Probe
from fleethands.text.format import format_size

DOWNLOADS = "downloads "


def describe_download(probe: Probe, kind: str, name: str, what: str) -> str:
    """
    `downloads WHAT (SIZE)`.

    + kind, name: as in the probe's upstream section
    """
    size = probe.upstream.size(kind, name)
    return f"{DOWNLOADS}{what} ({format_size(size) if size is not None else 'its source did not tell the size'})"


def is_download(consequence: str) -> bool:
    """Whether the consequence of a change names a download."""
    return DOWNLOADS in consequence
