"""OpenHands' container, as its whole specification says, with the model chosen in the settings it reads."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.docker import SPEC_LABEL, Container
from fleethands.facts.ollama import Ollama
from fleethands.facts.system import Account
from fleethands.operations.core.decision import Change, Decision, Unchanged
from fleethands.operations.core.download_note import describe_download
from fleethands.operations.core.host_script import step
from fleethands.operations.core.operation import operation
from fleethands.operations.openhands import conflicts, unmaintained
from fleethands.script import Script
from fleethands.settings import HostSettings
from fleethands.settings.generations import API_KEY, SANDBOXES, V0, V1, Generation
from fleethands.settings.openhands import base_url, generation_of, model_string
from fleethands.settings.schema.ollama import SHORTEST_CONTEXT
from fleethands.settings.values.images import at_digest

USERS_LABEL = "fleethands.users"
READY_WITHIN = 240  # seconds


@dataclass(frozen=True)
class ContainerSpec:
    """Everything a container is made from. Two specifications are one when their digests are."""

    image: str
    arguments: tuple[str, ...]
    variables: dict[str, str]

    @property
    def digest(self) -> str:
        text = json.dumps([self.image, self.arguments, self.variables], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def container_spec(settings: HostSettings, uid: int) -> ContainerSpec:
    """
    The container as upstream documents it, without a terminal, and published to the host alone.

    + uid: of the user that owns the web app's workspace
    """
    era = generation_of(settings)
    arguments = [
        "--restart", "unless-stopped",
        "--add-host", "host.docker.internal:host-gateway",
        "--publish", f"{settings.openhands_address}:{era.inside}",
        "--volume", f"{settings.openhands_workspace}:{era.workspace}",
        "--volume", f"{era.directory}:{era.state}",
        *(["--volume", "/var/run/docker.sock:/var/run/docker.sock"] if era.socket else []),
        *(["--sysctl", SANDBOXES.sysctl] if era is V1 else []),
    ]  # fmt: skip
    variables = {**_variables(settings, era, uid), **era.variables, **settings.openhands_variables}
    return ContainerSpec(settings.openhands_image, tuple(arguments), variables)


def _variables(settings: HostSettings, era: Generation, uid: int) -> dict[str, str]:
    workspace, url = str(settings.openhands_workspace), base_url(settings)
    if era is V0:
        return {
            "SANDBOX_USER_ID": str(uid),
            "WORKSPACE_MOUNT_PATH": workspace,
            "LLM_MODEL": model_string(settings),
            "LLM_BASE_URL": url + "/v1",
            "LLM_OLLAMA_BASE_URL": url,
            "LLM_API_KEY": API_KEY,
        }
    if era is V1:  # openhands/app_server/config.py, 1.11.0: where sandboxes call back, and what they get mounted
        return {
            "SANDBOX_USER_ID": str(uid),
            "SANDBOX_VOLUMES": f"{workspace}:{era.workspace}:rw",
            "SANDBOX_HOST_PORT": str(settings.openhands_port),
            "OLLAMA_BASE_URL": url,
        }
    return {}


@operation
def retag_image(settings: HostSettings, probe: Probe, image: str) -> Decision:
    """
    Have the image's name mean the image that it meant before: a tag that moved since left that one on the host.

    + image: its id
    """
    if probe.docker.image == image:
        return Unchanged(f"{settings.openhands_image} is the image of then")
    return Change(
        f"image {settings.openhands_image}",
        "another than then" if probe.docker.image else "absent",
        image[:19],
        step("name_image", name=settings.openhands_image, image=image),
        lambda probe: probe.having(docker=replace(probe.docker, image=image)),
        why="its tag moved since",
    )


@operation
def serve(settings: HostSettings, probe: Probe, same: bool = False, newest: str = "") -> Decision:
    """
    Have the container run as specified.

    A changed one is replaced; the old one comes back if the new one does not get ready, or is not proven.

    + same: from the very image that its name means now, whatever `openhands_pull` says
    + newest: digest that the image's registry has under its name now, where somebody asked
    """
    account = probe.accounts.users.get(settings.openhands_user, Account(-1, -1, "", frozenset()))
    spec = container_spec(settings, account.uid)
    always = not same and (bool(newest) or settings.openhands_pull == "always")
    newest = "" if same else newest or _registry_digest(settings, probe, spec.image)
    wrong = _find_difference(settings, probe, spec, same, always, newest)
    if wrong is None:
        return Unchanged(f"{paths.CONTAINER} runs as specified", model_warnings(settings, probe))
    if refused := conflicts.check_conflicts(settings, probe):
        return refused
    return Change(
        f"container {paths.CONTAINER}",
        wrong,
        spec.image,
        _script(settings, spec, account, conflicts.has_foreign_container(probe), always),
        lambda probe: _predict(probe, spec),
        consequence=_impact(settings, probe, always),
        notes=(*model_warnings(settings, probe), *unmaintained.notes(settings)),
    )


def _find_difference(
    settings: HostSettings, probe: Probe, spec: ContainerSpec, same: bool, always: bool, newest: str
) -> str | None:
    """
    What is not as specified, in words.

    + same: as of `serve`; always: it follows its tag; newest: the image's digest at its registry, where that said it
    """
    container, pinned = probe.docker.container, settings.pins.images.get(spec.image)
    if container is None:
        return "absent"
    if container.labels.get(SPEC_LABEL) != spec.digest:
        whose = "another specification" if SPEC_LABEL in container.labels else "foreign"
        return f"{whose}, {container.state}"
    if container.state != "running":
        return container.state
    if (pinned or same) and container.image != probe.docker.image:
        return f"made from another image than {f'the pinned {pinned[:19]}' if pinned else 'then'}"
    if (
        always
        and not pinned
        and (container.image != probe.docker.image or (newest and newest not in probe.docker.digests))
    ):
        return "made from an older image of that name"
    return _wrong_owner(settings, probe, container)


def _wrong_owner(settings: HostSettings, probe: Probe, container: Container) -> str | None:
    """The directory that is not its user's: `UID:GID` of both were tried when the container was made."""
    directories = (generation_of(settings).directory, str(settings.openhands_workspace))
    for path, user in zip(directories, container.labels.get(USERS_LABEL, "").split(), strict=False):
        state = probe.files[path]
        if f"{state.uid}:{state.gid}" != user:
            return f"running, but {path} belongs to {state.uid}:{state.gid} and not to {user}, which works in it"
    return None


