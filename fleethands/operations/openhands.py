"""OpenHands' container, as its whole specification says, with the model chosen in the settings it reads."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.probe import Account, Container
from fleethands.operations import download
from fleethands.operations.change import Change, Decision, Refused, Same, operation, step
from fleethands.script import Script
from fleethands.settings import HostSettings
from fleethands.settings.openhands import API_KEY, Generation, base_url, generation, model_string
from fleethands.settings.values import Address

LABEL = "fleethands.spec"
READY_WITHIN = 240  # seconds
WORKSPACE_INSIDE = "/opt/workspace_base"


@dataclass(frozen=True)
class Spec:
    """Everything a container is made from. Two specifications are one when their digests are."""

    image: str
    arguments: tuple[str, ...]
    variables: dict[str, str]

    @property
    def digest(self) -> str:
        text = json.dumps([self.image, self.arguments, self.variables], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def gui(settings: HostSettings, uid: int) -> Spec:
    """
    The web app as the guide runs it, without its terminal.

    + uid: of the user that owns the workspace
    """
    era = generation(settings.openhands_image)
    variables = {
        "SANDBOX_USER_ID": str(uid),
        "WORKSPACE_MOUNT_PATH": str(settings.openhands_workspace),
        "LLM_MODEL": model_string(settings),
        "LLM_BASE_URL": base_url(settings) + "/v1",
        "LLM_OLLAMA_BASE_URL": base_url(settings),
        "LLM_API_KEY": API_KEY,
        **era.variables,
        **settings.openhands_variables,
    }
    arguments = [
        "--restart", "unless-stopped",
        "--add-host", "host.docker.internal:host-gateway",
        "--publish", f"{Address(settings.openhands_bind, settings.openhands_port)}:3000",
        "--volume", f"{settings.openhands_workspace}:{WORKSPACE_INSIDE}",
        "--volume", f"{paths.OPENHANDS_STATE}:/.openhands",
        "--volume", "/var/run/docker.sock:/var/run/docker.sock",
    ]  # fmt: skip
    return Spec(settings.openhands_image, tuple(arguments), variables)


@operation
def serve(settings: HostSettings, seen: Probe) -> Decision:
    """
    Have the container run as specified.

    A changed one is replaced; the old one comes back if the new one does not get ready.
    """
    account = seen.accounts.users.get(settings.openhands_user, Account(-1, -1, "", frozenset()))
    spec = gui(settings, account.uid)
    container = seen.docker.container
    if container is not None and LABEL not in container.labels:
        return Refused(
            f"a container named {paths.CONTAINER} is there that fleethands did not make",
            (f"give it another name on the host: docker rename {paths.CONTAINER} {paths.CONTAINER}-mine",),
        )
    if container is not None and container.labels[LABEL] == spec.digest and container.state == "running":
        return Same(f"{paths.CONTAINER} runs as specified")
    return Change(
        f"container {paths.CONTAINER}",
        _before(container, spec),
        spec.image,
        _script(settings, spec),
        lambda probe: _up(probe, spec),
        consequence=_effect(settings, seen),
    )


def _effect(settings: HostSettings, seen: Probe) -> str:
    effects = []
    if seen.docker.image is None:
        effects.append(download.sentence(seen, "image", settings.openhands_image, settings.openhands_image))
    elif settings.openhands_pull == "always":
        effects.append("asks the registry for a newer image")
    if seen.docker.container is not None:
        effects.append("OpenHands is away until the new container answers; conversations under way end")
    return "; ".join(effects)


def _before(container: Container | None, spec: Spec) -> str:
    if container is None:
        return "absent"
    return container.state if container.labels[LABEL] == spec.digest else f"another specification, {container.state}"


def _script(settings: HostSettings, spec: Spec) -> Script:
    era: Generation = generation(spec.image)
    return step(
        "container",
        spec.variables,
        name=paths.CONTAINER,
        image=spec.image,
        pull=settings.openhands_pull,
        label=f"{LABEL}={spec.digest}",
        arguments="\n".join(spec.arguments),
        names="\n".join(spec.variables),
        url=settings.openhands_url + era.ready,
        limit=str(READY_WITHIN),
    )


def _up(probe: Probe, spec: Spec) -> Probe:
    container = Container("to be made", "running", "", {LABEL: spec.digest}, "")
    return probe.having(docker=replace(probe.docker, container=container, image=probe.docker.image or "to be pulled"))


@operation
def gone(settings: HostSettings, seen: Probe) -> Decision:
    """Have no container of ours; workspace and state stay."""
    container = seen.docker.container
    if container is None or LABEL not in container.labels:
        return Same("there is no container of ours")

    def then(probe: Probe) -> Probe:
        return probe.having(docker=replace(probe.docker, container=None))

    return Change(
        f"container {paths.CONTAINER}",
        container.state,
        "gone",
        step("container_off", name=paths.CONTAINER),
        then,
        why="the setting `openhands_flavor` is off",
        consequence="OpenHands stops answering; workspace and state stay",
    )
