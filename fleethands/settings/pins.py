"""The pins of one host, and what can be pinned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fleethands.settings.schema.models import Model

PIN = "on this machine: fleethands pin"  # a report appends the target and options


@dataclass(frozen=True)
class Pins:
    """
    The pins of a lockfile for one host.

    + archives: file of its Ollama release → sha256
    + models: name, as Ollama lists it → digest of its manifest
    + images: image, as declared → digest of its manifest, `sha256:…`
    + missing: what the host uses and the lockfile does not have
    + bundles: files that everything comes from, instead of its registries and mirrors
    """

    archives: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    bundles: tuple[str, ...] = ()

    def renewal(self, name: str) -> str | None:
        """The command that updates a pin; None for a name without a pin."""
        return f"{PIN} --only {name}" if name in self.models or name in self.images else None


@dataclass(frozen=True)
class Pinnable:
    """
    What can be pinned for a host: every name that can move.

    + release: version and address of Ollama; None if its sha256 is declared
    + models: models of registries without a declared digest, base models of Modelfiles included
    + images: images by tag
    """

    release: tuple[str, str] | None
    models: tuple[Model, ...]
    images: tuple[str, ...]
