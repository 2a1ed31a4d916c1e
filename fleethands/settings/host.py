"""What one host should be: every setting, and what follows from them."""

from __future__ import annotations

from pydantic import PrivateAttr

from fleethands import paths
from fleethands.settings.pins import Pins
from fleethands.settings.schema.access import AccessKeys
from fleethands.settings.schema.models import Model, ModelKeys
from fleethands.settings.schema.ollama import OllamaKeys
from fleethands.settings.schema.openhands import OpenHandsKeys
from fleethands.settings.values.images import at_digest
from fleethands.settings.values.names import ListenAddress, ModelName, host_and_port
from fleethands.settings.values.secret import Secret
from fleethands.settings.values.source import RELEASES, Source, source_generation

__all__ = ["HostSettings", "Model"]

OPENHANDS_CONTEXT = 32768
OLLAMA_IMAGE = "ollama/ollama"


class HostSettings(AccessKeys, OpenHandsKeys, ModelKeys, OllamaKeys):
    """
    What one host should be. Keys are host data of the same name; `None` means: as found, or upstream's own.

    `read_fleet` makes them: it also checks keys against each other, and holds them to a lock.
    """

    _pins: Pins = PrivateAttr(default_factory=Pins)

    @property
    def pins(self) -> Pins:
        """What fleethands.lock pins of them."""
        return self._pins

    @property
    def without_pins(self) -> HostSettings:
        """The same without what a lock adds."""
        free = [
            each.model_copy(update={"digest": None}) if str(each.name) in self.pins.models else each
            for each in self.models
        ]
        copy = self.model_copy(update={"models": tuple(free)})
        copy._pins = Pins()
        return copy

    def with_pins(self, pins: Pins) -> HostSettings:
        """The same, with every model at the digest that is pinned."""
        models = [(model, pins.models.get(str(model.name))) for model in self.models]
        held = [model.model_copy(update={"digest": digest}) if digest else model for model, digest in models]
        copy = self.model_copy(update={"models": tuple(held)})
        copy._pins = pins
        return copy

    @property
    def model(self) -> ModelName | None:
        """The model that OpenHands and the proof use."""
        return self.openhands_model or (self.models[0].name if self.models else None)

    @property
    def context_length(self) -> int | None:
        """Tokens of context that Ollama is told, None for its own choice."""
        if not self.manages_ollama:
            return None
        if self.ollama_context_length is None and self.openhands_flavor != "off":
            return OPENHANDS_CONTEXT
        return self.ollama_context_length

    @property
    def declared_image(self) -> str:
        """The image of the host's container as it is declared, empty where there is none."""
        return self.openhands_image if self.openhands_flavor in {"gui", "canvas"} else ""

    @property
    def container_image(self) -> str:
        """The same, by its digest where that is pinned."""
        return self._at_pin(self.declared_image)

    def _at_pin(self, image: str) -> str:
        digest = self.pins.images.get(image)
        return at_digest(image, digest) if digest else image

    @property
    def manages_ollama(self) -> bool:
        """Whether Ollama is this host's own, and not somebody else's at an address."""
        return self.ollama_runtime != "external"

    @property
    def listens(self) -> bool:
        """Whether anything of ours listens on this host."""
        return self.manages_ollama or self.openhands_flavor != "off"

    @property
    def ollama_declared_image(self) -> str:
        """The image that Ollama runs from as it is declared, empty where it runs from none."""
        if self.ollama_runtime != "container":
            return ""
        return self.ollama_image or f"{OLLAMA_IMAGE}:{self.ollama_version}"

    @property
    def ollama_container_image(self) -> str:
        """The same, by its digest where that is pinned."""
        return self._at_pin(self.ollama_declared_image)

    @property
    def ollama_client_url(self) -> str:
        """Where a client on the host itself reaches Ollama."""
        return self.ollama_address or self.ollama_host.local_url

    @property
    def ollama_server(self) -> tuple[str, int]:
        """Name or address, and port, at which a client on the host itself reaches Ollama."""
        return host_and_port(self.ollama_client_url)

    @property
    def openhands_source(self) -> Source:
        """What the flavor `source` builds."""
        kind = source_generation(self.openhands_generation, self.openhands_repo, self.openhands_ref)
        return Source(kind, self.openhands_repo, self.openhands_ref or RELEASES.get(kind, ""))

    @property
    def openhands_root(self) -> str:
        """Where it lies on a host once it is built: a link."""
        return f"{paths.OPENHANDS_SOURCE}/{self.openhands_source.name}"

    @property
    def openhands_built(self) -> str | None:
        """The file on a host that says what was built there, None for other flavors."""
        return f"{self.openhands_root}/.fleethands" if self.openhands_flavor == "source" else None

    @property
    def openhands_address(self) -> ListenAddress:
        """Where the page is published."""
        return ListenAddress(self.openhands_bind, self.openhands_port)

    @property
    def openhands_url(self) -> str:
        """Where the page answers on the host itself."""
        return self.openhands_address.local_url

    @property
    def ollama_environment(self) -> dict[str, str]:
        """Every variable of the service, as text; secrets revealed. Raises ValueError for one that can't be read."""
        if not self.manages_ollama:
            return {}
        named = {
            "OLLAMA_HOST": str(self.ollama_host),
            "OLLAMA_ORIGINS": ",".join(self.ollama_origins),
            "OLLAMA_CONTEXT_LENGTH": self.context_length,
            "OLLAMA_KEEP_ALIVE": self.ollama_keep_alive,
            "OLLAMA_MODELS": self.ollama_models_dir,
        }
        known = {key: value for key, value in named.items() if value is not None}
        return {key: _text(value) for key, value in {**known, **self.ollama_env}.items()}

    @property
    def ollama_secrets(self) -> frozenset[str]:
        """Names of Ollama's variables whose values nobody else may see."""
        values = self.ollama_env if self.manages_ollama else {}
        return frozenset(name for name, value in values.items() if isinstance(value, Secret))

    @property
    def openhands_variables(self) -> dict[str, str]:
        """The container's further variables, as text; secrets revealed. Raises ValueError as above."""
        return {key: _text(value) for key, value in self.openhands_env.items()}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"  # anything but Go's own booleans is true to Ollama
    return value.reveal() if isinstance(value, Secret) else str(value)
