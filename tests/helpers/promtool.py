"""Debian's promtool, which checks metrics and rules as Prometheus reads them, and Debian's Prometheus itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.lab import cache


def find_promtool() -> str:
    """The program: that of this machine, or one from Debian's package. Skips the test if there is none."""
    return shutil.which("promtool") or str(prometheus_package() / "usr/bin/promtool")


def prometheus_package() -> Path:
    """Debian's package of Prometheus, unpacked and not installed. Skips the test if it cannot be fetched."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        pytest.skip("there is no apt-get that could fetch Debian's package of Prometheus")
    try:
        return cache.made("prometheus-package", _unpack)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"apt-get fetches no package of Prometheus: {error.stderr}")


def _unpack(place: Path) -> None:
    options = ["-o", "APT::Sandbox::User=root"] if os.geteuid() == 0 else []
    subprocess.run(
        ["apt-get", *options, "download", "prometheus"], cwd=place, check=True, capture_output=True, text=True
    )
    (package,) = place.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", package, place], check=True, capture_output=True, text=True)
    package.unlink()


def promtool(*words: str | Path, given: str = "") -> str:
    """What it prints. Fails the test if it does not accept what it was given."""
    done = subprocess.run([find_promtool(), *words], input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
