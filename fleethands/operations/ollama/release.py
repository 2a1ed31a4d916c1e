"""Ollama's release: which archives it is made of, unpacked, checked and current."""

from __future__ import annotations

from dataclasses import replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import File
from fleethands.facts.gpu import Gpu
from fleethands.facts.ollama import WHOLE, Release
from fleethands.facts.record import Record
from fleethands.operations.core.decision import Change, Decision, Refused, Unchanged
from fleethands.operations.core.download_note import describe_download
from fleethands.operations.core.host_script import step
from fleethands.operations.core.operation import operation
from fleethands.operations.ollama.transfer import PREFIX, ReleaseUpload
from fleethands.settings import HostSettings
from fleethands.settings.lockfile import LOCKFILE_NAME as LOCK
from fleethands.settings.pins import PIN
from fleethands.settings.schema.ollama_env import PROXY_VARIABLES
from fleethands.settings.values.ollama_release import ARCHS, archive_name

CPU = "cpu"
JETPACKS = {"R35": "jetpack5", "R36": "jetpack6"}  # by the release of Linux for Tegra
KEEP = 2  # releases on the host, this one among them
EXTRA_ARCHIVES = {
    "rocm": "amd64",
    "jetpack5": "arm64",
    "jetpack6": "arm64",
}  # variants with an archive more, and their arch


@operation
def install(settings: HostSettings, probe: Probe) -> Decision:
    """Have the pinned release unpacked, checked and current; the one before it stays for a rollback."""
    arch = ARCHS[probe.system.arch]
    wanted = choose_variant(settings, probe, arch)
    if refused := _check_obtainable(settings, arch, wanted):
        return refused
    version, digests = settings.ollama_version, pinned_checksums(settings, arch)
    sha256 = digests.get(archive_name(version, arch))
    current = probe.files[paths.CURRENT].target
    found = probe.releases.get(version)
    if found is not None and settings.ollama_variant is None and wanted == CPU:
        wanted = found.variant  # more than is needed will do: nothing is downloaded to take it away
    wrong = _why_install(found, sha256, wanted)
    linked = probe.files[paths.BINARY].target == f"{paths.CURRENT}/bin/ollama"
    if wrong is None and current == version and linked:
        return Unchanged(f"Ollama {version} is the current release")
    names, url = archive_names(version, arch, wanted), settings.ollama_url.rstrip("/")
    digests = {name: digests[name] for name in names if name in digests}
    sent = settings.ollama_transfer == "controller"
    plain = "zstd" not in probe.packages
    upload = ReleaseUpload(f"{url}/v{version}", names, digests, plain) if sent and wrong else None
    values = {
        "version": version,
        "keep": str(KEEP),
        "spare": " ".join(_recorded_releases(probe)),
        "by_proxy": "yes" if _proxy_variables(settings) else "",
        "prefix": PREFIX,
        "sent": "yes" if upload else "",
        "url": url,
        "archives": " ".join(upload.sent if upload else names),
        "sha256": sha256 or "",
        "digests": "".join(f"{digest}  ./{name}\n" for name, digest in digests.items()),
        "renew": PIN if settings.pins.archives else "",
        "variant": wanted,
    }
    return Change(
        "Ollama release",
        current or "none",
        version,
        step("release", _proxy_variables(settings), **values),
        lambda probe: _predict(probe, version, Release(sha256 or "", True, wanted), anew=wrong is not None),
        why=wrong or "" if current else "",
        consequence=_consequence(probe, version, names, wrong is not None, sent),
        upload=upload,
    )


def _proxy_variables(settings: HostSettings) -> dict[str, str]:
    """Variables of Ollama's that its release needs to come the same way."""
    environment = settings.ollama_environment
    return {name: environment[name] for name in PROXY_VARIABLES if name in environment}


def _recorded_releases(probe: Probe) -> list[str]:
    """Releases on the host that a rollback may go back to."""
    records = (Record.parse(probe.files[path].content) for path in (paths.RECORD, paths.RECORD_BEFORE))
    named = {record.ollama for record in records if record}
    return sorted(version for version in probe.releases if version in named)


