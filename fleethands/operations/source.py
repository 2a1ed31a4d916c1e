"""OpenHands built on its host, from upstream's release or a git checkout, as a service without a container."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from importlib.resources import files

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import ABSENT, File
from fleethands.facts.units import Unit
from fleethands.operations import diff, theirs
from fleethands.operations.change import Change, Decision, Same, operation, step
from fleethands.operations.openhands import READY_WITHIN, warnings
from fleethands.operations.removal import OURS, made, unmade
from fleethands.script import Script
from fleethands.settings import HostSettings
from fleethands.settings.openhands import REHEARSAL_PORTS, generation_of
from fleethands.systemd import file_assignment

# Canvas' releases whose dependencies have moved on since, to what they can't use: FastAPI 0.142 and agent-server 1.44
NEWEST_DEPENDENCIES = {"1.16.0": "2026-09-01"}
POETRY = "2.1.4 2025-11-20"  # with the newest that it may depend on; the rest is in the lock of the checkout
# variables that say how packages and repositories are reached, which also count where it is built
_ON_THE_WAY = re.compile(
    r"(https?|no|all|ftp)_proxy|(npm_config|pip|uv|poetry|git)_\w+|ssl_cert_(file|dir)|node_extra_ca_certs|"
    r"requests_ca_bundle|curl_ca_bundle",
    re.IGNORECASE,
)


def packages(settings: HostSettings) -> tuple[str, ...]:
    """What the distribution has of it."""
    return ("git", "python3-venv", "tmux", *(["make"] if settings.openhands_source.generation == "v0" else []))


def _way(settings: HostSettings) -> dict[str, str]:
    """Proxies, mirrors and authorities that are declared, for Ollama or for OpenHands."""
    declared = {**settings.ollama_environment, **settings.openhands_variables}
    return {name: value for name, value in declared.items() if _ON_THE_WAY.fullmatch(name)}


def recipe(settings: HostSettings) -> str:
    """Digest of what is built, and of how; with another one it is built anew."""
    wanted = settings.openhands_source
    parts = (wanted.generation, wanted.repo or "", wanted.ref, *_pins(), POETRY, settings.openhands_user)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _pins() -> tuple[str, str]:
    requirements = files("fleethands.operations").joinpath("scripts", "source.txt").read_text()
    return requirements, "".join(f"{release} {date}\n" for release, date in NEWEST_DEPENDENCIES.items())


def _built(settings: HostSettings, seen: Probe) -> tuple[str, str]:
    """Digest of the recipe and commit, or release, of what a host has built; empty where there is nothing."""
    words = (seen.files[str(settings.openhands_built)].content or b"").decode(errors="replace").split()
    return (words[0], words[1]) if len(words) == 2 else ("", "")


@operation
def built(settings: HostSettings, seen: Probe) -> Decision:
    """Have it built, beside what runs. A branch that moved is only known where its repository was asked."""
    wanted, marker = settings.openhands_source, str(settings.openhands_built)
    digest, commit = _built(settings, seen)
    offer = seen.upstream.of("commit", wanted.title)
    moved = offer.digest if offer is not None and offer.digest not in {None, commit} else None
    if digest == recipe(settings) and moved is None:
        return Same(f"{wanted.title} is built{f', commit {commit[:12]}' if wanted.repo else ''}")
    before = "absent" if not digest else f"commit {commit[:12]}" if moved else "built in another way"
    content = f"{recipe(settings)} {moved or 'to-be-built'}\n"
    whole = File("file", "0644", owner="root:root", content=content.encode())
    return Change(
        wanted.title,
        before,
        f"built, commit {moved[:12]}" if moved else "built",
        _script(settings, moved or ""),
        lambda probe: probe.with_file(marker, whole),
        why=f"{wanted.ref} has moved" if moved else "",
        consequence="downloads and builds some 2 GB, which takes minutes; what runs goes on meanwhile",
    )


def _script(settings: HostSettings, moved: str) -> Script:
    wanted, (requirements, newest) = settings.openhands_source, _pins()
    way = _way(settings)
    return step(
        "source_build",
        way,
        root=settings.openhands_root,
        kind=wanted.generation,
        repo=wanted.repo or "",
        ref=wanted.ref,
        moved=moved,
        recipe=recipe(settings),
        user=settings.openhands_user,
        requirements=requirements,
        poetry=POETRY,
        newest=newest,
        ports=" ".join(map(str, REHEARSAL_PORTS)),
        ready=generation_of(settings).ready,
        variables="".join(f"{file_assignment(name, value)}\n" for name, value in way.items()),
        config=paths.OPENHANDS_CONFIG,
    )


@operation
def serve(
    settings: HostSettings, seen: Probe, text: str, environment: str, config: str, shown: frozenset[str]
) -> Decision:
    """
    Have the service run from this unit. What was OpenHands before comes back if this is not ready, or not proven.

    + text: of the unit; environment: of its file of variables; config: of config.toml, empty where none is read
    + shown: names of variables that a diff may show
    """
    digest = _digest(text, settings, seen)
    started = (seen.files[paths.OPENHANDS_STARTED].content or b"").decode().strip()
    unit = seen.units.get(paths.OPENHANDS_SERVICE)
    wanted = {
        paths.OPENHANDS_UNIT: File("file", "0644", owner="root:root", content=text.encode()),
        paths.OPENHANDS_ENVIRONMENT: File(
            "file", "0600", owner="root:root", content=environment.encode(errors="surrogateescape")
        ),
    }
    if config:
        wanted[paths.OPENHANDS_CONFIG] = File("file", "0644", owner="root:root", content=config.encode())
    as_declared = started == digest and all(_same(seen.files[path], file) for path, file in wanted.items())
    runs = as_declared and unit is not None and (unit.active, unit.enabled) == ("active", "enabled")
    disowned = next((path for path in _own(settings) if seen.files[path].owner != _owner(settings)), None)
    if runs and disowned is None:
        return Same(f"{paths.OPENHANDS_SERVICE} runs from this unit", warnings(settings, seen))
    if refused := theirs.refusal(settings, seen):
        return refused
    there = seen.files[paths.OPENHANDS_UNIT].kind != "absent"
    away = "OpenHands is away until it answers; conversations under way end" if there or seen.docker.container else ""
    wrong = (
        f"running, but {disowned} does not belong to {settings.openhands_user}" if runs else _wrong(there, as_declared)
    )
    return Change(
        paths.OPENHANDS_SERVICE,
        wrong,
        settings.openhands_source.title,
        _serving(settings, seen, text, environment, config),
        lambda probe: _up(settings, probe, wanted, digest),
        consequence="; ".join(filter(None, (away, theirs.effect(seen)))),
        diff="".join(diff.unified(path, seen.files[path], file, shown) for path, file in wanted.items()),
        notes=warnings(settings, seen),
    )


def _serving(settings: HostSettings, seen: Probe, text: str, environment: str, config: str) -> Script:
    era = generation_of(settings)
    return step(
        "source_serve",
        unit=paths.OPENHANDS_UNIT,
        text=text,
        environment=environment,
        started=paths.OPENHANDS_STARTED,
        config=config,
        url=settings.openhands_url + era.ready,
        limit=str(READY_WITHIN),
        container=paths.CONTAINER,
        adopt="yes" if theirs.has_container(seen) else "no",
        key_file=paths.CANVAS_KEY if era.keyed else "",
        user=settings.openhands_user,
        own="\n".join(path for path in _own(settings) if path != era.directory),
        nested=era.directory,
    )


def _up(settings: HostSettings, probe: Probe, wanted: dict[str, File], digest: str) -> Probe:
    state = Unit("loaded", "active", "running", "enabled", -1, False, (), paths.OPENHANDS_UNIT, 0, "success")
    started = File("file", "0644", content=f"{digest}\n".encode())
    for path, file in {**wanted, paths.OPENHANDS_STARTED: started}.items():
        probe = probe.with_file(path, file)
    for path in _own(settings):
        there = File("directory", "0700") if probe.files[path] == ABSENT else probe.files[path]
        probe = probe.with_file(path, replace(there, uid=-1, gid=-1, owner=_owner(settings)))
    docker = replace(probe.docker, container=None)
    return probe.having(units={**probe.units, paths.OPENHANDS_SERVICE: state}, docker=docker)


def _wrong(there: bool, as_declared: bool) -> str:
    if not there:
        return "absent"
    return "not running" if as_declared else "another unit, other variables or another build"


def _own(settings: HostSettings) -> tuple[str, ...]:
    """The directories that the service works in."""
    era = generation_of(settings)
    return (*dict.fromkeys((era.home, era.directory)), str(settings.openhands_workspace))


def _owner(settings: HostSettings) -> str:
    return f"{settings.openhands_user}:{settings.openhands_user}"


def _same(found: File, wanted: File) -> bool:
    return (found.content, found.mode, found.owner) == (wanted.content, wanted.mode, wanted.owner)


def _digest(text: str, settings: HostSettings, seen: Probe) -> str:
    """What the unit writes down when it is started: of itself, and of what it starts."""
    built = seen.files[str(settings.openhands_built)].content or b""
    return hashlib.sha256(text.encode() + built).hexdigest()


@operation
def gone(settings: HostSettings, seen: Probe, why: str = "the setting `openhands_flavor` is off") -> Decision:
    """Have no service of ours; workspace and state stay."""
    if not is_there(seen):
        return Same("there is no service of ours")

    def then(probe: Probe) -> Probe:
        units = {name: unit for name, unit in probe.units.items() if name != paths.OPENHANDS_SERVICE}
        unit = () if theirs.has_unit(seen) else (paths.OPENHANDS_UNIT,)
        for path in (*unit, paths.OPENHANDS_ENVIRONMENT, paths.OPENHANDS_CONFIG):
            probe = probe.with_file(path, ABSENT)
        return unmade(probe.having(units=units), "directory", paths.OPENHANDS_SOURCE)

    files = f"{paths.OPENHANDS_ENVIRONMENT} {paths.OPENHANDS_CONFIG}"
    script = step("source_off", releases=paths.OPENHANDS_SOURCE, files=files)
    return Change(paths.OPENHANDS_SERVICE, "present", "gone", script, then, why=why)


def is_there(seen: Probe) -> bool:
    """Whether the host has a unit of ours, or what belongs to one."""
    files = (paths.OPENHANDS_ENVIRONMENT, paths.OPENHANDS_CONFIG)
    ours = (seen.files[paths.OPENHANDS_UNIT].content or b"").startswith(OURS)
    return ours or made(seen, "directory", paths.OPENHANDS_SOURCE) or any(seen.files[p].kind != "absent" for p in files)
