"""What of one host's settings can be pinned, and what fleethands.lock pins of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fleethands.settings.schema.models import Model

PIN = "on this machine: fleethands pin"  # a report puts target and options behind it


@dataclass(frozen=True)
class Pins:
    """
    What a lock pins for one host.

    + archives: file of its Ollama release → sha256
    + models: name, as Ollama lists it → digest of its manifest
    + images: image, as declared → digest of its manifest, `sha256:…`
    + missing: what the host wants and the lock does not have
    """

    archives: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    def renewal(self, name: str) -> str | None:
        """The command that pins something anew, None for what no lock pins."""
        return f"{PIN} --only {name}" if name in self.models or name in self.images else None


@dataclass(frozen=True)
class Pinnable:
    """
    What a host would have pinned: everything that it names by something that can move.

    + release: version and address of an Ollama whose sha256 is not declared, None where it is
    + models: from registries, those that Modelfiles start from among them; digest not declared
    + images: by tag
    """

    release: tuple[str, str] | None
    models: tuple[Model, ...]
    images: tuple[str, ...]
