"""What several modules of unit tests stand on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit import sshd


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("keys")
    return {kind: sshd.key(place, kind) for kind in ("ed25519", "rsa")}


@pytest.fixture(scope="module")
def port(keys: dict[str, Path]) -> Iterator[int]:
    """An SSH server with a key of each type."""
    command = [sys.executable, "-c", sshd.SERVER, *map(str, keys.values())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        yield int(process.stdout.readline())
        process.kill()


@pytest.fixture
def known_hosts(tmp_path: Path) -> Path:
    return tmp_path / "ssh" / "known_hosts"
