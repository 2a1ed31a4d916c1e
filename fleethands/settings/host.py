"""The settings of one host, and the values that are derived from them."""

from __future__ import annotations

from pydantic import PrivateAttr

from fleethands import paths
from fleethands.settings.pins import Pins
from fleethands.settings.schema.access import AccessKeys
from fleethands.settings.schema.downloads import DownloadKeys
from fleethands.settings.schema.gateway import GatewayKeys
from fleethands.settings.schema.gateway_acme import GatewayAcmeKeys
from fleethands.settings.schema.gateway_page import GatewayPageKeys
from fleethands.settings.schema.metrics import MetricsKeys
from fleethands.settings.schema.models import Model, ModelKeys
from fleethands.settings.schema.ollama import CONTEXT_FOR_OPENHANDS, MODELS_IN_HOME, OllamaKeys
from fleethands.settings.schema.openhands import OpenHandsKeys
from fleethands.settings.schema.sentinel import SentinelKeys
from fleethands.settings.schema.sites import SiteKeys
from fleethands.settings.values.images import at_digest
from fleethands.settings.values.names import ListenAddress, ModelName, host_and_port
from fleethands.settings.values.secret import Secret
from fleethands.settings.values.source import RELEASES, Source, source_generation

__all__ = ["HostSettings", "Model"]

OLLAMA_IMAGE = "ollama/ollama"


