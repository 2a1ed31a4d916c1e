"""The probe as a pyinfra fact: what to ask for, and how the answer is read."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.resources import files as package_files
from typing import Any

from pyinfra.api import FactBase
from pyinfra.api.command import StringCommand

from fleethands import oci, paths
from fleethands.facts import directories, docker, files, gpu, lock, network, ollama, service, system, units, upstream
from fleethands.facts import packages as apt
from fleethands.facts.framing import split_sections
from fleethands.facts.probe import Probe, Unknown
from fleethands.script import SHELL, Script
from fleethands.settings import HostSettings, packages
from fleethands.settings.generations import GENERATIONS
from fleethands.settings.openhands import inner_ports
from fleethands.settings.schema.ollama_env import PROXY_VARIABLES

PACKAGES = (
    "ca-certificates",
    "containerd",
    "curl",
    "docker-ce",
    "docker-cli",
    "docker.io",
    "git",
    "iptables",
    "make",
    "moby-engine",
    "nftables",
    "podman-docker",
    "python3-venv",
    "tmux",
    "zstd",
)
UNITS = (
    paths.OLLAMA_SERVICE, paths.DOCKER_SERVICE, paths.DOCKER_SOCKET, paths.FIREWALL_SERVICE, paths.OPENHANDS_SERVICE,
)  # fmt: skip
GROUPS = ("ollama", "render", "video", "docker")
PLACES = ("/", "/etc/systemd/system", "/opt", "/tmp", "/usr/local/bin", "/usr/share", "/var/lib")  # noqa: S108
AT_HOME = "@home"  # on the host: where the service's home turns out to be
PARTS = (  # of the script; the last one runs it
    "facts/gpu", "facts/directories", "facts/service", "facts/apt", "facts/docker", "web",
    "facts/upstream", "facts/lock", "facts/probe",
)  # fmt: skip
FIXED_FILES = (
    paths.CURRENT, paths.BINARY, paths.OLLAMA_UNIT, paths.OLLAMA_OVERRIDE, paths.OLLAMA_SECRETS,
    paths.FIREWALL_RULES, paths.FIREWALL_SCRIPT, paths.FIREWALL_UNIT, paths.FIREWALL_LOADED,
    paths.PROOF, paths.RECORDS, paths.OWNERSHIP_MANIFEST,
    paths.OPENHANDS_UNIT, paths.OPENHANDS_STARTED, paths.OPENHANDS_ENVIRONMENT, paths.OPENHANDS_CONFIG,
    *(path for each in GENERATIONS.values() for path in each.places),
    paths.OLLAMA_HOME, paths.OPENHANDS_HOME, paths.CURRENT_RECORD, paths.PREVIOUS_RECORD,
    paths.PRELOAD, paths.PRELOAD_UNIT, paths.PRELOAD_ENABLED,
    paths.BOOT_UNITS + paths.OLLAMA_SERVICE, paths.BOOT_UNITS + paths.FIREWALL_SERVICE,
)  # fmt: skip


@dataclass(frozen=True)
class ProbeRequest:
    """What of a host the probe is asked for; upstream: also what is offered of that which it lacks."""

    settings: HostSettings
    mark: str
    upstream: bool = True

    @classmethod
    def about(cls, settings: HostSettings, *, upstream: bool = True) -> ProbeRequest:
        return cls(settings, f"@@{secrets.token_hex(12)}", upstream)

    @property
    def files(self) -> tuple[str, ...]:
        wanted = (self.settings.openhands_workspace, self.settings.ollama_models_dir, self.settings.openhands_built)
        return (*FIXED_FILES, *(str(path) for path in wanted if path is not None))

    @property
    def followed(self) -> frozenset[str]:
        """Of these files, directories for which a link of root's stands as well."""
        return frozenset(
            {paths.OLLAMA_HOME, paths.OPENHANDS_HOME, self.models_dir, str(self.settings.openhands_workspace)}
        )

    @property
    def models_dir(self) -> str:
        return self.settings.models_dir()

    @property
    def places(self) -> tuple[str, ...]:
        """Where something is written; the room of one that is not there yet is that of the nearest above it."""
        return (*PLACES, self.models_dir) if self.settings.manages_ollama else PLACES

    @property
    def directories(self) -> tuple[tuple[str, str], ...]:
        """(account, directory) of all that an account of ours must get to by its path."""
        wanted = self.settings
        ollama = [("ollama", path) for path in (paths.RELEASES, paths.OLLAMA_HOME, self.models_dir)]
        if wanted.openhands_flavor != "source":  # into a container, root brings the directory itself
            return tuple(ollama)
        theirs = (paths.OPENHANDS_SOURCE, paths.OPENHANDS_HOME, str(wanted.openhands_workspace))
        return (*ollama, *((wanted.openhands_user, path) for path in theirs))

    @property
    def script(self) -> str:
        """The whole probe, as the host's shell reads it."""
        wanted = self.settings
        folder = package_files("fleethands")
        body = "".join(folder.joinpath(f"{part}.sh").read_text() for part in PARTS)
        values = {
            "mark": self.mark,
            "packages": " ".join(PACKAGES),
            "wanted": " ".join(packages.needed_packages(wanted)) if self.upstream else "",
            "accounts": f"ollama {wanted.openhands_user}",
            "groups": " ".join(GROUPS),
            "files": "\n".join(_on_host(path) + "/" * (path in self.followed) for path in self.files),
            "home": paths.OLLAMA_HOME,
            "directories": "\n".join(
                f"{number} {who} {_on_host(path)}" for number, (who, path) in enumerate(self.directories)
            ),
            "units": " ".join(UNITS),
            "ollama_url": wanted.ollama_client_url,
            "elsewhere": "" if wanted.manages_ollama else wanted.ollama_server[0],
            "models_dir": _on_host(self.models_dir),
            "asked_model": str(wanted.model) if wanted.model and wanted.openhands_flavor != "off" else "",
            "container": paths.CONTAINER,
            "records": f"{paths.CURRENT_RECORD} {paths.PREVIOUS_RECORD}",
            "image": wanted.container_image,
            "ollama_image": wanted.ollama_container_image,
            "ollama_container": paths.OLLAMA_CONTAINER,
            "ports": " ".join(map(str, (wanted.ollama_host.port, wanted.openhands_port, *inner_ports(wanted)))),
            "manifest_type": oci.MANIFEST,
            "turn": paths.LOCK_TOKEN,
            "described": paths.RUN_LOCK_INFO,
            "hold": paths.MANUAL_LOCK,
            "places": "\n".join(map(_on_host, self.places)),
            "offers": "\n".join(each.line for each in upstream.required_downloads(wanted)) if self.upstream else "",
        }
        environment = {**wanted.ollama_environment, **wanted.openhands_variables}
        exports = {name: environment[name] for name in PROXY_VARIABLES if name in environment}
        return Script(body, {**values, "by_proxy": "yes" if exports else ""}, exports).text


