"""Settings of Ollama."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fleethands import paths
from fleethands.settings.schema import Keys
from fleethands.settings.schema.describe import Description
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
from fleethands.settings.validation.places import ALLOWED
from fleethands.settings.values.names import ListenAddress

KNOWN_OLLAMA = "0.32.15"  # the newest final release on 2026-08-19
RELEASES = "https://github.com/ollama/ollama/releases/download"
MODELS_IN_HOME = ".ollama/models"
CONTEXT_FOR_OPENHANDS = 32768  # tokens
SHORTEST_CONTEXT = 22_000  # tokens for OpenHands' own prompt (OpenHands docs, usage/llms/local-llms.mdx, 2026-08)


class OllamaKeys(Keys):
    """Ollama."""

    ollama_runtime: Annotated[
        Literal["service", "container", "external"],
        Description(
            "How Ollama runs: as a systemd service, as upstream's container under Docker, or on a server "
            "that fleethands does not manage (`external`).",
            accepts="one of `service`, `container`, `external`",
            change="on a host that runs everything in containers, or to use a shared Ollama server",
            example="container",
        ),
    ] = "service"
    ollama_image: Annotated[
        Image | None,
        Description(
            "The container image, if `ollama_runtime` is `container`.",
            accepts="an image of the release in `ollama_version`, by tag or digest",
            change="to use your own registry, or upstream's `rocm` image for AMD GPUs",
            example=f"registry.example/ollama/ollama:{KNOWN_OLLAMA}-rocm",
            default="`ollama/ollama` with `ollama_version` as its tag",
        ),
    ] = None
    ollama_address: Annotated[
        BaseUrl | None,
        Description(
            "The address of an Ollama that someone else runs, if `ollama_runtime` is `external`. "
            "OpenHands uses it and the proof asks it.",
            accepts="an address such as `http://10.0.0.5:11434`",
            change="to use a shared Ollama server",
            example="http://10.0.0.5:11434",
        ),
    ] = None
    ollama_version: Annotated[
        Release,
        Description(
            "The Ollama release to run, without a leading v.",
            accepts="a release, such as `0.24.0`",
            change="to keep a fleet on a release that you have tested, or to return to an older one",
            example="0.24.0",
        ),
    ] = KNOWN_OLLAMA
    ollama_url: Annotated[
        Url,
        Description(
            "The address of Ollama's releases, with upstream's layout.",
            accepts="an address by http, https or file",
            change="to use a mirror in your network, for hosts that do not reach GitHub",
            example="https://mirror.example/ollama",
        ),
    ] = RELEASES
    ollama_transfer: Annotated[
        Literal["host", "controller"],
        Description(
            "Which machine downloads a release: each `host`, or the `controller`, which sends the release over SSH.",
            accepts="one of `host`, `controller`",
            change=(
                "for hosts without internet access. `ollama_url` is then an address or a file that the controller reads"
            ),
            example="controller",
        ),
    ] = "host"
    ollama_sha256: Annotated[
        Digests | None,
        Description(
            "The sha256 of the release's archive.",
            accepts="64 lower-case hex digits, or a dictionary of them by `amd64` and `arm64`",
            change="to install exactly this archive, whatever the release's own list says",
            example="4d5f" * 16,
            default="from the release's own sha256sum.txt",
        ),
    ] = None
    ollama_variant: Annotated[
        Literal["cpu", "cuda", "rocm", "jetpack5", "jetpack6"] | None,
        Description(
            "Which GPU libraries to install.",
            accepts="one of `cpu`, `cuda`, `rocm`, `jetpack5`, `jetpack6`",
            change="to save gigabytes with `cpu`, or to add the archive for AMD (`rocm`) or Jetson",
            example="cpu",
            default=(
                "by the GPUs of the host: `cpu` for none, `rocm` for AMD, `jetpack5` or `jetpack6` for a Jetson, "
                "otherwise the whole archive"
            ),
        ),
    ] = None
    ollama_host: Annotated[
        Listen,
        Description(
            "The address and port that Ollama listens on.",
            accepts="IP:PORT, such as `0.0.0.0:11434`",
            change="to use another port or one network interface. Containers do not reach Ollama on loopback",
            example="0.0.0.0:11500",
        ),
    ] = ListenAddress("0.0.0.0", 11434)  # noqa: S104  containers need it; the firewall closes it to the outside
    ollama_origins: Annotated[
        tuple[Origin, ...],
        AsTuple,
        Description(
            "The browser origins that Ollama answers (CORS). This is no access control.",
            accepts="a list of origins",
            change="to let only pages of these origins use Ollama from a browser",
            example=["https://chat.example.com"],
        ),
    ] = ("*",)
    ollama_context_length: Annotated[
        Count | None,
        Description(
            f"The context length of models. OpenHands needs at least {SHORTEST_CONTEXT}.",
            accepts="a whole number from 1",
            change="to give an agent more context, or to use less GPU memory",
            example=65536,
            unit="tokens",
            default=f"{CONTEXT_FOR_OPENHANDS} where OpenHands runs, otherwise Ollama's own, by the GPU's memory",
        ),
    ] = None
    ollama_keep_alive: Annotated[
        Duration | None,
        Description(
            "How long a model stays loaded after its last use. A negative value means forever.",
            accepts="a duration such as `30m` or `1h30m`, or a whole number",
            change="to keep the model loaded while an agent pauses, or to free a shared GPU earlier",
            example="-1",
            unit="seconds",
            default="Ollama's own, 5m",
        ),
    ] = None
    ollama_env: Annotated[
        OllamaVariables,
        Description(
            "Any other environment variable that Ollama reads.",
            accepts="a dictionary of variables",
            change="for what has no setting of its own: parallel requests, GPU selection, a proxy",
            example={"OLLAMA_NUM_PARALLEL": 2},
        ),
    ] = Field({})
    ollama_models_dir: Annotated[
        ModelsDir | None,
        Description(
            "The directory for models. It must hold nothing else.",
            accepts=ALLOWED,
            change="to store models on another disk",
            example="/srv/ollama/models",
            default=f"Ollama's own, {paths.OLLAMA_HOME}/{MODELS_IN_HOME}",
        ),
    ] = None
    ollama_adopt: Annotated[
        bool,
        Description(
            "Whether to take over an Ollama that was installed in another way. "
            "Its files are kept in /opt/ollama/adopted.",
            accepts="True or False",
            change="on a host where install.sh or a package installed Ollama",
            example=True,
        ),
    ] = False
