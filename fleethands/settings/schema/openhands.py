"""Settings of OpenHands."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import Field

from fleethands.settings.schema import Keys
from fleethands.settings.schema.describe import Description
from fleethands.settings.schema.types import GitRef, Image, Ip, LiteLlmName, Port, Repository, UserName, Workspace
from fleethands.settings.schema.variables import OpenHandsVariables
from fleethands.settings.validation.places import ALLOWED
from fleethands.settings.values.secret import Secret
from fleethands.settings.values.source import source_generation

GUI_IMAGE = (
    "docker.openhands.dev/openhands/openhands:0.62"  # the newest that reads its model from flat keys in settings.json
)
CANVAS_IMAGE = "ghcr.io/openhands/agent-canvas:1.16.0"


def _port(known: dict[str, Any]) -> int:
    flavor = known.get("openhands_flavor")
    if flavor == "source":
        names = ("openhands_generation", "openhands_repo", "openhands_ref")
        return 3000 if source_generation(*(known.get(name) for name in names)) == "v0" else 8000
    return 8000 if flavor == "canvas" else 3000


def _image(known: dict[str, Any]) -> str:
    return CANVAS_IMAGE if known.get("openhands_flavor") == "canvas" else GUI_IMAGE


class OpenHandsKeys(Keys):
    """OpenHands."""

    openhands_flavor: Annotated[
        Literal["gui", "canvas", "source", "off"],
        Description(
            "Which OpenHands to run: the web app (`gui`) or Agent Canvas (`canvas`) in a container, either "
            "of them built without a container (`source`), or none (`off`).",
            accepts="`gui`, `canvas`, `source` or `off`",
            change="to `off` on hosts that only serve models",
            example="off",
        ),
    ] = "gui"
    openhands_image: Annotated[
        Image,
        Description(
            "The image of the web app or of Agent Canvas, by tag or digest.",
            accepts="an image such as `registry/name:tag` or `registry/name@sha256:…`",
            change="to use the guide's image, an image in your registry, or one release by its digest",
            example="ghcr.io/all-hands-ai/openhands:main",
            default=f"`{GUI_IMAGE}`; `{CANVAS_IMAGE}` with `canvas`",
        ),
    ] = Field(default_factory=_image)
    openhands_generation: Annotated[
        Literal["v0", "v1", "canvas"] | None,
        Description(
            "The generation of an image or a checkout. "
            "It decides which variables, directories and settings fleethands writes.",
            accepts="`v0` or `v1`; `v0` or `canvas` with the flavor `source`",
            change="if the generation cannot be inferred, for example for an image by digest, a branch or a fork",
            example="v0",
            default="`v0` for tags 0.x and the name all-hands-ai, otherwise `v1`; `canvas` for a checkout",
        ),
    ] = None
    openhands_repo: Annotated[
        Repository | None,
        Description(
            "The git repository to build from, with the flavor `source`: OpenHands V0 or Agent Canvas.",
            accepts="an address such as `https://github.com/OpenHands/OpenHands`, without user and password",
            change="to build as the guide does, or to build a fork",
            example="https://github.com/All-Hands-AI/OpenHands",
            default="none: upstream's release of Agent Canvas from npm",
        ),
    ] = None
    openhands_ref: Annotated[
        GitRef | None,
        Description(
            "The tag, branch or full commit of `openhands_repo`, or the npm release, with the flavor `source`.",
            accepts="a tag, a branch or a commit's 40 digits, such as `0.62.0`",
            change="to build another release than the default",
            example="0.62.0",
            default="`1.16.0`; `0.62.0` of generation V0",
        ),
    ] = None
    openhands_pull: Annotated[
        Literal["missing", "always"],
        Description(
            "When to ask the registry for the image: only if it is `missing`, or at each apply (`always`).",
            accepts="`missing` or `always`",
            change="to `always` for a tag that moves, such as `main`",
            example="always",
        ),
    ] = "missing"
    openhands_model: Annotated[
        LiteLlmName | None,
        Description(
            "The model that is selected in OpenHands. A provider prefix, as in `ollama/codellama:7b`, is accepted.",
            accepts="`model:tag`, such as `codellama:7b`",
            change="to select another than the first of several models",
            example="qwen3-coder:30b",
            default="the first of `models`",
        ),
    ] = None
    openhands_settings: Annotated[
        Literal["kept", "enforced"],
        Description(
            "Whether fleethands keeps a model that someone picked in the UI (`kept`), or overwrites it (`enforced`).",
            accepts="`kept` or `enforced`",
            change="to `enforced` to overwrite a model that someone picked in the UI",
            example="enforced",
        ),
    ] = "kept"
    openhands_adopt: Annotated[
        bool,
        Description(
            "Whether to replace a foreign container that has the same name. The foreign container is stopped and kept.",
            accepts="`True` or `False`",
            change="on a host where someone ran the guide's `docker run`",
            example=True,
        ),
    ] = False
    openhands_port: Annotated[
        Port,
        Description(
            "The port of OpenHands.",
            accepts="a port from 1 to 65535",
            change="if another program uses the port",
            example=3001,
            default="3000; 8000 for Agent Canvas",
        ),
    ] = Field(default_factory=_port)
    openhands_bind: Annotated[
        Ip,
        Description(
            "The address that OpenHands is published on. OpenHands asks for no password.",
            accepts="an IP address, such as `127.0.0.1`",
            change="to reach OpenHands from your network without a tunnel. See `allow_from`",
            example="10.20.0.7",
        ),
    ] = "127.0.0.1"
    openhands_workspace: Annotated[
        Workspace,
        Description(
            "The directory that the agent works in. fleethands creates it. It must hold nothing else, and no models.",
            accepts=ALLOWED,
            change="to store the agent's files on another disk",
            example="/srv/workspace",
        ),
    ] = PurePosixPath("/opt/openhands/workspace")
    openhands_env: Annotated[
        OpenHandsVariables,
        Description(
            "Further environment variables of OpenHands. "
            "Those of proxies, npm, pip, uv and git also apply to the build.",
            accepts="a dictionary of variables",
            change="to give the agent tokens, or to set OpenHands' own switches",
            example={"GITHUB_TOKEN": Secret.env("GITHUB_TOKEN")},
        ),
    ] = Field({})
    openhands_user: Annotated[
        UserName,
        Description(
            "The user that owns the workspace. fleethands creates it. It cannot be root, ollama or a system account.",
            accepts="a user's name",
            change="if a person works on the same files",
            example="dev",
        ),
    ] = "openhands"
