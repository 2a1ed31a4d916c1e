"""The image of Ollama's container: on the host before the running one is stopped."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fleethands.facts import Probe
from fleethands.facts.docker import Image
from fleethands.operations.artifacts.fetchers import IMAGE_PARTS, image_fetcher
from fleethands.operations.core.decision import Change, Decision, Unchanged
from fleethands.operations.core.download_note import describe_download
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.operations.docker.tag_image import TagImage
from fleethands.settings import HostSettings

TO_BE_PULLED = Image("to be pulled")


@dataclass(frozen=True)
class PullImage(HostScript, file="pull_image", parts=IMAGE_PARTS):
    """Pulls the image, and checks the version that it reports. `image` is NAME@DIGEST if it is pinned."""

    image: str
    name: str
    version: str
    fetcher: str
    keeps_parts: bool


@operation
def pull(settings: HostSettings, probe: Probe, same: str = "", newest: str = "") -> Decision:
    """
    Pull the image, by digest if it is pinned, and tag it with its declared name.

    + same: for a rollback, id of the image to tag instead
    + newest: digest that the registry has for the tag now, if it was asked
    """
    name, image, found = settings.ollama_declared_image, settings.ollama_container_image, probe.docker.ollama_image
    if same:
        return _retag(name, same, found)
    moved = bool(newest) and image == name and found is not None and newest not in found.digests
    if found is not None and not moved:
        return Unchanged(f"{image} is on the host")
    before = "absent" if probe.docker.version is not None else "not known: Docker does not run"
    return Change(
        f"image {name}",
        "an older image of that name" if moved else before,
        "on the host",
        PullImage(image, name, settings.ollama_version, image_fetcher(settings), settings.keeps_parts).script,
        lambda probe: probe.replace(docker=replace(probe.docker, ollama_image=TO_BE_PULLED)),
        consequence=describe_download(settings, probe, "image", image, image),
    )


def _retag(name: str, same: str, found: Image | None) -> Decision:
    if found is not None and found.id == same:
        return Unchanged(f"{name} is the recorded image")
    return Change(
        f"image {name}",
        "another image" if found else "absent",
        same[:19],
        TagImage(name, same).script,
        lambda probe: probe.replace(docker=replace(probe.docker, ollama_image=Image(same))),
        why="its tag moved since",
    )
