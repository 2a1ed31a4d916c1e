"""Generations of OpenHands that get no more releases."""

from __future__ import annotations

from collections.abc import Iterator

from fleethands.settings import HostSettings
from fleethands.settings.openhands import generation_of

# PyPI's openhands-ai, on 2026-11-29: 0.62.0 (2025-11-11) was V0's last release, 1.11.0 (2026-07-09) is V1's newest
UNMAINTAINED = {
    "v0": "V0 of OpenHands has had no release since 0.62.0 (November 2025)",
    "v1": "V1 of OpenHands has had no release since 1.11.0 (July 2026)",
}


def notes(settings: HostSettings) -> Iterator[str]:
    """A sentence if the declared generation is unmaintained, with the product that upstream works on."""
    if settings.openhands_flavor != "off" and (sentence := UNMAINTAINED.get(generation_of(settings).api)):
        yield f'{sentence}; what upstream works on is Agent Canvas (`openhands_flavor`: "canvas")'
