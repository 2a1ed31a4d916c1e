"""The process of Ollama as it should be, compared with the running one."""

from __future__ import annotations

from dataclasses import dataclass

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.ollama import Process
from fleethands.settings import HostSettings
from fleethands.settings.values.envconfig import means_same

REVISION = "FLEETHANDS_REVISION"


@dataclass(frozen=True)
class DesiredProcess:
    """
    The revision of the unit's files, the release and the variables that the running Ollama must have.

    + image, id: of the container: its name, and the id that the name has on the host; empty for a service
    """

    revision: str
    version: str
    environment: dict[str, str]
    image: str = ""
    id: str = ""

    @classmethod
    def for_host(cls, settings: HostSettings, probe: Probe, revision: str) -> DesiredProcess:
        image = settings.ollama_declared_image
        found = probe.docker.ollama_image if image else None
        return cls(revision, settings.ollama_version, settings.ollama_environment, image, found.id if found else "")

    def find_difference(self, process: Process | None) -> str | None:
        """The first difference of a process, as a clause; None if there is none."""
        if process is None:
            return "it does not run"
        if difference := self._container_difference(process) if self.image else self._service_difference(process):
            return difference
        for name, value in self.environment.items():
            if not means_same(name, process.environment.get(name), value):
                return f"its {name} is not as declared"
        return None if self.has_revision(process) else "it runs on older files"

    def has_revision(self, process: Process) -> bool:
        """Whether the process was started from the current files."""
        return process.environment.get(REVISION) == self.revision

    def _service_difference(self, process: Process) -> str | None:
        if process.image:
            return "it runs in a container"
        return None if process.exe == self._exe else f"it runs {process.exe}"

    def _container_difference(self, process: Process) -> str | None:
        if not process.image:
            if process.exe.startswith(paths.RELEASES + "/"):
                return "it runs as a service"
            return "its container does not run" if process.exe.endswith("/docker") else f"it runs {process.exe}"
        return None if process.image == self.id else f"it runs from another image than {self.image}"

    @property
    def _exe(self) -> str:
        return f"{paths.RELEASES}/{self.version}/bin/ollama"

    @property
    def process(self) -> Process:
        """A process without any difference, for a predicted probe."""
        exe = "" if self.image else self._exe
        return Process(-1, -1, exe, {**self.environment, REVISION: self.revision}, self.id, -1 if self.image else 0)
