"""Removes parts that a host kept for hosts that are added to its site later, once nothing asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import ABSENT, File
from fleethands.operations.core.decision import Change, Decision, Place, Unchanged
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.settings import HostSettings
from fleethands.settings.openhands import has_unknown_sandboxes, sandbox_image
from fleethands.settings.values.images import repository

RELEASE = "release ollama"
ALL = "all"


@dataclass(frozen=True)
class RemoveKept(HostScript, file="remove_kept", parts=("part_store",)):
    """The variables of remove_kept.sh, which says what they mean."""

    spare: str
    store: str = paths.ARTIFACTS


@operation
def remove_kept(settings: HostSettings, probe: Probe) -> Decision:
    """Remove what the host keeps without a reason: it keeps nothing now, or the artifact is not declared any more."""
    found = probe.files[paths.KEPT_PARTS]
    if found.kind == "absent":
        return Unchanged("no parts are kept")
    rows = (found.content or b"").decode(errors="replace").splitlines()
    kept = list(dict.fromkeys(row.rpartition(" ")[0] for row in rows))
    wanted = [each for each in kept if _is_wanted(settings, each)] if settings.keeps_parts else []
    if settings.keeps_parts and wanted == kept:
        return Unchanged("all kept parts are of declared artifacts")
    names = [each.partition(" ")[2] for each in kept if each not in wanted]
    return Change(
        "kept parts",
        ", ".join(names) or ALL,
        "removed",
        RemoveKept("\n".join(wanted)).script,
        lambda probe: probe.with_file(paths.KEPT_PARTS, _predict(rows, wanted)),
        why=_why(settings),
        consequence="a host that is added to the site later downloads them from the internet",
        keeps_proof=True,
        place=Place.WITHIN,
    )


def _is_wanted(settings: HostSettings, artifact: str) -> bool:
    kind, _, name = artifact.partition(" ")
    if kind == "image":
        return has_unknown_sandboxes(settings) or name in set(_images(settings))
    return artifact == RELEASE and settings.ollama_runtime == "service"


def _images(settings: HostSettings) -> Iterator[str]:
    for image in (settings.ollama_declared_image, settings.declared_image, sandbox_image(settings)):
        if image:
            yield repository(image)


def _predict(rows: list[str], wanted: list[str]) -> File:
    text = "".join(f"{row}\n" for row in rows if row.rpartition(" ")[0] in wanted)
    return File("file", owner="root:root", content=text.encode()) if text else ABSENT


def _why(settings: HostSettings) -> str:
    if not settings.shares:
        return "`share` is off"
    return "not declared any more" if settings.share_keep else "`share_keep` is off"
