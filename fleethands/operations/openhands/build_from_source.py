"""OpenHands is built on its host, from upstream's release or a git checkout, by a user of its own."""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import File
from fleethands.operations.core import scripts
from fleethands.operations.core.decision import Change, Decision, Unchanged
from fleethands.operations.core.host_script import step
from fleethands.operations.core.operation import operation
from fleethands.script import Script
from fleethands.settings import HostSettings
from fleethands.settings.generations import REHEARSAL_PORTS
from fleethands.settings.openhands import generation_of
from fleethands.text.systemd import file_assignment

BUILDER = "fleethands-build"  # its user
# Canvas' releases whose dependencies have moved on since, to what they can't use: FastAPI 0.142 and agent-server 1.44
NEWEST_DEPENDENCIES = {"1.16.0": "2026-09-01"}
# Variables that say how packages and repositories are reached, which also count for the build. Host and controller
# read this pattern, so it has nothing that only one of them knows.
NETWORK_VARIABLES = (
    "(https?|no|all|ftp)_proxy|(npm_config|pip|uv|poetry|git)_[a-z0-9_]+|ssl_cert_(file|dir)|node_extra_ca_certs|"
    "requests_ca_bundle|curl_ca_bundle"
)


def _network_variables(settings: HostSettings) -> str:
    """Proxies, mirrors and authorities that are declared, for Ollama or for OpenHands, as systemd reads a file."""
    declared = {**settings.ollama_environment, **settings.openhands_variables}
    wanted = {name: value for name, value in declared.items() if re.fullmatch(NETWORK_VARIABLES, name, re.IGNORECASE)}
    return "".join(f"{file_assignment(name, value)}\n" for name, value in wanted.items())


def recipe_digest(settings: HostSettings) -> str:
    """Digest of what is built, and of how; with another one it is built anew."""
    wanted = settings.openhands_source
    parts = (wanted.generation, wanted.repo or "", wanted.ref, *_lockfiles(settings).values(), settings.openhands_user)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _lockfiles(settings: HostSettings) -> dict[str, str]:
    """What is pinned of that which a build needs: by hashes, and where upstream names no versions, by a date."""
    wanted = settings.openhands_source
    return {
        "requirements": _read_lockfile("tools.txt"),
        "poetry": _read_lockfile("poetry.txt") if wanted.generation == "v0" else "",
        "lock": _read_lockfile(f"canvas-{wanted.ref}.json") if _is_locked(settings) else "",
        "newest": "".join(f"{release} {date}\n" for release, date in NEWEST_DEPENDENCIES.items()),
    }


def _read_lockfile(name: str) -> str:
    return files("fleethands.operations.openhands").joinpath("locks", name).read_text()


def _is_locked(settings: HostSettings) -> bool:
    wanted = settings.openhands_source
    return wanted.repo is None and wanted.ref in NEWEST_DEPENDENCIES


def _read_build(settings: HostSettings, probe: Probe) -> tuple[str, str]:
    """Digest of the recipe and commit, or release, of what a host has built; empty where there is nothing."""
    words = (probe.files[str(settings.openhands_built)].content or b"").decode(errors="replace").split()
    return (words[0], words[1]) if len(words) == 2 else ("", "")


@operation
def build(settings: HostSettings, probe: Probe) -> Decision:
    """Have it built, beside what runs. A branch that moved is only known where its repository was asked."""
    wanted, marker = settings.openhands_source, str(settings.openhands_built)
    digest, commit = _read_build(settings, probe)
    offer = probe.upstream.of("commit", wanted.title)
    moved = offer.digest if offer is not None and offer.digest not in {None, commit} else None
    if digest == recipe_digest(settings) and moved is None:
        return Unchanged(f"{wanted.title} is built{f', commit {commit[:12]}' if wanted.repo else ''}")
    before = "absent" if not digest else f"commit {commit[:12]}" if moved else "built in another way"
    content = f"{recipe_digest(settings)} {moved or 'to-be-built'}\n"
    whole = File("file", "0644", owner="root:root", content=content.encode())
    return Change(
        wanted.title,
        before,
        f"built, commit {moved[:12]}" if moved else "built",
        _script(settings, moved or ""),
        lambda probe: probe.with_file(marker, whole),
        why=f"{wanted.ref} has moved" if moved else "",
        consequence="downloads and builds some 2 GB, which takes minutes; what runs goes on meanwhile",
        notes=_pin_notes(settings),
    )


def _pin_notes(settings: HostSettings) -> tuple[str, ...]:
    wanted = settings.openhands_source
    if wanted.repo is not None or _is_locked(settings):
        return ()
    return (f"the npm dependencies of {wanted.title} are not pinned: npm takes the newest ones that fit",)


def _script(settings: HostSettings, moved: str) -> Script:
    wanted, locks = settings.openhands_source, _lockfiles(settings)
    shared = {"kind": wanted.generation, "repo": wanted.repo or "", "ref": wanted.ref}
    return step(
        "source_build",
        **shared,
        script=_builder_script(**shared, **{name: locks[name] for name in ("requirements", "poetry", "lock")}),
        builder=BUILDER,
        root=settings.openhands_root,
        moved=moved,
        recipe=recipe_digest(settings),
        user=settings.openhands_user,
        newest=locks["newest"],
        ports=" ".join(map(str, REHEARSAL_PORTS)),
        ready=generation_of(settings).ready,
        variables=_network_variables(settings),
        way=NETWORK_VARIABLES,
        config=paths.OPENHANDS_CONFIG,
    )


def _builder_script(**values: str) -> str:
    """The part that root does not run: whatever touches a checkout, npm or PyPI."""
    return Script(scripts.read("source_builder"), values).text
