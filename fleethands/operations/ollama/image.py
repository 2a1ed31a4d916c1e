"""The image of Ollama's container: on the host before the running one is stopped."""

from __future__ import annotations

from dataclasses import replace

from fleethands.facts import Probe
from fleethands.facts.docker import Image
from fleethands.operations.core.decision import Change, Decision, Unchanged
from fleethands.operations.core.download_note import describe_download
from fleethands.operations.core.host_script import step
from fleethands.operations.core.operation import operation
from fleethands.settings import HostSettings

TO_BE_PULLED = Image("to be pulled")


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
        step("pull_image", image=image, name=name, version=settings.ollama_version),
        lambda probe: probe.having(docker=replace(probe.docker, ollama_image=TO_BE_PULLED)),
        consequence=describe_download(probe, "image", image, image),
    )


def _retag(name: str, same: str, found: Image | None) -> Decision:
    if found is not None and found.id == same:
        return Unchanged(f"{name} is the image of then")
    return Change(
        f"image {name}",
        "another than then" if found else "absent",
        same[:19],
        step("name_image", name=name, image=same),
        lambda probe: probe.having(docker=replace(probe.docker, ollama_image=Image(same))),
        why="its tag moved since",
    )