def _on_host(path: str) -> str:
    """A path as the script takes it: what lies in Ollama's home moves with that."""
    inside = path == paths.OLLAMA_HOME or path.startswith(paths.OLLAMA_HOME + "/")
    return AT_HOME + path.removeprefix(paths.OLLAMA_HOME) if inside else path


def parse_probe(lines: list[str], question: ProbeRequest, window: tuple[float, float] | None = None) -> Probe:
    """
    The typed value of a probe's answer; a section that does not read as expected is unknown. Raises ProbeError for an
    answer that is not whole.

    + window: the controller's clock before it asked and after it was answered, in seconds since 1970
    """
    readers: dict[str, Callable[[list[str]], Any]] = {
        "system": system.system_parser(window), "disk": system.disk_parser(question.places), "gpu": gpu.parse_gpu,
        "packages": system.package_parser(PACKAGES), "apt": apt.parse_apt, "accounts": system.parse_accounts,
        "files": files.file_parser(question.files), "releases": ollama.parse_releases, "units": units.parse_units,
        "service": service.parse_service,
        "process": ollama.parse_process, "ollama": ollama.parse_ollama, "models": ollama.parse_models, "store": ollama.parse_store,
        "directories": directories.directory_parser(question.directories),
        "lock": lock.parse_lock,
        "docker": docker.parse_docker,
        "firewall": network.parse_firewall, "sockets": network.parse_sockets,
        "upstream": partial(upstream.parse_upstream, question.settings),
    }  # fmt: skip
    found: dict[str, Any] = {}
    for name, status, body in split_sections(lines, question.mark):
        if status:
            found[name] = _unknown(status, body)
            continue
        try:
            found[name] = readers[name](body)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError):  # ProbeError is one
            found[name] = Unknown("what the host says of it does not read as expected")
    return Probe(found).at_home


def _unknown(status: int, body: list[str]) -> Unknown:
    last = body[-1] if body else ""
    if status == 127 and last.startswith("needs "):
        lacks = last.removeprefix("needs ")
        return Unknown(f"the command `{lacks}` is missing on this host", lacks=lacks)
    if status == 124:
        return Unknown("no answer within 5 s", timed_out=True)
    return Unknown(f"it ended with status {status}")


class HostProbe(FactBase[list[str]]):
    """The raw answer of the probe; the script travels on stdin."""

    def command(self) -> StringCommand:
        return StringCommand(SHELL)

    def process(self, output: list[str]) -> list[str]:
        return output
