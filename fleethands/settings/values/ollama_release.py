"""Names of the files of an Ollama release."""

from __future__ import annotations

ARCHS = {"x86_64": "amd64", "aarch64": "arm64"}  # by `uname -m`


def archive_name(version: str, arch: str) -> str:
    """The name of a release's archive (tar.zst since 0.14.0: ollama commit 34d0c55ea)."""
    major, minor = (int(part) for part in version.split(".")[:2])
    return f"ollama-linux-{arch}.{'tar.zst' if (major, minor) >= (0, 14) else 'tgz'}"