def choose_variant(settings: HostSettings, probe: Probe, arch: str) -> str:
    """
    The variant to unpack, the declared one or what this host's GPUs need (scripts/install.sh, v0.32.15).

    `whole` is the plain archive with everything in it, which CUDA needs; also where the GPUs could not be read.
    """
    declared = settings.ollama_variant
    if declared is not None:
        return WHOLE if declared == "cuda" else declared
    if settings.gpu is False:
        return CPU
    return _variant_for_gpus(probe.gpu, arch) if probe.knows("gpu") else WHOLE


def _variant_for_gpus(gpu: Gpu, arch: str) -> str:
    if gpu.tegra:
        return next((name for mark, name in JETPACKS.items() if mark in gpu.tegra), WHOLE)
    vendors = {device.vendor for device in gpu.pci}
    if gpu.devices or gpu.nvidia is not None or "nvidia" in vendors:
        return WHOLE
    if "amd" in vendors:
        return "rocm" if EXTRA_ARCHIVES["rocm"] == arch else WHOLE
    return CPU


def archive_names(version: str, arch: str, variant: str) -> tuple[str, ...]:
    """
    Names of a release's files, the main one first (tar.zst since 0.14.0: ollama commit 34d0c55ea; the further ones:
    scripts/install.sh, v0.32.15).

    + arch: amd64 or arm64
    + variant: whole, cpu, rocm, jetpack5 or jetpack6
    """
    further = [f"{arch}-{variant}"] if EXTRA_ARCHIVES.get(variant) == arch else []
    return tuple(archive_name(version, each) for each in (arch, *further))


def pinned_checksums(settings: HostSettings, arch: str) -> dict[str, str]:
    """Archive → sha256, as far as they are declared or in the lock."""
    declared = settings.ollama_sha256
    main = declared.get(arch) if isinstance(declared, dict) else declared
    return {**settings.pins.archives, **({archive_name(settings.ollama_version, arch): main} if main else {})}


def _check_obtainable(settings: HostSettings, arch: str, wanted: str) -> Refused | None:
    if EXTRA_ARCHIVES.get(wanted, arch) != arch:
        hint = "take `ollama_variant` out of this host's data, or declare `cpu`"
        return Refused(f"Ollama's variant {wanted} is for {EXTRA_ARCHIVES[wanted]}, this host is {arch}", (hint,))
    if isinstance(settings.ollama_sha256, dict) and arch not in settings.ollama_sha256:
        return Refused(f"`ollama_sha256` has no digest for {arch}", (f'add it: {{"{arch}": "…"}}',))
    locked = settings.pins.archives
    unlocked = [name for name in archive_names(settings.ollama_version, arch, wanted) if name not in locked]
    if locked and unlocked:
        return Refused(f"{LOCK} has Ollama {settings.ollama_version}, but not its {unlocked[0]}", (PIN,))
    return None


def _why_install(found: Release | None, sha256: str | None, wanted: str) -> str | None:
    """Why the release must be brought anew, in words; None where the one on the host will do."""
    if found is None:
        return "it is not on the host"
    if not found.intact:
        return "its binary is not as it was unpacked"
    if sha256 not in (None, found.sha256):
        return "it came from an archive with another sha256 than the declared one"
    if found.variant != wanted:
        return f"it was unpacked as `{found.variant}`, wanted is `{wanted}`"
    return None


def _consequence(probe: Probe, version: str, names: tuple[str, ...], anew: bool, sent: bool) -> str:
    if not anew:
        return ""
    what = " and ".join(names)
    return f"the controller sends {what}" if sent else describe_download(probe, "archive", version, what)


def _predict(probe: Probe, version: str, made: Release, anew: bool) -> Probe:
    process, binary = probe.process, f"{paths.RELEASES}/{version}/bin/ollama"
    if anew and process is not None and process.exe == binary:
        process = replace(process, exe=f"{binary} (deleted)")  # replaced under it: so the kernel says, and it restarts
    probe = probe.with_file(paths.CURRENT, File("link", target=version))
    probe = probe.with_file(paths.BINARY, File("link", target=f"{paths.CURRENT}/bin/ollama"))
    return probe.having(releases={**probe.releases, version: made}, process=process)
