"""The tag of an image that is on the host already."""

from __future__ import annotations

from dataclasses import dataclass

from fleethands.operations.core.host_script import HostScript


@dataclass(frozen=True)
class TagImage(HostScript, file="tag_image"):
    """Tags an image on the host; `image` is its id."""

    name: str
    image: str
