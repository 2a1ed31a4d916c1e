"""Everything a lab needs before its first test: hosts, and an internet that has what they ask for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.lab.internet import release
from tests.lab.lab import Lab


def ready(lab: Lab, *hosts: str | Mapping[str, str], count: int = 0) -> None:
    """Hosts up (as Lab.up takes them), releases, models and the guide's image there; made side by side."""
    with ThreadPoolExecutor() as pool:
        ollama = pool.submit(release.tree)
        lab.up(*hosts, count=count)
        ollama.result()
        lab.internet.fill()


def unfit() -> str:
    """Why this machine cannot carry a lab; empty when it can."""
    release = Path("/etc/os-release")
    if not release.exists() or "debian" not in release.read_text().lower():
        return "the lab needs Debian or Ubuntu (apt, systemd-nspawn, btrfs)"
    if os.geteuid() != 0:
        return "the lab boots whole systems: run it as root"
    return ""
