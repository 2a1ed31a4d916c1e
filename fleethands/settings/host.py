"""Every setting of a host, with its default and what it is for."""

from __future__ import annotations

import ipaddress
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from fleethands.settings.ollama_env import check_environment
from fleethands.settings.secret import Secret
from fleethands.settings.values import Address, ModelName, check_origin

KNOWN_OLLAMA = "0.32.15"  # newest final release on 2026-08-19
RELEASES = "https://github.com/ollama/ollama/releases/download"
GUI_IMAGE = (
    "docker.openhands.dev/openhands/openhands:0.62"  # newest that issues its model from settings.json's flat keys
)
OPENHANDS_CONTEXT = 32768


def _address(value: object) -> object:
    return Address.parse(value) if isinstance(value, str) else value


def _absolute(value: object) -> object:
    text = str(value)
    if not text.startswith("/") or ".." in PurePosixPath(text).parts or any(ord(char) < 32 for char in text):
        raise ValueError("expected an absolute path, as `/opt/openhands/workspace`")
    if text.rstrip("/") == "" or ":" in text:
        raise ValueError("expected a directory of its own, without `:`")
    return PurePosixPath(text)


AbsolutePath = Annotated[PurePosixPath, BeforeValidator(_absolute)]
Frozen = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, strict=True)
Port = Annotated[int, Field(ge=1, le=65535)]
HEX64 = r"^[0-9a-f]{64}$"


class Model(BaseModel):
    """One model to have on the host."""

    model_config = Frozen
    name: Annotated[ModelName, BeforeValidator(lambda v: ModelName.parse(v) if isinstance(v, str) else v)]
    digest: Annotated[str, Field(pattern=HEX64)] | None = None
    insecure: bool = False
    modelfile: str | None = None
    preload: bool = False

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


class HostSettings(BaseModel):
    """What one host should be. Keys are host data of the same name; `None` means: as found, or upstream's own."""

    model_config = Frozen

    ollama_version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+(-rc\d+)?$")] = Field(
        KNOWN_OLLAMA, description="Ollama release to serve, without a leading v", examples=["0.24.0"]
    )
    ollama_url: Annotated[str, Field(pattern=r"^(https?|file)://[^\s]+$")] = Field(
        RELEASES, description="where releases lie, in upstream's layout: a mirror inside your network, say"
    )
    ollama_sha256: Annotated[str, Field(pattern=HEX64)] | None = Field(
        None, description="sha256 of the release's archive; without it the release's own sha256sum.txt counts"
    )
    ollama_host: Annotated[Address, BeforeValidator(_address)] = Field(
        Address("0.0.0.0", 11434),  # noqa: S104  containers need it; the firewall closes it to the outside
        description="address Ollama listens on",
        examples=["0.0.0.0:11434"],
    )
    ollama_origins: tuple[str, ...] = Field(("*",), description="browser origins Ollama answers (CORS)")
    ollama_context_length: Annotated[int, Field(ge=1)] | None = Field(
        None, description="tokens of context; 32768 where OpenHands runs, which needs 22000 at least"
    )
    ollama_keep_alive: str | None = Field(None, description="how long a model stays loaded, as `30m`, `-1` for ever")
    ollama_env: dict[str, str | int | float | bool | Secret] = Field(
        {}, description="any other variable Ollama reads, as `OLLAMA_NUM_PARALLEL: 2`"
    )
    ollama_models_dir: AbsolutePath | None = Field(None, description="where models lie, if not Ollama's own place")
    models: tuple[Model, ...] = Field((), description="models to have, as `codellama:7b`")
    models_prune: bool = Field(False, description="remove models that are not listed")
    openhands_flavor: Literal["gui", "canvas", "source", "off"] = Field("gui", description="which OpenHands to run")
    openhands_image: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@\-]*$")] = Field(
        GUI_IMAGE, description="image of the web app, by tag or digest"
    )
    openhands_pull: Literal["missing", "always"] = Field("missing", description="when to ask the image's registry")
    openhands_model: (
        Annotated[ModelName, BeforeValidator(lambda v: ModelName.parse(v) if isinstance(v, str) else v)] | None
    ) = Field(None, description="model the user finds selected; the first of `models` by default")
    openhands_port: Port = Field(3000, description="port of OpenHands' page")
    openhands_bind: str = Field("127.0.0.1", description="address the page is published on")
    openhands_workspace: AbsolutePath = Field(
        PurePosixPath("/opt/openhands/workspace"), description="directory the agent works in"
    )
    openhands_env: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], str | int | Secret] = Field(
        {}, description="further variables of the container"
    )
    openhands_user: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]{0,31}$")] = Field(
        "openhands", description="user that owns the workspace"
    )
    openhands_repo: str | None = Field(None, description="git repository (flavor source)")
    openhands_ref: str | None = Field(None, description="git tag or commit (flavor source)")
    firewall: bool = Field(True, description="close Ollama's and OpenHands' ports to the outside")
    allow_from: tuple[str, ...] = Field((), description="networks that may reach both from outside")
    gpu: bool | None = Field(None, description="True: a GPU must carry the model; False: CPU on purpose")

    @field_validator("ollama_origins", "allow_from", "models", mode="before")
    @classmethod
    def _sequence(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("ollama_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(check_origin(origin) for origin in value)

    @field_validator("ollama_env")
    @classmethod
    def _environment(cls, value: dict[str, str | int | float | bool | Secret]) -> dict[str, Any]:
        return check_environment(value)

    @field_validator("openhands_bind")
    @classmethod
    def _bind(cls, value: str) -> str:
        return str(ipaddress.ip_address(value))

    @field_validator("allow_from")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ipaddress.ip_network(network)) for network in value)

    @model_validator(mode="after")
    def _together(self) -> HostSettings:
        if self.openhands_flavor != "off" and self.model is None:
            raise ValueError("expected `models` or `openhands_model`: OpenHands needs a model, as `codellama:7b`")
        if self.openhands_flavor != "off" and self.openhands_port == self.ollama_host.port:
            raise ValueError("expected `openhands_port` and the port of `ollama_host` to differ")
        return self

    @property
    def model(self) -> ModelName | None:
        """The model that OpenHands and the proof use."""
        return self.openhands_model or (self.models[0].name if self.models else None)

    @property
    def context_length(self) -> int | None:
        """Tokens of context that Ollama is told, None for its own choice."""
        if self.ollama_context_length is None and self.openhands_flavor != "off":
            return OPENHANDS_CONTEXT
        return self.ollama_context_length

    @property
    def openhands_url(self) -> str:
        """Where the page answers on the host itself."""
        return Address(self.openhands_bind, self.openhands_port).local_url

    @property
    def ollama_environment(self) -> dict[str, str]:
        """Every variable of the override, as text; secrets revealed. Raises ValueError for one that can't be read."""
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
    def openhands_variables(self) -> dict[str, str]:
        """The container's further variables, as text; secrets revealed. Raises ValueError as above."""
        return {key: _text(value) for key, value in self.openhands_env.items()}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"  # anything but Go's own booleans is true to Ollama
    return value.reveal() if isinstance(value, Secret) else str(value)