class HostSettings(
    SentinelKeys,
    MetricsKeys,
    GatewayAcmeKeys,
    GatewayPageKeys,
    GatewayKeys,
    AccessKeys,
    DownloadKeys,
    SiteKeys,
    OpenHandsKeys,
    ModelKeys,
    OllamaKeys,
):
    """
    The settings of one host. `None` means: as found on the host, or upstream's default.

    `read_fleet` creates them. It also checks settings against each other and applies the lockfile.
    """

    _pins: Pins = PrivateAttr(default_factory=Pins)
    _neighbors: tuple[str, ...] = PrivateAttr(default=())
    _is_first: bool = PrivateAttr(default=False)
    _unread: frozenset[str] = PrivateAttr(default=frozenset())

    @property
    def pins(self) -> Pins:
        """The pins of the lockfile."""
        return self._pins

    @property
    def without_pins(self) -> HostSettings:
        """The same settings without the pins of a lockfile."""
        free = [
            each.model_copy(update={"digest": None}) if str(each.name) in self.pins.models else each
            for each in self.models
        ]
        copy = self.model_copy(update={"models": tuple(free)})
        copy._pins = Pins()
        return copy

    def with_pins(self, pins: Pins) -> HostSettings:
        """The same settings with the pinned digest of each model."""
        models = [(model, pins.models.get(str(model.name))) for model in self.models]
        held = [model.model_copy(update={"digest": digest}) if digest else model for model, digest in models]
        copy = self.model_copy(update={"models": tuple(held)})
        copy._pins = pins
        return copy

    @property
    def unread_secrets(self) -> frozenset[str]:
        """Paths of the secrets that this machine does not read: it only checks the inventory."""
        return self._unread

    def with_unread_secrets(self, paths: frozenset[str]) -> HostSettings:
        """The same settings, of whose secrets these are not read."""
        copy = self.model_copy()
        copy._unread = paths
        return copy

    @property
    def shares(self) -> bool:
        """Whether the host shares downloads with the hosts of its site."""
        return self.share and self.site is not None

    @property
    def keeps_parts(self) -> bool:
        """Whether the host keeps what it downloaded, for hosts that are added to its site later."""
        return self.shares and self.share_keep

    @property
    def neighbors(self) -> tuple[str, ...]:
        """Names of the hosts of this run that share downloads with this one, the nearest before it first."""
        return self._neighbors

    @property
    def is_first_of_site(self) -> bool:
        """Whether the host downloads from the internet what none of its neighbors has."""
        return self._is_first

    def with_neighbors(self, names: tuple[str, ...], *, is_first: bool) -> HostSettings:
        """The same settings of a host that shares downloads with these."""
        copy = self.model_copy()
        copy._neighbors, copy._is_first = names, is_first
        return copy

    @property
    def model(self) -> ModelName | None:
        """The model that OpenHands and the proof use."""
        return self.openhands_model or (self.models[0].name if self.models else None)

    @property
    def context_length(self) -> int | None:
        """The context length for Ollama in tokens; None for Ollama's default."""
        if not self.manages_ollama:
            return None
        if self.ollama_context_length is None and self.openhands_flavor != "off":
            return CONTEXT_FOR_OPENHANDS
        return self.ollama_context_length

    @property
    def declared_image(self) -> str:
        """The declared image of OpenHands' container; empty without a container."""
        return self.openhands_image if self.openhands_flavor in {"gui", "canvas"} else ""

    @property
    def container_image(self) -> str:
        """The image of OpenHands' container, by its pinned digest if there is one."""
        return self._at_pin(self.declared_image)

    def _at_pin(self, image: str) -> str:
        digest = self.pins.images.get(image)
        return at_digest(image, digest) if digest else image

    @property
    def manages_ollama(self) -> bool:
        """Whether fleethands manages Ollama on this host: it is not external."""
        return self.ollama_runtime != "external"

    @property
    def listens(self) -> bool:
        """Whether fleethands runs anything on this host that listens."""
        return self.manages_ollama or self.openhands_flavor != "off"

    @property
    def ollama_declared_image(self) -> str:
        """The declared image of Ollama's container; empty without a container."""
        if self.ollama_runtime != "container":
            return ""
        return self.ollama_image or f"{OLLAMA_IMAGE}:{self.ollama_version}"

    @property
    def ollama_container_image(self) -> str:
        """The image of Ollama's container, by its pinned digest if there is one."""
        return self._at_pin(self.ollama_declared_image)

    @property
    def fetches_parts(self) -> bool:
        """Whether the host gets releases, models and images by their parts, and not as Ollama and Docker do."""
        return self.download_limit is not None or self.shares or bool(self.pins.bundles)

    @property
    def ollama_client_url(self) -> str:
        """The address of Ollama for a client on the host itself."""
        return self.ollama_address or self.ollama_host.local_url

    @property
    def ollama_server(self) -> tuple[str, int]:
        """The host name or IP and the port of Ollama for a client on the host itself."""
        return host_and_port(self.ollama_client_url)

    @property
    def openhands_source(self) -> Source:
        """The source that the flavor `source` builds."""
        kind = source_generation(self.openhands_generation, self.openhands_repo, self.openhands_ref)
        return Source(kind, self.openhands_repo, self.openhands_ref or RELEASES.get(kind, ""))

    @property
    def openhands_root(self) -> str:
        """The symlink on a host to the build."""
        return f"{paths.OPENHANDS_SOURCE}/{self.openhands_source.name}"

    @property
    def openhands_built(self) -> str | None:
        """The file on a host that describes its build; None for other flavors."""
        return f"{self.openhands_root}/.fleethands" if self.openhands_flavor == "source" else None

    @property
    def openhands_address(self) -> ListenAddress:
        """The address that OpenHands is published on."""
        return ListenAddress(self.openhands_bind, self.openhands_port)

    @property
    def openhands_url(self) -> str:
        """The URL of OpenHands on the host itself."""
        return self.openhands_address.local_url

    def models_dir(self, home: str = paths.OLLAMA_HOME) -> str:
        """
        The directory for models.

        + home: of the user that Ollama runs as
        """
        return str(self.ollama_models_dir or f"{home}/{MODELS_IN_HOME}")

    @property
    def ollama_environment(self) -> dict[str, str]:
        """All variables of Ollama as text, secrets revealed. Raises ValueError for a secret that can't be read."""
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
        """Names of Ollama's variables that are secrets."""
        values = self.ollama_env if self.manages_ollama else {}
        return frozenset(name for name, value in values.items() if isinstance(value, Secret))

    @property
    def openhands_variables(self) -> dict[str, str]:
        """Further variables of OpenHands as text, secrets revealed. Raises ValueError like `ollama_environment`."""
        return {key: _text(value) for key, value in self.openhands_env.items()}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"  # Ollama takes every word except Go's booleans for true
    return value.reveal() if isinstance(value, Secret) else str(value)
