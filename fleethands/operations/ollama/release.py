"""Ollama's release: installed next to the others, checked, and made current."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import File
from fleethands.facts.ollama import Release
from fleethands.facts.record import Record
from fleethands.operations.artifacts.fetchers import release_fetcher
from fleethands.operations.core.decision import Change, Decision, Place, Refused, Unchanged
from fleethands.operations.core.download_note import describe_download
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.operations.ollama.release_archives import (
    CPU,
    EXTRA_ARCHIVES,
    archive_names,
    choose_variant,
    pinned_checksums,
)
from fleethands.operations.ollama.release_upload import PREFIX, ReleaseUpload
from fleethands.script import Script
from fleethands.settings import HostSettings
from fleethands.settings.lockfile import LOCKFILE_NAME
from fleethands.settings.pins import PIN
from fleethands.settings.schema.ollama_env import PROXY_VARIABLES
from fleethands.settings.values.ollama_release import ARCHS, archive_name

KEEP = 2  # releases on the host, the current one included
EXECUTABLE = f"{paths.CURRENT}/bin/ollama"


@dataclass(frozen=True)
class InstallRelease(HostScript, file="release", parts=("web", "part_store", "keep_parts", "join_unit", "fetch")):
    """The variables of release.sh, which says what they mean."""

    version: str
    keep: int
    spare: str
    by_proxy: str
    prefix: str
    sent: str
    url: str
    archives: str
    sha256: str | None
    digests: str
    renew: str
    variant: str
    fetcher: str
    keeps_parts: bool


@dataclass(frozen=True)
class DesiredRelease:
    """
    The release that a host should have.

    + checksums: archive → sha256, as far as they are declared or pinned
    """

    version: str
    arch: str
    variant: str
    url: str
    checksums: dict[str, str]

    @classmethod
    def for_host(cls, settings: HostSettings, probe: Probe) -> DesiredRelease:
        arch = ARCHS[probe.system.arch]
        variant, checksums = choose_variant(settings, probe, arch), pinned_checksums(settings, arch)
        return cls(settings.ollama_version, arch, variant, settings.ollama_url.rstrip("/"), checksums)

    @property
    def archives(self) -> tuple[str, ...]:
        return archive_names(self.version, self.arch, self.variant)

    @property
    def sha256(self) -> str | None:
        """Of the main archive, if it is known."""
        return self.checksums.get(archive_name(self.version, self.arch))

    @property
    def archive_checksums(self) -> dict[str, str]:
        return {name: self.checksums[name] for name in self.archives if name in self.checksums}


@operation
def install(settings: HostSettings, probe: Probe) -> Decision:
    """Install the pinned release and make it current. The previous one stays for a rollback."""
    wanted = DesiredRelease.for_host(settings, probe)
    if refused := _check_obtainable(settings, wanted):
        return refused
    current, found = probe.files[paths.CURRENT].target, probe.releases.get(wanted.version)
    if found is not None and settings.ollama_variant is None and wanted.variant == CPU:
        wanted = replace(wanted, variant=found.variant)  # nothing is downloaded to remove GPU libraries
    why = _why_install(found, wanted)
    if why is None and current == wanted.version and probe.files[paths.BINARY].target == EXECUTABLE:
        return Unchanged(f"Ollama {wanted.version} is the current release")
    is_sent = settings.ollama_transfer == "controller" and not settings.pins.bundles
    upload = _upload(wanted, probe) if why and is_sent else None
    return Change(
        "Ollama release",
        current or "none",
        wanted.version,
        _script(settings, probe, wanted, upload),
        lambda probe: _predict(probe, wanted, is_new=why is not None),
        why=why or "" if current else "",
        consequence=_consequence(settings, probe, wanted, upload) if why else "",
        upload=upload,
        place=Place.WITHIN,
    )


def lacking_archives(settings: HostSettings, probe: Probe) -> dict[str, str]:
    """Name → sha256, empty if unknown, of each archive that has to come to a host."""
    if settings.ollama_runtime != "service":
        return {}
    wanted = DesiredRelease.for_host(settings, probe)
    found = probe.releases.get(wanted.version)
    if found is not None and settings.ollama_variant is None and wanted.variant == CPU:
        wanted = replace(wanted, variant=found.variant)
    if _why_install(found, wanted) is None:
        return {}
    return {name: wanted.checksums.get(name, "") for name in wanted.archives}


def _check_obtainable(settings: HostSettings, wanted: DesiredRelease) -> Refused | None:
    arch = wanted.arch
    if (only := EXTRA_ARCHIVES.get(wanted.variant, arch)) != arch:
        hint = "take `ollama_variant` out of this host's data, or declare `cpu`"
        return Refused(f"Ollama's variant {wanted.variant} is for {only}, this host is {arch}", (hint,))
    if isinstance(settings.ollama_sha256, dict) and arch not in settings.ollama_sha256:
        return Refused(f"`ollama_sha256` has no digest for {arch}", (f'add it: {{"{arch}": "…"}}',))
    locked = settings.pins.archives
    unlocked = [name for name in wanted.archives if name not in locked]
    if locked and unlocked:
        return Refused(f"{LOCKFILE_NAME} has Ollama {wanted.version}, but not its {unlocked[0]}", (PIN,))
    return None


def _why_install(found: Release | None, wanted: DesiredRelease) -> str | None:
    """Why the release must be installed, or installed again; None if the one on the host will do."""
    if found is None:
        return "it is not on the host"
    if not found.intact:
        return "its binary is not as it was unpacked"
    if wanted.sha256 not in (None, found.sha256):
        return "it came from an archive with another sha256 than the declared one"
    if found.variant != wanted.variant:
        return f"it was unpacked as `{found.variant}`, wanted is `{wanted.variant}`"
    return None


def _upload(wanted: DesiredRelease, probe: Probe) -> ReleaseUpload:
    has_zstd = "zstd" in probe.packages
    return ReleaseUpload(
        f"{wanted.url}/v{wanted.version}", wanted.archives, wanted.archive_checksums, plain=not has_zstd
    )


def _script(settings: HostSettings, probe: Probe, wanted: DesiredRelease, upload: ReleaseUpload | None) -> Script:
    proxies = _proxy_variables(settings)
    script = InstallRelease(
        version=wanted.version,
        keep=KEEP,
        spare=" ".join(_recorded_releases(probe)),
        by_proxy="yes" if proxies else "",
        prefix=PREFIX,
        sent="yes" if upload else "",
        url=wanted.url,
        archives=" ".join(upload.sent if upload else wanted.archives),
        sha256=wanted.sha256,
        digests="".join(f"{digest}  ./{name}\n" for name, digest in wanted.archive_checksums.items()),
        renew=PIN if settings.pins.archives else "",
        variant=wanted.variant,
        fetcher="" if upload else release_fetcher(settings),
        keeps_parts=settings.keeps_parts,
    ).script
    return replace(script, exports=proxies)


def _proxy_variables(settings: HostSettings) -> dict[str, str]:
    """Ollama's proxy variables, which its release is downloaded with as well."""
    environment = settings.ollama_environment
    return {name: environment[name] for name in PROXY_VARIABLES if name in environment}


