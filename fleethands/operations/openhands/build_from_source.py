"""Builds OpenHands on its host, from upstream's release or a git checkout, as an unprivileged user."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import File
from fleethands.operations.core import scripts
from fleethands.operations.core.decision import Change, Decision, Unchanged
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.script import Script
from fleethands.settings import HostSettings
from fleethands.settings.generations import REHEARSAL_PORTS
from fleethands.settings.openhands import generation_of
from fleethands.text.systemd import file_assignment

BUILDER = "fleethands-build"  # its user
# Canvas' releases that newer dependencies break (FastAPI 0.142, agent-server 1.44) → date of the newest to use
NEWEST_DEPENDENCIES = {"1.16.0": "2026-09-01"}
# Variables for the access to packages and repositories, which the build uses too. Python and awk both read the pattern,
# so it only has syntax that both know.
NETWORK_VARIABLES = (
    "(https?|no|all|ftp)_proxy|(npm_config|pip|uv|poetry|git)_[a-z0-9_]+|ssl_cert_(file|dir)|node_extra_ca_certs|"
    "requests_ca_bundle|curl_ca_bundle"
)


@dataclass(frozen=True)
class BuildFromSource(HostScript, file="source_build", parts=("containers", "openhands")):
    """The variables of source_build/, whose first part says what they mean."""

    kind: str
    repo: str
    ref: str
    builder: str
    builder_script: str
    root: str
    moved: str
    recipe: str
    user: str
    newest: str
    ports: str
    ready: str
    variables: str
    way: str
    config: str


def _network_variables(settings: HostSettings) -> str:
    """Declared proxies, mirrors and authorities of Ollama and OpenHands, as a systemd environment file."""
    declared = {**settings.ollama_environment, **settings.openhands_variables}
    wanted = {name: value for name, value in declared.items() if re.fullmatch(NETWORK_VARIABLES, name, re.IGNORECASE)}
    return "".join(f"{file_assignment(name, value)}\n" for name, value in wanted.items())


def recipe_digest(settings: HostSettings) -> str:
    """Digest of what is built and how. If it changes, OpenHands is built again."""
    wanted = settings.openhands_source
    parts = (wanted.generation, wanted.repo or "", wanted.ref, *_lockfiles(settings).values(), settings.openhands_user)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _lockfiles(settings: HostSettings) -> dict[str, str]:
    """Pinned dependencies of a build: by hashes, or by a date if upstream names no versions."""
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
    """Recipe digest and commit (or release) of the host's build; empty without one."""
    words = (probe.files[str(settings.openhands_built)].content or b"").decode(errors="replace").split()
    return (words[0], words[1]) if len(words) == 2 else ("", "")


@operation
def build(settings: HostSettings, probe: Probe) -> Decision:
    """Build it while the old one runs. Whether a branch moved is only known if its repository was asked."""
    wanted, marker = settings.openhands_source, str(settings.openhands_built)
    digest, commit = _read_build(settings, probe)
    offer = probe.upstream.find("commit", wanted.title)
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
        consequence="downloads and builds some 2 GB, which takes minutes; OpenHands keeps running meanwhile",
        notes=_pin_notes(settings),
    )


def _pin_notes(settings: HostSettings) -> tuple[str, ...]:
    wanted = settings.openhands_source
    if wanted.repo is not None or _is_locked(settings):
        return ()
    return (f"the npm dependencies of {wanted.title} are not pinned: npm takes the newest ones that fit",)


def _script(settings: HostSettings, moved: str) -> Script:
    wanted, locks = settings.openhands_source, _lockfiles(settings)
    source = {"kind": wanted.generation, "repo": wanted.repo or "", "ref": wanted.ref}
    builder = _builder_script(**source, **{name: locks[name] for name in ("requirements", "poetry", "lock")})
    return BuildFromSource(
        **source,
        builder=BUILDER,
        builder_script=builder,
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
    ).script


def _builder_script(**values: str) -> str:
    """The script of the unprivileged builder: everything that touches a checkout, npm or PyPI."""
    return Script(scripts.read("source_builder"), values).text
