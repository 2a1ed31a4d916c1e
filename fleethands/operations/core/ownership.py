"""The ownership manifest of a host: what fleethands put there, and may remove again."""

from __future__ import annotations

from dataclasses import replace

from fleethands import paths
from fleethands.facts import Probe

HEADER = b"# Written by fleethands"  # the first line of each file that fleethands writes


def is_managed(probe: Probe, kind: str, name: str) -> bool:
    """Whether fleethands made a thing on this host: a `user`, a `directory` (or file), an `image`."""
    return f"{kind} {name}" in manifest(probe)


def managed(probe: Probe, kind: str) -> list[str]:
    """Names of all things of one kind that fleethands made on this host."""
    return [line.removeprefix(f"{kind} ") for line in manifest(probe) if line.startswith(f"{kind} ")]


def disown(probe: Probe, kind: str, name: str) -> Probe:
    """The predicted probe once the manifest no longer has that thing."""
    lines = (line for line in manifest(probe) if line != f"{kind} {name}")
    content = "".join(f"{line}\n" for line in lines).encode()
    return probe.with_file(paths.OWNERSHIP_MANIFEST, replace(probe.files[paths.OWNERSHIP_MANIFEST], content=content))


def manifest(probe: Probe) -> list[str]:
    """Its lines, each `KIND NAME`."""
    return (probe.files[paths.OWNERSHIP_MANIFEST].content or b"").decode(errors="replace").splitlines()


def is_written_by_fleethands(probe: Probe, path: str) -> bool:
    """Whether a file begins with the header of fleethands."""
    return (probe.files[path].content or b"").startswith(HEADER)
