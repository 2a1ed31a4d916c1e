"""The registry's directory in the cache, and what is in it: made once, pushed once, for every lab of this machine."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Protocol

from tests.lab import cache
from tests.lab.internet import toolchain
from tests.lab.internet.registry import Registry
from tests.lab.shell import step


class Content(Protocol):
    """Something under a name in the registry."""

    @property
    def name(self) -> str:
        """How it is called here."""

    @property
    def reference(self) -> tuple[str, str]:
        """A repository and tag that it is found under."""

    def made_from(self) -> str:
        """Key of all that decides what it is like."""

    def push(self, registry: Registry, work: Path) -> str:
        """Make it, with `work` to make it in, and push it; the manifest's digest."""


def place() -> Path:
    """docker-registry's root directory."""
    return cache.root() / "registry"


def offered(content: Content, registry: Registry) -> str:
    """The content's digest, after making and pushing it if the registry does not hold just this."""
    label = content.name.replace("/", "_").replace(":", "_")
    note = cache.root() / "offered" / f"{label}-{content.made_from()}"
    with cache.lock(f"offer-{label}"):
        if note.exists() and note.read_text() == _digest(content, registry):
            return note.read_text()
        work = cache.root() / f"work-{label}"
        toolchain.scrub(work)
        work.mkdir()
        try:
            with step(f"make {content.name}"):
                digest = content.push(registry, work)
        finally:
            toolchain.scrub(work)
        note.parent.mkdir(exist_ok=True)
        note.write_text(digest)
        return digest


def _digest(content: Content, registry: Registry) -> str | None:
    manifest = registry.manifest(*content.reference)
    return None if manifest is None else f"sha256:{hashlib.sha256(manifest).hexdigest()}"
