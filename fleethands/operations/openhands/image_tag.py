"""A rollback's image of OpenHands: the tag names it again."""

from __future__ import annotations

from dataclasses import replace

from fleethands.facts import Probe
from fleethands.operations.core.decision import Change, Decision, Unchanged
from fleethands.operations.core.operation import operation
from fleethands.operations.docker.tag_image import TagImage
from fleethands.settings import HostSettings


@operation
def retag_image(settings: HostSettings, probe: Probe, image: str) -> Decision:
    """
    Tag the image of a release record with its declared name, if the tag has moved to another image since.

    + image: its id
    """
    name = settings.openhands_image
    if probe.docker.image == image:
        return Unchanged(f"{name} is the recorded image")
    return Change(
        f"image {name}",
        "another image" if probe.docker.image else "absent",
        image[:19],
        TagImage(name, image).script,
        lambda probe: probe.replace(docker=replace(probe.docker, image=image)),
        why="its tag moved since",
    )
