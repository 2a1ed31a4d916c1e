"""Sends the parts of a bundle that a host lacks, before anything else on the host changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fleethands import paths
from fleethands.bundle.bundle_set import BundleSet, open_bundles
from fleethands.bundle.index import PackedArtifact
from fleethands.facts import Probe
from fleethands.operations.artifacts.fetchers import FLOOR
from fleethands.operations.core.decision import Change, Decision, Refused, Unchanged
from fleethands.operations.core.download_note import describe_delivery
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.operations.delivery.needs import find_contents
from fleethands.operations.delivery.part_stream import PartStream
from fleethands.operations.system.packages import suite_of
from fleethands.script import Script
from fleethands.settings import HostSettings
from fleethands.settings.values.images import at_digest
from fleethands.text.format import format_size


@dataclass(frozen=True)
class DeliverParts(HostScript, file="deliver", parts=("part_store", "image_records", "neighbors")):
    """The variables of deliver.sh, which says what they mean."""

    rows: str
    images: str
    store: str = paths.ARTIFACTS
    place: str = paths.DELIVERY
    what: str = "bundle parts"
    floor: int = FLOOR


def check_bundle(settings: HostSettings, probe: Probe) -> Refused | None:
    """Refuse a host if its bundle lacks what it needs."""
    bundles = open_bundles(settings.pins.bundles)
    if bundles is None:
        return None
    problem = find_contents(settings, probe, bundles).problem
    if not problem:
        return None
    if "older bundle" in problem:
        return Refused(f"{bundles.names} {problem}", ("name that one too: --bundle OLD --bundle NEW",))
    create = f"create it again: fleethands bundle create INVENTORY -o FILE --suite {suite_of(probe)}"
    return Refused(f"{bundles.names} {problem}", (create, f"see what it has: fleethands bundle show {bundles.names}"))


@operation
def deliver(settings: HostSettings, probe: Probe, local: bool = False) -> Decision:
    """
    Send what the host lacks.

    + local: the host is this machine, which reads the file itself
    """
    bundles = open_bundles(settings.pins.bundles)
    if bundles is None:
        return Unchanged("no bundle was named")
    contents = find_contents(settings, probe, bundles)
    if contents.problem:
        return Refused(f"{bundles.names} {contents.problem}", ("see what it has: fleethands bundle show FILE",))
    if not contents.artifacts:
        return Unchanged("the host lacks nothing that a bundle has")
    if local and (odd := next((each.path for each in bundles.bundles if not _is_one_line(each.path)), None)):
        reason = f"{str(odd)!r}: the path of a bundle has to be one line without a blank at its end"
        return Refused(reason, ("copy the file to another path, and name that one",))
    digests = frozenset(digest for each in contents.artifacts for digest in each.parts)
    size = sum(bundles.sources[digest][1].size for digest in digests)
    return Change(
        "parts of the bundle",
        "missing",
        "on the host",
        _script(contents.artifacts, bundles, local),
        why="later steps need them",
        consequence=f"at most {format_size(size)} read on this machine" if local else describe_delivery(settings, size),
        stream=None if local else PartStream(bundles, digests),
        keeps_proof=True,
    )


def _is_one_line(path: Path) -> bool:
    """Whether a row of the script can end with a path."""
    text = str(path.absolute())
    return text.isprintable() and text == text.strip()


def _script(artifacts: Sequence[PackedArtifact], bundles: BundleSet, local: bool) -> Script:
    rows = "\n".join(row for each in artifacts for row in _rows(each, bundles, local))
    images = [f"{each.name} {at_digest(each.name, each.digest)}" for each in artifacts if each.kind == "image"]
    return replace(DeliverParts(rows, "\n".join(images)).script, talks=not local)


def _rows(artifact: PackedArtifact, bundles: BundleSet, local: bool) -> Iterator[str]:
    version = artifact.version if artifact.kind == "package" else "-"
    for digest in artifact.parts:
        bundle, part = bundles.sources[digest]
        place = f"{bundle.content_offset(part)} {bundle.path.absolute()}" if local else "- -"
        yield f"{digest} {part.size} {artifact.kind} {artifact.name} {version} {place}"
