"""Ollama's release: which archives it is made of, unpacked, checked and current."""

from __future__ import annotations

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.probe import File, Release
from fleethands.operations import download
from fleethands.operations.change import Change, Decision, Same, operation, step
from fleethands.settings import HostSettings
from fleethands.settings.release import ARCHS, archive

KEEP = 2  # releases on the host, this one among them


@operation
def release(settings: HostSettings, seen: Probe) -> Decision:
    """Have the pinned release unpacked, checked and current; the one before it stays for a rollback."""
    version = settings.ollama_version
    found = seen.releases.get(version)
    right = found is not None and found.intact and settings.ollama_sha256 in (None, found.sha256)
    current = seen.files[paths.CURRENT].target
    linked = seen.files[paths.BINARY].target == f"{paths.CURRENT}/bin/ollama"
    if right and current == version and linked:
        return Same(f"Ollama {version} is the current release")
    script = step(
        "release",
        version=version,
        url=settings.ollama_url.rstrip("/"),
        archive=archive(version, ARCHS[seen.system.arch]),
        sha256=settings.ollama_sha256 or "",
        keep=str(KEEP),
    )
    why = "" if current != version else "its files are not as they were unpacked, or not linked"
    consequence = "" if right else download.sentence(seen, "archive", version, f"Ollama {version}")
    return Change(
        "Ollama release",
        current or "none",
        version,
        script,
        lambda probe: _released(probe, settings),
        why=why,
        consequence=consequence,
    )


def _released(probe: Probe, settings: HostSettings) -> Probe:
    releases = {**probe.releases, settings.ollama_version: Release(settings.ollama_sha256 or "", True)}
    probe = probe.with_file(paths.CURRENT, File("link", target=settings.ollama_version))
    return probe.with_file(paths.BINARY, File("link", target=f"{paths.CURRENT}/bin/ollama")).having(releases=releases)
