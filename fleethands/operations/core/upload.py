"""Files that the controller sends to a host before a change's script runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Protocol

from fleethands.errors import FleethandsError


class UploadError(FleethandsError):
    """The controller does not have the files that it should send."""


class Upload(Protocol):
    """What a change sends."""

    def files(self) -> Iterator[tuple[str | IO[str], str]]:
        """
        Source and name on the host of each file; a name without a directory is in the SSH user's home.

        Raises UploadError.
        """
