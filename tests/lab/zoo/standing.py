"""What exists on a host, and whether a run left foreign things alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from fleethands import paths
from tests.lab.host import Host

SCRIPT = Path(__file__).with_suffix(".sh")
Standing = Mapping[str, str]  # kind and name of a thing -> what must stay the same of it
UNITS = ("ollama.service", "openhands.service", "fleethands-")
OURS = (
    *(f"unit {name}" for name in UNITS),
    f"container /{paths.CONTAINER}",
    *("account ollama", "account openhands", "group ollama", "group openhands"),
    *(f"file {paths.UNITS}{name}" for name in UNITS if name != "ollama.service"),
    *(f"file {paths.BOOT_UNITS}{name}" for name in UNITS),
    f"file {paths.OLLAMA_UNIT}\t",
    f"file {paths.OLLAMA_UNIT}.d\t",
    f"file {paths.OLLAMA_OVERRIDE}",
    f"file {paths.UNITS}ollama.service.wants",
    f"file {paths.BINARY}\t",
    *(f"file {path}" for path in (paths.RELEASES, paths.OPENHANDS_HOME, "/etc/fleethands", paths.RECORDS)),
    f"file {paths.OLLAMA_HOME}",
)
# what comes with packages, and what apt and dpkg write about them
PACKAGED = ("file /etc/", "file /usr/", "file /var/lib/", "file /boot/", "account ", "group ", "unit ")
WRITTEN = ("file /var/lib/dpkg", "file /var/lib/apt", "file /var/cache/", "file /etc/ld.so.cache", "file /var/lib/ucf")


def standing(host: Host) -> Standing:
    """What exists on a host now."""
    lines = host.run("sh -s", stdin=SCRIPT.read_text()).stdout.splitlines()
    return dict(line.partition("\t")[::2] for line in lines)


def differing(before: Standing, after: Standing, ours: Iterable[str] = ()) -> dict[str, str]:
    """What was removed, added or changed, with both values, except managed things."""
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return {name: f"{before.get(name)} -> {after.get(name)}" for name in names if not _is_one(name, ours)}


def foreign(before: Standing, after: Standing, announced: Iterable[str] | None, ours: Iterable[str]) -> dict[str, str]:
    """
    The same for foreign things.

    + announced: packages that the plan lists; None if the plan says that they are unknown. Their files may be new, and
      nothing else may change
    + ours: things that the state itself adds
    """
    packages = ("package ",) if announced is None else tuple(f"package {name}\t" for name in announced)
    found = differing(before, after, [*OURS, *map(_as_line, ours), *(WRITTEN if packages else ())])
    come = {name for name in found if packages and name not in before and _is_one(name, packages + PACKAGED)}
    return {name: change for name, change in found.items() if name not in come}


def _as_line(word: str) -> str:
    return f"file {word}" if word.startswith("/") else word


def _is_one(name: str, ours: Iterable[str]) -> bool:
    return f"{name}\t".startswith(tuple(ours))
