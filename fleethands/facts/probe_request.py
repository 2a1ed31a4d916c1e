"""What the probe asks of a host, and the script that asks it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files as package_files

from fleethands import oci, paths
from fleethands.facts import upstream
from fleethands.facts.framing import ORDINARY
from fleethands.script import Script
from fleethands.settings import HostSettings, packages
from fleethands.settings.generations import GENERATIONS
from fleethands.settings.openhands import inner_ports
from fleethands.settings.packages import NGINX
from fleethands.settings.schema.ollama_env import PROXY_VARIABLES

PACKAGES = (
    "ca-certificates",
    "certbot",
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
    *NGINX.split("|"),
    "podman-docker",
    "python3-venv",
    "tmux",
    "zstd",
)
UNITS = (
    paths.OLLAMA_SERVICE, paths.DOCKER_SERVICE, paths.DOCKER_SOCKET, paths.FIREWALL_SERVICE, paths.OPENHANDS_SERVICE,
    paths.GATEWAY_SERVICE,
)  # fmt: skip
GROUPS = ("ollama", "render", "video", "docker")
PLACES = ("/", "/etc/systemd/system", "/opt", "/tmp", "/usr/local/bin", "/usr/share", "/var/lib")  # noqa: S108
AT_HOME = "@home"  # stands for the home of Ollama's service, which only the host knows
PARTS = (  # of the script, in order: the first has what all others use, the last runs them
    "facts/shell", "facts/system", "facts/directories", "facts/files", "facts/gpu", "facts/apt", "facts/service",
    "facts/ollama", "facts/models", "facts/network", "facts/docker", "facts/docker_ports", "facts/docker_api",
    "facts/docker_engine", "web", "facts/upstream", "facts/lock", "facts/probe",
)  # fmt: skip
FIXED_FILES = (
    paths.CURRENT, paths.BINARY, paths.OLLAMA_UNIT, paths.OLLAMA_OVERRIDE, paths.OLLAMA_SECRETS,
    paths.FIREWALL_RULES, paths.FIREWALL_SCRIPT, paths.FIREWALL_UNIT, paths.FIREWALL_LOADED,
    paths.REVERT_ARMED, paths.REVERTED,
    paths.PROOF, paths.RECORDS, paths.OWNERSHIP_MANIFEST, paths.KEPT_PARTS,
    paths.GATEWAY, paths.GATEWAY_CONFIG, paths.GATEWAY_TOKENS, paths.GATEWAY_CERTIFICATE, paths.GATEWAY_KEY,
    paths.GATEWAY_BACKENDS, paths.GATEWAY_TRUST, paths.GATEWAY_UNIT, paths.GATEWAY_LOADED, paths.ACME,
    paths.GATEWAY_PEOPLE, paths.GATEWAY_SESSIONS,
    paths.OPENHANDS_UNIT, paths.OPENHANDS_STARTED, paths.OPENHANDS_ENVIRONMENT, paths.OPENHANDS_CONFIG,
    *(path for each in GENERATIONS.values() for path in each.places),
    paths.OLLAMA_HOME, paths.OPENHANDS_HOME, paths.CURRENT_RECORD, paths.PREVIOUS_RECORD,
    paths.PRELOAD, paths.PRELOAD_UNIT, paths.PRELOAD_ENABLED,
    paths.BOOT_UNITS + paths.OLLAMA_SERVICE, paths.BOOT_UNITS + paths.FIREWALL_SERVICE,
    paths.BOOT_UNITS + paths.GATEWAY_SERVICE,
    paths.SENTINEL, paths.SENTINEL_TIMER_UNIT, paths.METRICS,
)  # fmt: skip
METRICS_FILES = (
    paths.METRICS_TIMER_UNIT, paths.METRICS_UNIT, paths.METRICS_ENABLED,
    paths.METRICS_COLLECT, paths.METRICS_PUBLISH, paths.METRICS_DECLARED,
    paths.METRICS_SUMS, paths.METRICS_TEXTFILE,
)  # fmt: skip
ACME_FILES = (
    paths.ACME_RENEW, paths.ACME_TRUST, paths.ACME_ISSUED,
    paths.ACME_UNIT, paths.ACME_TIMER_UNIT, paths.ACME_ENABLED,
)  # fmt: skip
SENTINEL_FILES = (
    paths.SENTINEL_SCRIPT, paths.SENTINEL_PROOF, paths.SENTINEL_SECRETS, paths.SENTINEL_UNIT, paths.SENTINEL_STATE,
)  # fmt: skip


@dataclass(frozen=True)
class ProbeRequest:
    """
    What the probe asks of one host.

    + settings: decide which paths, ports, images and models are asked for
    + mark: begins each line that frames a section; unpredictable, so that no program on the host can print it
    + upstream: whether the host also asks registries and mirrors for what it lacks
    """

    settings: HostSettings
    mark: str
    upstream: bool = True

    @classmethod
    def create(cls, settings: HostSettings, *, upstream: bool = True) -> ProbeRequest:
        """A request with a new mark."""
        return cls(settings, f"@@{secrets.token_hex(12)}", upstream)

    @property
    def files(self) -> tuple[str, ...]:
        """Paths to read, in the order of the answer."""
        here = self.settings
        wanted = (here.openhands_workspace, here.ollama_models_dir, here.openhands_built)
        metrics = (*METRICS_FILES, here.metrics_textfile) if here.metrics else ()
        watched = SENTINEL_FILES if here.sentinel else ()
        acme = ACME_FILES if here.gateway_acme else ()
        return (*FIXED_FILES, *watched, *acme, *(str(path) for path in (*wanted, *metrics) if path is not None))

    @property
    def units(self) -> tuple[str, ...]:
        """Units whose properties are read."""
        metrics = (paths.METRICS_TIMER,) if self.settings.metrics else ()
        acme = (paths.ACME_TIMER,) if self.settings.gateway_acme else ()
        return (*UNITS, *metrics, *acme, *((paths.SENTINEL_TIMER,) if self.settings.sentinel else ()))

    @property
    def followed(self) -> frozenset[str]:
        """Those of `files` that are directories, for which root may have made a symlink."""
        return frozenset(
            {paths.OLLAMA_HOME, paths.OPENHANDS_HOME, self.models_dir, str(self.settings.openhands_workspace)}
        )

    @property
    def models_dir(self) -> str:
        """The model store."""
        return self.settings.models_dir()

    @property
    def places(self) -> tuple[str, ...]:
        """Directories whose free space is read. For one that is missing, the host looks at its nearest parent."""
        return (*PLACES, self.models_dir) if self.settings.manages_ollama else PLACES

    @property
    def directories(self) -> tuple[tuple[str, str], ...]:
        """(account, directory) for each directory that an account of fleethands must be able to enter."""
        wanted = self.settings
        ollama = [("ollama", path) for path in (paths.RELEASES, paths.OLLAMA_HOME, self.models_dir)]
        if wanted.openhands_flavor != "source":  # root mounts the directory into a container
            return tuple(ollama)
        openhands = (paths.OPENHANDS_SOURCE, paths.OPENHANDS_HOME, str(wanted.openhands_workspace))
        return (*ollama, *((wanted.openhands_user, path) for path in openhands))

    @property
    def script(self) -> str:
        """The whole probe, as text for the host's shell."""
        return _script(_Shared(self.settings), self.upstream).with_values(mark=self.mark).text

    def _unmarked(self) -> Script:
        """The probe, whatever its mark."""
        environment = {**self.settings.ollama_environment, **self.settings.openhands_variables}
        exports = {name: environment[name] for name in PROXY_VARIABLES if name in environment}
        values = {**self._fixed_values(), **self._host_values(), **self._upstream_values()}
        return Script(_body(), {**values, "by_proxy": "yes" if exports else ""}, exports)

    def _fixed_values(self) -> dict[str, str]:
        """Variables of the script that are the same for every host."""
        return {
            "mark": self.mark,
            "ordinary": " ".join(ORDINARY),
            "packages": " ".join(PACKAGES),
            "groups": " ".join(GROUPS),
            "home": paths.OLLAMA_HOME,
            "container": paths.CONTAINER,
            "records": f"{paths.CURRENT_RECORD} {paths.PREVIOUS_RECORD}",
            "ollama_container": paths.OLLAMA_CONTAINER,
            "manifest_type": oci.MANIFEST,
            "turn": paths.LOCK_TOKEN,
            "described": paths.RUN_LOCK_INFO,
            "hold": paths.MANUAL_LOCK,
        }

    def _host_values(self) -> dict[str, str]:
        """Variables that follow from the settings."""
        wanted = self.settings
        uses_model = wanted.model and wanted.openhands_flavor != "off"
        gateway = [each.port for each in (wanted.gateway, wanted.gateway_page) if each]
        ports = (wanted.ollama_host.port, wanted.openhands_port, *gateway, *inner_ports(wanted))
        directories = [f"{number} {account} {on_host(path)}" for number, (account, path) in enumerate(self.directories)]
        return {
            "accounts": f"ollama {paths.GATEWAY_USER} {wanted.openhands_user}",
            "units": " ".join(self.units),
            "files": "\n".join(on_host(path) + "/" * (path in self.followed) for path in self.files),
            "directories": "\n".join(directories),
            "ollama_url": wanted.ollama_client_url,
            "elsewhere": "" if wanted.manages_ollama else wanted.ollama_server[0],
            "models_dir": on_host(self.models_dir),
            "asked_model": str(wanted.model) if uses_model else "",
            "image": wanted.container_image,
            "ollama_image": wanted.ollama_container_image,
            "ollama_version": wanted.ollama_version,
            "ports": " ".join(map(str, ports)),
            "places": "\n".join(map(on_host, self.places)),
        }

    def _upstream_values(self) -> dict[str, str]:
        """Variables that make the host ask for what it lacks."""
        if not self.upstream or self.settings.pins.bundles:  # a bundle has its own lists
            return {"wanted": "", "offers": "", "gguf_header": ""}
        downloads = list(upstream.required_downloads(self.settings))
        return {
            "wanted": " ".join(packages.needed_packages(self.settings)),
            "offers": "\n".join(each.line for each in downloads),
            "gguf_header": _header_program() if any(each.kind == "model" for each in downloads) else "",
            "header_rate": str(self.settings.download_limit or ""),
        }


