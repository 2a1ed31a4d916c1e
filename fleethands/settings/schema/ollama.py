"""Ollama itself."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fleethands.settings.schema import Keys
from fleethands.settings.schema.describe import About
from fleethands.settings.schema.types import (
    AsTuple,
    BaseUrl,
    Count,
    Digests,
    Duration,
    Image,
    Listen,
    ModelsDir,
    Origin,
    Release,
    Url,
)
from fleethands.settings.schema.variables import OllamaVariables
from fleethands.settings.validation.places import PLACES
from fleethands.settings.values.names import Address

KNOWN_OLLAMA = "0.32.15"  # newest final release on 2026-08-19
RELEASES = "https://github.com/ollama/ollama/releases/download"


class OllamaKeys(Keys):
    """Ollama."""

    ollama_runtime: Annotated[
        Literal["service", "container", "external"],
        About(
            "how Ollama runs: as a service of systemd, as upstream's container under Docker, or elsewhere",
            form="one of `service`, `container`, `external`",
            why="a host where all runs in containers, or a team's own server, of which nothing is managed",
            example="container",
        ),
    ] = "service"
    ollama_image: Annotated[
        Image | None,
        About(
            "container image, where `ollama_runtime` is `container`",
            form="an image of the release in `ollama_version`, by tag or digest",
            why="a registry of your own, or upstream's `rocm` image for AMD GPUs",
            example=f"registry.example/ollama/ollama:{KNOWN_OLLAMA}-rocm",
            derived="`ollama/ollama` with `ollama_version` as its tag",
        ),
    ] = None
    ollama_address: Annotated[
        BaseUrl | None,
        About(
            "where Ollama answers, where `ollama_runtime` is `external`",
            form="an address as `http://10.0.0.5:11434`",
            why="OpenHands uses, and the proof asks, an Ollama that somebody else runs",
            example="http://10.0.0.5:11434",
        ),
    ] = None
    ollama_version: Annotated[
        Release,
        About(
            "Ollama release to serve, without a leading v",
            form="a release, as `0.24.0`",
            why="to hold a fleet at a release that you have tried, or to go back to one",
            example="0.24.0",
        ),
    ] = KNOWN_OLLAMA
    ollama_url: Annotated[
        Url,
        About(
            "where releases lie, in upstream's layout",
            form="an address by http, https or file",
            why="hosts that don't reach GitHub: name a mirror inside your network",
            example="https://mirror.example/ollama",
        ),
    ] = RELEASES
    ollama_transfer: Annotated[
        Literal["host", "controller"],
        About(
            "who fetches a release: each host, or the controller, which sends it over SSH",
            form="one of `host`, `controller`",
            why="hosts without a way out; `ollama_url` is then an address or a file of the controller's",
            example="controller",
        ),
    ] = "host"
    ollama_sha256: Annotated[
        Digests | None,
        About(
            "sha256 of the release's archive",
            form="64 lower-case hex digits, or a dictionary of them by `amd64` and `arm64`",
            why="to trust nobody's list but your own: the archive must be this one",
            example="4d5f" * 16,
            derived="what the release's own sha256sum.txt says",
        ),
    ] = None
    ollama_variant: Annotated[
        Literal["cpu", "cuda", "rocm", "jetpack5", "jetpack6"] | None,
        About(
            "what of a release is unpacked, by the hardware it is for",
            form="one of `cpu`, `cuda`, `rocm`, `jetpack5`, `jetpack6`",
            why="`cpu` leaves out gigabytes of GPU libraries; `rocm` and `jetpack` add the archive for AMD or a Jetson",
            example="cpu",
            derived="by the GPUs that are found: none `cpu`, AMD `rocm`, a Jetson `jetpack`, else the whole archive",
        ),
    ] = None
    ollama_host: Annotated[
        Listen,
        About(
            "address and port Ollama listens on",
            form="IP:PORT, as `0.0.0.0:11434`",
            why="another port, or one interface; on loopback no container reaches it",
            example="0.0.0.0:11500",
        ),
    ] = Address("0.0.0.0", 11434)  # noqa: S104  containers need it; the firewall closes it to the outside
    ollama_origins: Annotated[
        tuple[Origin, ...],
        AsTuple,
        About(
            'browser origins Ollama answers (CORS), as `["*"]`; no access control',
            form="a list of origins",
            why="pages of these origins only may use Ollama from a browser",
            example=["https://chat.example.com"],
        ),
    ] = ("*",)
    ollama_context_length: Annotated[
        Count | None,
        About(
            "context of a model; OpenHands needs 22000 at least",
            form="a whole number from 1",
            why="more room for an agent's work, or less memory on the GPU",
            example=65536,
            unit="tokens",
            derived="32768 where OpenHands runs, else Ollama's own, by the GPU's memory",
        ),
    ] = None
    ollama_keep_alive: Annotated[
        Duration | None,
        About(
            "how long a model stays loaded after its last use; negative is for ever",
            form="a duration as `30m` or `1h30m`, or a whole number",
            why="an agent that pauses finds its model loaded, or a shared GPU gets free sooner",
            example="-1",
            unit="seconds",
            derived="Ollama's own, 5m",
        ),
    ] = None
    ollama_env: Annotated[
        OllamaVariables,
        About(
            "any other variable that Ollama reads, by its name",
            form="a dictionary of variables",
            why="whatever has no key of its own: parallel requests, device choice, a proxy",
            example={"OLLAMA_NUM_PARALLEL": 2},
        ),
    ] = Field({})
    ollama_models_dir: Annotated[
        ModelsDir | None,
        About(
            "where models lie; the directory holds nothing else",
            form=PLACES,
            why="models on a disk of their own: they are large",
            example="/srv/ollama/models",
            derived="Ollama's own, /usr/share/ollama/.ollama/models",
        ),
    ] = None
    ollama_adopt: Annotated[
        bool,
        About(
            "take over an Ollama that something else installed",
            form="True or False",
            why="a host where install.sh or a package put Ollama before; what was there is kept in /opt/ollama/adopted",
            example=True,
        ),
    ] = False
