"""The timer on a host that makes the proof each night and after each boot, without a controller."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import ABSENT, File
from fleethands.facts.units import Unit
from fleethands.operations.core import scripts
from fleethands.operations.core.decision import APPLY_HINT, Change, Decision, Place, Unchanged
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.operations.proof.proof import standing_proof
from fleethands.script import Script
from fleethands.settings import HostSettings

PRIVATE = (paths.OLLAMA_SECRETS, paths.OPENHANDS_ENVIRONMENT, paths.CANVAS_KEY, paths.SENTINEL_SECRETS)

FOLDER = File("directory", "0755", 0, 0, owner="root:root")


@dataclass(frozen=True)
class StartSentinel(HostScript, file="start_sentinel"):
    """
    Writes the files of the sentinel, and starts its timer.

    + secrets: text of the file with the webhook's address, its key and the proxy; empty for none
    + proof_link: the symlink to the proof's script
    """

    watcher: str
    proof: str
    secrets: str
    unit: str
    timer: str
    proof_path: str
    watcher_path: str = paths.SENTINEL_SCRIPT
    proof_link: str = paths.SENTINEL_PROOF
    secrets_path: str = paths.SENTINEL_SECRETS
    unit_path: str = paths.SENTINEL_UNIT
    timer_path: str = paths.SENTINEL_TIMER_UNIT


@dataclass(frozen=True)
class RemoveSentinel(HostScript, file="remove_sentinel"):
    """Stops the sentinel, and removes its files and results."""

    folder: str = paths.SENTINEL
    results: str = paths.SENTINEL_RESULTS
    unit_path: str = paths.SENTINEL_UNIT
    timer_path: str = paths.SENTINEL_TIMER_UNIT


@operation
def watch(settings: HostSettings, probe: Probe, host: str, unit: str, timer: str, secrets: str) -> Decision:
    """
    Make the proof by a timer.

    + host: its name in the inventory; empty for the name that the host has itself
    + unit, timer: texts of the units; secrets: text of the file with the secrets of the webhook, empty for none
    """
    texts = {
        paths.SENTINEL_SCRIPT: ("0600", _script_text(host)),
        paths.SENTINEL_UNIT: ("0644", unit),
        paths.SENTINEL_TIMER_UNIT: ("0644", timer),
        **({paths.SENTINEL_SECRETS: ("0600", secrets)} if secrets else {}),
    }
    files = {path: _file(mode, text) for path, (mode, text) in texts.items()}
    proof = _proof_text(settings)
    target = f"proof-{hashlib.sha256(proof.encode(errors='surrogateescape')).hexdigest()}.sh"
    files[paths.SENTINEL_PROOF] = File("link", target=target)
    files |= {} if secrets else {paths.SENTINEL_SECRETS: ABSENT}
    before = _difference(probe, files)
    if not before:
        return Unchanged(f"the proof is made each day at {settings.sentinel_at}, and after each boot")

    def predict(probe: Probe) -> Probe:
        for path, wanted in {**files, paths.SENTINEL: FOLDER}.items():
            probe = probe.with_file(path, wanted)
        active = Unit("loaded", "active", "waiting", "enabled", 0, False, (), paths.SENTINEL_TIMER_UNIT, 0, "success")
        return probe.replace(units={**probe.units, paths.SENTINEL_TIMER: active})

    script = StartSentinel(_script_text(host), proof, secrets, unit, timer, f"{paths.SENTINEL}/{target}").script
    after = f"each day at {settings.sentinel_at}, and after each boot"
    return Change("sentinel", before, after, script, predict, keeps_proof=True, place=Place.WITHIN)


@operation
def remove(settings: HostSettings, probe: Probe) -> Decision:
    """Make no proof by a timer, whatever is declared."""
    markers = (paths.SENTINEL, paths.SENTINEL_TIMER_UNIT)
    if all(probe.files[path].kind == "absent" for path in markers):
        return Unchanged("no timer makes the proof")

    def predict(probe: Probe) -> Probe:
        for path in (
            *markers,
            paths.SENTINEL_SCRIPT,
            paths.SENTINEL_PROOF,
            paths.SENTINEL_SECRETS,
            paths.SENTINEL_UNIT,
            paths.SENTINEL_STATE,
        ):
            probe = probe.with_file(path, ABSENT)
        return probe.replace(units={name: each for name, each in probe.units.items() if name != paths.SENTINEL_TIMER})

    script = RemoveSentinel().script
    return Change("sentinel", "there", "removed", script, predict, keeps_proof=True, place=Place.WITHIN)


def _file(mode: str, text: str) -> File:
    return File("file", mode, owner="root:root", content=text.encode(errors="surrogateescape"))


def _difference(probe: Probe, files: dict[str, File]) -> str:
    """How the host differs from the settings; empty if it does not."""
    if probe.files[paths.SENTINEL_TIMER_UNIT].kind == "absent":
        return "none"
    unequal = [path for path, wanted in files.items() if not _is_same(probe.files.get(path, ABSENT), wanted)]
    if unequal:
        return "differs: " + ", ".join(path.rpartition("/")[2] for path in sorted(unequal))
    timer = probe.units.get(paths.SENTINEL_TIMER)
    if timer is None or (timer.active, timer.enabled) != ("active", "enabled"):
        return "its timer does not run"
    return "systemd has not read its timer" if timer.need_reload else ""


def _is_same(found: File, wanted: File) -> bool:
    kept = ("kind", "mode", "owner", "content") if wanted.kind == "file" else ("kind", "target")
    return all(getattr(found, each) == getattr(wanted, each) for each in kept)


def _script_text(host: str) -> str:
    values = {
        "name": host,
        "proof": paths.SENTINEL_PROOF,
        "apply": APPLY_HINT,
        "results": paths.SENTINEL_RESULTS,
        "private": " ".join(PRIVATE),
        "run_lock": paths.RUN_LOCK,
        "manual_lock": paths.MANUAL_LOCK,
        "step_lock": paths.STEP_LOCK,
    }
    return _stored(Script(scripts.read("sentinel"), values))


def _proof_text(settings: HostSettings) -> str:
    """The proof's own script, with variables that follow from the settings alone."""
    return _stored(standing_proof(settings, record=paths.SENTINEL_LINKS))


def _stored(script: Script) -> str:
    """A script as a file on a host, without its comments."""
    lines = script.text.splitlines(keepends=True)
    return "# Written by fleethands.\n" + "".join(line for line in lines if not line.lstrip().startswith("#"))
