"""The files of OpenHands' service as they should be."""

from __future__ import annotations

from dataclasses import dataclass, field

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import File


@dataclass(frozen=True)
class DesiredService:
    """
    The files of the service, and the revision that it must have been started from.

    + text: of the unit; environment: of its file of variables; config: of config.toml, empty if none is read
    """

    text: str
    environment: str = field(repr=False)
    config: str
    revision: str

    @property
    def files(self) -> dict[str, File]:
        """Path → file."""
        environment = self.environment.encode(errors="surrogateescape")
        files = {
            paths.OPENHANDS_UNIT: _root_file("0644", self.text.encode()),
            paths.OPENHANDS_ENVIRONMENT: _root_file("0600", environment),
        }
        return {**files, paths.OPENHANDS_CONFIG: _root_file("0644", self.config.encode())} if self.config else files

    def is_started(self, probe: Probe) -> bool:
        """Whether the files are on the host and the unit was started from them."""
        started = (probe.files[paths.OPENHANDS_STARTED].content or b"").decode().strip()
        return started == self.revision and all(_matches(probe.files[path], file) for path, file in self.files.items())


def _root_file(mode: str, content: bytes) -> File:
    return File("file", mode, owner="root:root", content=content)


def _matches(found: File, wanted: File) -> bool:
    return (found.content, found.mode, found.owner) == (wanted.content, wanted.mode, wanted.owner)
