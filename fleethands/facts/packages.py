"""Reads what apt would do to install what a host lacks."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fleethands.facts.framing import decode_base64, parse_fields
from fleethands.untrusted import printable

KINDS = {  # apt-private/private-output.cc, apt 2.6 and 3.0
    "The following NEW packages will be installed:": "installed",
    "The following packages will be upgraded:": "upgraded",
    "The following packages will be DOWNGRADED:": "downgraded",
    "The following packages will be REMOVED:": "removed",
    "The following held packages will be changed:": "held",
}
_NAME = r"[a-z0-9][a-z0-9+.:-]{0,99}"
_VERSION = r"[A-Za-z0-9.+~:-]{1,100}"
_ROW = re.compile(rf" +(?P<name>{_NAME})\*?(?: \((?P<version>{_VERSION})(?: => (?P<next>{_VERSION}))?\))?\s*\Z")
_FILE = re.compile(r"'[^']{1,4000}' \S{1,400} (?P<size>[0-9]{1,15}) ")
_UNKNOWN = re.compile(rf"E: (?:Unable to locate package {_NAME}|Package '{_NAME}' has no installation candidate)\Z")
LONGEST = 400  # characters of apt's complaint


@dataclass(frozen=True)
class Package:
    """before: the version that is installed now, empty where there is none."""

    name: str
    version: str = ""
    before: str = ""


@dataclass(frozen=True)
class Apt:
    """
    What apt would do, by the lists that the host has.

    + wanted: the packages that it was asked for; nothing else of this is known where that is empty
    + has_lists: False where it has never fetched its lists, so that it knows of no package
    + is_interrupted: dpkg was, and apt does nothing before that is completed
    + is_late: it gave no answer within 20 s
    + size: bytes to download
    + error: its own words where it would do nothing; is_unknown: it only knows of no such package, as with old lists
    """

    wanted: tuple[str, ...] = ()
    has_lists: bool = True
    is_interrupted: bool = False
    is_late: bool = False
    installed: tuple[Package, ...] = ()
    upgraded: tuple[Package, ...] = ()
    downgraded: tuple[Package, ...] = ()
    removed: tuple[Package, ...] = ()
    held: tuple[Package, ...] = ()
    size: int = 0
    error: str = ""
    is_unknown: bool = False


def parse_apt(lines: list[str]) -> Apt:
    """The section `apt`. Raises ValueError for what apt-get does not say."""
    row = parse_fields(lines, known=frozenset({"wanted", "dpkg", "lists", "said"}))
    wanted = tuple(row.get("wanted", "").split())
    if wrong := next((name for name in wanted if not re.fullmatch(_NAME, name)), None):
        raise ValueError(wrong[:100])
    if "said" not in row:
        return Apt(wanted, has_lists="lists" not in row, is_interrupted="dpkg" in row)
    said = decode_base64("apt", row["said"]).decode(errors="replace").split("\n")
    status = int(said[-1])
    if status == 124:
        return Apt(wanted, is_late=True)
    complaints = [line for line in said if line.startswith("E: ")]
    listed = _listed(said)
    return Apt(
        wanted,
        installed=listed["installed"],
        upgraded=listed["upgraded"],
        downgraded=listed["downgraded"],
        removed=listed["removed"],
        held=listed["held"],
        size=sum(int(file["size"]) for file in map(_FILE.match, said) if file),
        error=_error(said, complaints) if status else "",
        is_unknown=bool(complaints) and all(map(_UNKNOWN.match, complaints)),
    )


def _listed(said: list[str]) -> dict[str, tuple[Package, ...]]:
    """Each list that begins with a heading of its own and has a package a line."""
    found: dict[str, list[Package]] = {kind: [] for kind in KINDS.values()}
    kind = None
    for line in said:
        if not line.startswith(" "):
            kind = KINDS.get(line.rstrip())
        elif kind is not None:
            if (row := _ROW.match(line)) is None:
                raise ValueError(line[:100])
            version, following = row["version"] or "", row["next"]
            package = Package(row["name"], following, version) if following else Package(row["name"], version)
            found[kind].append(package)
    return {kind: tuple(packages) for kind, packages in found.items()}


def _error(said: list[str], complaints: list[str]) -> str:
    """What stands between packages, if it says that, and its complaints."""
    unmet = [line.strip() for line in said if re.match(rf" +{_NAME} : ", line)]
    return printable("; ".join([*unmet, *(line.removeprefix("E: ") for line in complaints)]), LONGEST)
