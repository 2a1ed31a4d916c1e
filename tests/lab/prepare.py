"""Everything a lab needs before its first test: hosts, and an internet that has what they ask for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.lab.internet import release
from tests.lab.lab import Lab


def ready(lab: Lab, *hosts: str) -> None:
    """Hosts up, releases, models and the guide's image there; what takes long is made side by side."""
    with ThreadPoolExecutor() as pool:
        ollama = pool.submit(release.tree)
        lab.up(*hosts)
        ollama.result()
        lab.internet.fill()
