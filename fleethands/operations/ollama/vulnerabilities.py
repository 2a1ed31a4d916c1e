"""Ollama releases with a published vulnerability."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fleethands.settings.schema.ollama_env_releases import is_newer

RELEASE = re.compile(r"\d{1,4}\.\d{1,4}\.\d{1,4}(-rc\d+)?", re.ASCII)


@dataclass(frozen=True)
class Vulnerability:
    """A published vulnerability of Ollama, and the first release without it."""

    name: str
    fixed: str
    what: str


# https://nvd.nist.gov/vuln/detail/CVE-2026-7482, 2026-05-04: before 0.17.1
VULNERABILITIES = (
    Vulnerability("CVE-2026-7482", "0.17.1", "anyone who reaches its API can read its memory with a crafted model"),
)


def notes(release: str) -> Iterator[str]:
    """One sentence for each published vulnerability of a release; none for a text that is no release."""
    for each in VULNERABILITIES if RELEASE.fullmatch(release) else ():
        if is_newer(each.fixed, release):
            known = f"Ollama {release} has a known vulnerability, {each.name}: {each.what}"
            yield f"{known}; it is fixed in {each.fixed}"
