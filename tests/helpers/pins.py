"""Pins of a lockfile, and the settings of a host under them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fleethands.settings import HostSettings, read_fleet
from fleethands.settings.lockfile import Lockfile, LockfileContents, ModelPin

DIGEST, OTHER_DIGEST = "a" * 64, "b" * 64
IMAGE = "ghcr.io/all-hands-ai/openhands:main"
ARCHIVE = "ollama-linux-amd64.tar.zst"
HOST_DATA: dict[str, Any] = {"models": ["codellama:7b"], "ollama_version": "0.24.0", "openhands_image": IMAGE}
PINS = LockfileContents(
    ollama={"0.24.0": {ARCHIVE: DIGEST, "ollama-linux-amd64-rocm.tar.zst": OTHER_DIGEST}},
    models={"codellama:7b": ModelPin(digest=DIGEST, size=3_825_910_662)},
    images={IMAGE: f"sha256:{DIGEST}"},
)


def read_pinned(document: LockfileContents = PINS, **data: Any) -> HostSettings:
    """Settings of one host under these pins."""
    return read_fleet({"host": {**HOST_DATA, **data}}, Lockfile(document, Path("fleethands.lock")))["host"]
