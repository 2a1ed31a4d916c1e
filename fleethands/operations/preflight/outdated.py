"""What upstream has left behind: releases with a published vulnerability, and generations that are over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fleethands.settings import HostSettings
from fleethands.settings.generations import generation_of
from fleethands.settings.schema.ollama_env_releases import newer

RELEASE = re.compile(r"\d{1,4}\.\d{1,4}\.\d{1,4}(-rc\d+)?", re.ASCII)


@dataclass(frozen=True)
class Flaw:
    """A published vulnerability of Ollama's, and the first release without it."""

    name: str
    fixed: str
    what: str


# https://nvd.nist.gov/vuln/detail/CVE-2026-7482, 2026-05-04: before 0.17.1
FLAWS = (Flaw("CVE-2026-7482", "0.17.1", "whoever reaches its API can read its memory, by a crafted model"),)
# PyPI's openhands-ai, on 2026-11-29: 0.62.0 (2025-11-11) was V0's last release, 1.11.0 (2026-07-09) is V1's newest
LEGACY = {
    "v0": "V0 of OpenHands has had no release since 0.62.0 (November 2025)",
    "v1": "V1 of OpenHands has had no release since 1.11.0 (July 2026)",
}


def flaws(release: str) -> Iterator[str]:
    """One sentence for each published vulnerability of a release; none for what is no release."""
    for flaw in FLAWS if RELEASE.fullmatch(release) else ():
        if newer(flaw.fixed, release):
            known = f"Ollama {release} has a known vulnerability, {flaw.name}: {flaw.what}"
            yield f"{known}; it is fixed in {flaw.fixed}"


def legacy(settings: HostSettings) -> Iterator[str]:
    """That the declared generation of OpenHands is over, and what upstream works on."""
    if settings.openhands_flavor != "off" and (over := LEGACY.get(generation_of(settings).api)):
        yield f'{over}; what upstream works on is Agent Canvas (`openhands_flavor`: "canvas")'