def _recorded_releases(probe: Probe) -> list[str]:
    """Releases on the host that a rollback may need."""
    records = (Record.parse(probe.files[path].content) for path in (paths.CURRENT_RECORD, paths.PREVIOUS_RECORD))
    named = {record.ollama for record in records if record}
    return sorted(version for version in probe.releases if version in named)


def _consequence(settings: HostSettings, probe: Probe, wanted: DesiredRelease, upload: ReleaseUpload | None) -> str:
    what = " and ".join(wanted.archives)
    if upload:
        return f"the controller sends {what}"
    return describe_download(settings, probe, "archive", wanted.version, what)


def _predict(probe: Probe, wanted: DesiredRelease, is_new: bool) -> Probe:
    process, binary = probe.process, f"{paths.RELEASES}/{wanted.version}/bin/ollama"
    if is_new and process is not None and process.exe == binary:
        process = replace(process, exe=f"{binary} (deleted)")  # as the kernel reports a replaced binary
    probe = probe.with_file(paths.CURRENT, File("link", target=wanted.version))
    probe = probe.with_file(paths.BINARY, File("link", target=EXECUTABLE))
    installed = Release(wanted.sha256 or "", True, wanted.variant)
    return probe.replace(releases={**probe.releases, wanted.version: installed}, process=process)