class _Shared:
    """The settings of some hosts, which are the same object for most hosts of a fleet (settings/shared.py)."""

    def __init__(self, settings: HostSettings) -> None:
        self.settings = settings

    def __hash__(self) -> int:
        return id(self.settings)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Shared) and self.settings is other.settings


@lru_cache(maxsize=64)
def _script(shared: _Shared, upstream: bool) -> Script:
    return ProbeRequest(shared.settings, "", upstream)._unmarked()


@cache
def _body() -> str:
    """The functions of the script, which all requests share. Comments stay here."""
    folder = package_files("fleethands")
    lines = [line for part in PARTS for line in folder.joinpath(f"{part}.sh").read_text().splitlines()]
    return "\n".join(line for line in lines if not line.lstrip().startswith("#"))


@cache
def _header_program() -> str:
    """The program that reads the header of a model's file. Comments stay here."""
    text = package_files("fleethands").joinpath("facts/gguf_header.pl").read_text()
    return "\n".join(line.strip() for line in text.splitlines() if line and not line.startswith("#"))


def on_host(path: str) -> str:
    """A path as the script takes it: the host replaces AT_HOME by the home of its Ollama service."""
    inside = path == paths.OLLAMA_HOME or path.startswith(paths.OLLAMA_HOME + "/")
    return AT_HOME + path.removeprefix(paths.OLLAMA_HOME) if inside else path
