"""How OpenHands' container differs from its specification."""

from __future__ import annotations

from dataclasses import dataclass

from fleethands.facts import Probe
from fleethands.facts.docker import SPEC_LABEL, Container
from fleethands.operations.openhands.container_spec import USERS_LABEL, ContainerSpec
from fleethands.settings import HostSettings
from fleethands.settings.openhands import generation_of


@dataclass(frozen=True)
class ImagePolicy:
    """
    Which image the container must be made from.

    + fixed: the one that its tag names on the host, whatever `openhands_pull` says
    + always: the newest one that the registry has for the tag
    + newest: that one's digest; empty if the registry was not asked, or did not say
    """

    fixed: bool
    always: bool
    newest: str

    @classmethod
    def from_settings(cls, settings: HostSettings, probe: Probe, fixed: bool, newest: str) -> ImagePolicy:
        if fixed:
            return cls(True, False, "")
        always = bool(newest) or settings.openhands_pull == "always"
        return cls(False, always, newest or _registry_digest(settings, probe))


def _registry_digest(settings: HostSettings, probe: Probe) -> str:
    """Digest of the tag in its registry, as the host's Docker read it; empty if it is unknown."""
    tag = probe.upstream.find("tag", settings.openhands_image) if settings.openhands_pull == "always" else None
    return (tag.digest if tag else None) or ""


def find_difference(settings: HostSettings, probe: Probe, spec: ContainerSpec, policy: ImagePolicy) -> str | None:
    """The first difference, as a clause; None if the container runs as specified."""
    container = probe.docker.container
    if container is None:
        return "absent"
    if container.labels.get(SPEC_LABEL) != spec.digest:
        whose = "another specification" if SPEC_LABEL in container.labels else "foreign"
        return f"{whose}, {container.state}"
    if container.state != "running":
        return container.state
    return _image_difference(settings, probe, container, policy) or _wrong_owner(settings, probe, container)


def _image_difference(settings: HostSettings, probe: Probe, container: Container, policy: ImagePolicy) -> str | None:
    pinned = settings.pins.images.get(settings.openhands_image)
    is_other = container.image != probe.docker.image
    if pinned:
        return f"made from another image than the pinned {pinned[:19]}" if is_other else None
    if policy.fixed:
        return "made from another image than the recorded one" if is_other else None
    is_outdated = bool(policy.newest) and policy.newest not in probe.docker.digests
    return "made from an older image of that name" if policy.always and (is_other or is_outdated) else None


def _wrong_owner(settings: HostSettings, probe: Probe, container: Container) -> str | None:
    """A directory that does not belong to the user that works in it, as read when the container was created."""
    directories = (generation_of(settings).directory, str(settings.openhands_workspace))
    for path, user in zip(directories, container.labels.get(USERS_LABEL, "").split(), strict=False):
        state = probe.files[path]
        if f"{state.uid}:{state.gid}" != user:
            return f"running, but {path} belongs to {state.uid}:{state.gid} and not to {user}, which works in it"
    return None