def _registry_digest(settings: HostSettings, probe: Probe, image: str) -> str:
    """What an image's registry has under its name by now, as the host's Docker heard; empty where it does not say."""
    tag = probe.upstream.of("tag", image) if settings.openhands_pull == "always" else None
    return (tag.digest if tag else None) or ""


def model_warnings(settings: HostSettings, probe: Probe) -> tuple[str, ...]:
    """What OpenHands will not work well with, by the settings and by what Ollama says of the model."""
    needs = f"OpenHands' own prompt needs {SHORTEST_CONTEXT} at the least"
    shown = probe.ollama if probe.knows("ollama") else Ollama()
    notes = []
    if (context := settings.context_length) is not None and context < SHORTEST_CONTEXT:
        notes.append(f"`ollama_context_length` is {context}; {needs}")
    if shown.context is not None and shown.context < SHORTEST_CONTEXT:
        notes.append(f"{settings.model} has a context of {shown.context} tokens; {needs}")
    if shown.tools is False:
        needed = generation_of(settings).tools
        effect = "Ollama refuses each of its conversations" if needed else "this OpenHands tells it of them in words"
        notes.append(f"{settings.model} takes no tools: {effect}")
    return tuple(notes)


def _impact(settings: HostSettings, probe: Probe, always: bool) -> str:
    era, effects = generation_of(settings), []
    if probe.docker.image is None:
        effects.append(describe_download(probe, "image", settings.container_image, settings.container_image))
    elif always and settings.container_image == settings.declared_image:
        effects.append("asks the registry for a newer image")
    if era is V1 and probe.docker.container is None:
        effects.append("downloads the image of its sandboxes")
    if probe.docker.container is not None or probe.files[paths.OPENHANDS_UNIT].kind != "absent":
        effects.append("OpenHands is away until the new container answers; conversations under way end")
    if kept := conflicts.adoption_impact(probe):
        effects.append(kept)
    if era.socket:  # what is replaced may have been without it
        effects.append("it gets Docker's socket, as upstream documents: who uses OpenHands is root on this host")
        effects.append("every account of this host, and every container beside it, can use it without a password")
    return "; ".join(effects)


def _script(settings: HostSettings, spec: ContainerSpec, account: Account, adopt: bool, always: bool) -> Script:
    era = generation_of(settings)
    published = settings.openhands_address
    return step(
        "container",
        spec.variables,
        name=paths.CONTAINER,
        image=spec.image,
        pull="always" if always else "missing",
        pins="\n".join(f"{image} {at_digest(image, digest)}" for image, digest in settings.pins.images.items()),
        spec=spec.digest,
        arguments="\n".join(spec.arguments),
        names="\n".join(spec.variables),
        url=settings.openhands_url + era.ready,
        limit=str(READY_WITHIN),
        generation=era.name,
        versions="" if settings.openhands_generation else era.versions,
        user=f"{account.uid}:{account.gid}",
        state=era.directory,
        workspace=str(settings.openhands_workspace),
        gateway_port=f"{published.port}:{era.inside}" if era is V1 and not published.everywhere else "",
        key_file=paths.CANVAS_KEY if era.needs_key else "",
        adopt="yes" if adopt else "no",
    )


def _predict(probe: Probe, spec: ContainerSpec) -> Probe:
    labels = {SPEC_LABEL: spec.digest}  # without the users: who they are is only known when they were tried
    image = probe.docker.image or "to be pulled"
    container = Container("to be made", "running", image, labels, "")
    return probe.having(docker=replace(probe.docker, container=container, image=image))


@operation
def remove(settings: HostSettings, probe: Probe) -> Decision:
    """Have no container of ours; workspace and state stay."""
    container = probe.docker.container
    if container is None or SPEC_LABEL not in container.labels:
        return Unchanged("there is no container of ours")

    def predict(probe: Probe) -> Probe:
        return probe.having(docker=replace(probe.docker, container=None))

    return Change(
        f"container {paths.CONTAINER}",
        container.state,
        "gone",
        step("container_off", name=paths.CONTAINER),
        predict,
        why="the setting `openhands_flavor` is off",
        consequence="OpenHands stops answering; workspace and state stay",
    )
