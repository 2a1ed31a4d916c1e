"""OpenHands."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import Field

from fleethands.settings.schema import Keys
from fleethands.settings.schema.describe import About
from fleethands.settings.schema.types import GitRef, Image, Ip, LiteLlmName, Port, Repository, UserName, Workspace
from fleethands.settings.schema.variables import OpenHandsVariables
from fleethands.settings.validation.places import PLACES
from fleethands.settings.values.secret import Secret
from fleethands.settings.values.source import source_generation

GUI_IMAGE = (
    "docker.openhands.dev/openhands/openhands:0.62"  # newest that issues its model from settings.json's flat keys
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
        About(
            "which OpenHands to run: the web app or Agent Canvas in a container, either without one, or none",
            form="`gui`, `canvas`, `source` or `off`",
            why="hosts that only serve models: `off`",
            example="off",
        ),
    ] = "gui"
    openhands_image: Annotated[
        Image,
        About(
            "image of the web app or of Agent Canvas, by tag or digest",
            form="an image as `registry/name:tag` or `registry/name@sha256:…`",
            why="the guide's own image, your registry's, or one release by its digest",
            example="ghcr.io/all-hands-ai/openhands:main",
            derived=f"`{GUI_IMAGE}`; `{CANVAS_IMAGE}` with `canvas`",
        ),
    ] = Field(default_factory=_image)
    openhands_generation: Annotated[
        Literal["v0", "v1", "canvas"] | None,
        About(
            "generation of an image or a checkout: it decides which variables, directories and settings are written",
            form="`v0` or `v1`; `v0` or `canvas` with the flavor `source`",
            why="an image by digest, a branch or a name of your own, which do not tell",
            example="v0",
            derived="`v0` for tags 0.x and the name all-hands-ai, else `v1`, of a checkout `canvas`",
        ),
    ] = None
    openhands_repo: Annotated[
        Repository | None,
        About(
            "git repository to build from, with the flavor `source`: generation V0's, or Agent Canvas'",
            form="an address as `https://github.com/OpenHands/OpenHands`, without user and password",
            why="the guide's own way, or a fork of your own",
            example="https://github.com/All-Hands-AI/OpenHands",
            derived="none: upstream's release of Agent Canvas from npm",
        ),
    ] = None
    openhands_ref: Annotated[
        GitRef | None,
        About(
            "tag, branch or whole commit of `openhands_repo`, or the release from npm, with the flavor `source`",
            form="a tag, a branch or a commit's 40 digits, as `0.62.0`",
            why="another release than the one that was tried",
            example="0.62.0",
            derived="`1.16.0`; `0.62.0` of generation V0",
        ),
    ] = None
    openhands_pull: Annotated[
        Literal["missing", "always"],
        About(
            "when to ask the image's registry",
            form="`missing` or `always`",
            why="a tag that moves, as `main`: `always` asks at each apply",
            example="always",
        ),
    ] = "missing"
    openhands_model: Annotated[
        LiteLlmName | None,
        About(
            "model that the user finds selected; a provider before it, as in `ollama/codellama:7b`, is understood",
            form="`model:tag`, as `codellama:7b`",
            why="another than the first of several models",
            example="qwen3-coder:30b",
            derived="the first of `models`",
        ),
    ] = None
    openhands_settings: Annotated[
        Literal["kept", "enforced"],
        About(
            "what becomes of another model that a person chose in the page",
            form="`kept` or `enforced`",
            why="every host is to run the declared model, whoever chose another: `enforced`",
            example="enforced",
        ),
    ] = "kept"
    openhands_adopt: Annotated[
        bool,
        About(
            "take the place of a container of the same name that somebody else made; it is stopped and kept",
            form="`True` or `False`",
            why="the guide's own `docker run` was typed on this host",
            example=True,
        ),
    ] = False
    openhands_port: Annotated[
        Port,
        About(
            "port of OpenHands' page",
            form="a port from 1 to 65535",
            why="something else has the port",
            example=3001,
            derived="3000; 8000 for Agent Canvas",
        ),
    ] = Field(default_factory=_port)
    openhands_bind: Annotated[
        Ip,
        About(
            "address that the page is published on; it asks for no password",
            form="an IP address, as `127.0.0.1`",
            why="a network of your own should reach it without a tunnel: see `allow_from`",
            example="10.20.0.7",
        ),
    ] = "127.0.0.1"
    openhands_workspace: Annotated[
        Workspace,
        About(
            "directory the agent works in, made if it is missing; it holds nothing else, and no models",
            form=PLACES,
            why="the agent's files on another disk",
            example="/srv/workspace",
        ),
    ] = PurePosixPath("/opt/openhands/workspace")
    openhands_env: Annotated[
        OpenHandsVariables,
        About(
            "further variables of OpenHands, by name; those of proxies, npm, pip, uv and git also reach the build",
            form="a dictionary of variables",
            why="tokens for the agent's work, or OpenHands' own switches",
            example={"GITHUB_TOKEN": Secret.env("GITHUB_TOKEN")},
        ),
    ] = Field({})
    openhands_user: Annotated[
        UserName,
        About(
            "user that owns the workspace, made if it is missing; never root, ollama or an account of the system",
            form="a user's name",
            why="somebody who works on the same files by hand",
            example="dev",
        ),
    ] = "openhands"
