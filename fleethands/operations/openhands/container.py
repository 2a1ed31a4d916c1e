"""OpenHands' container runs as specified, or is removed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.docker import SPEC_LABEL, Container
from fleethands.facts.system import Account
from fleethands.operations.artifacts.fetchers import IMAGE_PARTS, image_fetcher
from fleethands.operations.core.decision import Change, Decision, Unchanged
from fleethands.operations.core.download_note import describe_cost, describe_download
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.operations.openhands import conflicts, unmaintained
from fleethands.operations.openhands.container_difference import ImagePolicy, find_difference
from fleethands.operations.openhands.container_spec import ContainerSpec, container_spec
from fleethands.operations.openhands.model_warnings import model_warnings
from fleethands.script import Script
from fleethands.settings import HostSettings
from fleethands.settings.generations import V1, Generation
from fleethands.settings.openhands import generation_of
from fleethands.settings.values.images import at_digest

READY_WITHIN = 240  # seconds


@dataclass(frozen=True)
class RunContainer(HostScript, file="container", parts=("containers", "openhands", *IMAGE_PARTS)):
    """The variables of container.sh, which says what they mean."""

    name: str
    image: str
    pull: str
    pins: str
    spec: str
    arguments: str
    names: str
    url: str
    limit: int
    generation: str
    versions: str
    user: str
    state: str
    workspace: str
    gateway_port: str
    key_file: str
    adopt: bool
    fetcher: str
    keeps_parts: bool


@dataclass(frozen=True)
class RemoveContainer(HostScript, file="container_off", parts=("containers", "openhands")):
    """Removes our container."""

    name: str


@operation
def serve(settings: HostSettings, probe: Probe, same: bool = False, newest: str = "") -> Decision:
    """
    Run the container as specified. A container that differs is replaced.

    The previous one is restored if the new one does not get ready, or is not proven.

    + same: use the image that the tag names on the host, whatever `openhands_pull` says
    + newest: digest that the registry has for the tag now, if it was asked
    """
    account = probe.accounts.users.get(settings.openhands_user, Account(-1, -1, "", frozenset()))
    spec = container_spec(settings, account.uid)
    policy = ImagePolicy.from_settings(settings, probe, same, newest)
    difference = find_difference(settings, probe, spec, policy)
    if difference is None:
        return Unchanged(f"{paths.CONTAINER} runs as specified", model_warnings(settings, probe))
    if refused := conflicts.check_conflicts(settings, probe):
        return refused
    return Change(
        f"container {paths.CONTAINER}",
        difference,
        spec.image,
        _script(settings, spec, account, conflicts.has_foreign_container(probe), policy.always),
        lambda probe: _predict(probe, spec),
        consequence="; ".join(_impact(settings, probe, policy.always)),
        notes=(*model_warnings(settings, probe), *unmaintained.notes(settings)),
    )


def is_to_be_changed(settings: HostSettings, probe: Probe) -> bool:
    """Whether the container will be created or replaced."""
    account = probe.accounts.users.get(settings.openhands_user, Account(-1, -1, "", frozenset()))
    policy = ImagePolicy.from_settings(settings, probe, False, "")
    return find_difference(settings, probe, container_spec(settings, account.uid), policy) is not None


def _impact(settings: HostSettings, probe: Probe, always: bool) -> list[str]:
    generation, impact = generation_of(settings), []
    if probe.docker.image is None:
        impact.append(describe_download(settings, probe, "image", settings.container_image, settings.container_image))
    elif always and settings.container_image == settings.declared_image:
        impact.append("asks the registry for a newer image")
    if generation is V1 and probe.docker.container is None:
        impact.append(f"downloads the image of its sandboxes{describe_cost(settings, 'image', None)}")
    if probe.docker.container is not None or probe.files[paths.OPENHANDS_UNIT].kind != "absent":
        impact.append("OpenHands is away until the new container answers; conversations under way end")
    if adoption := conflicts.adoption_impact(probe):
        impact.append(adoption)
    if generation.socket:  # the previous container may have had none
        impact.append("it gets Docker's socket, as upstream documents: who uses OpenHands is root on this host")
        impact.append("every account and every other container of this host can use OpenHands without a password")
    return impact


def _script(settings: HostSettings, spec: ContainerSpec, account: Account, adopt: bool, always: bool) -> Script:
    generation = generation_of(settings)
    script = RunContainer(
        name=paths.CONTAINER,
        image=spec.image,
        pull="always" if always else "missing",
        pins="\n".join(f"{image} {at_digest(image, digest)}" for image, digest in settings.pins.images.items()),
        spec=spec.digest,
        arguments="\n".join(spec.arguments),
        names="\n".join(spec.variables),
        url=settings.openhands_url + generation.ready,
        limit=READY_WITHIN,
        generation=generation.name,
        versions="" if settings.openhands_generation else generation.versions,
        user=f"{account.uid}:{account.gid}",
        state=generation.directory,
        workspace=str(settings.openhands_workspace),
        gateway_port=_gateway_port(settings, generation),
        key_file=paths.CANVAS_KEY if generation.needs_key else "",
        adopt=adopt,
        fetcher=image_fetcher(settings),
        keeps_parts=settings.keeps_parts,
    ).script
    return replace(script, exports=dict(spec.variables))


def _gateway_port(settings: HostSettings, generation: Generation) -> str:
    """What to publish on Docker's bridge too, for V1's sandboxes."""
    published = settings.openhands_address
    return f"{published.port}:{generation.inside}" if generation is V1 and not published.everywhere else ""


def _predict(probe: Probe, spec: ContainerSpec) -> Probe:
    labels = {SPEC_LABEL: spec.digest}  # its users are only known once it is created
    image = probe.docker.image or "to be pulled"
    container = Container("to be made", "running", image, labels, "")
    return probe.replace(docker=replace(probe.docker, container=container, image=image))


@operation
def remove(settings: HostSettings, probe: Probe) -> Decision:
    """Remove the managed container. Workspace and state stay."""
    container = probe.docker.container
    if container is None or SPEC_LABEL not in container.labels:
        return Unchanged("there is no managed container")
    return Change(
        f"container {paths.CONTAINER}",
        container.state,
        "gone",
        RemoveContainer(paths.CONTAINER).script,
        lambda probe: probe.replace(docker=replace(probe.docker, container=None)),
        why="the setting `openhands_flavor` is off",
        consequence="OpenHands stops answering; workspace and state stay",
    )
