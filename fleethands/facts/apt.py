"""What apt would do to install missing packages."""

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
    """A package and the version to install. `before` is the installed version, empty without one."""

    name: str
    version: str = ""
    before: str = ""


@dataclass(frozen=True)
class Apt:
    """
    A simulated installation, from the package lists that the host has.

    + wanted: the packages to install; the other fields are only set if there is one
    + has_lists: False before the first `apt-get update`: apt knows no package then
    + is_interrupted: dpkg was interrupted, and apt refuses to work until that is completed
    + is_late: apt did not answer within 20 s
    + size: bytes to download
    + error: apt's own message; is_unknown: apt knows no such package, for example because its lists are old
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
    """Parse the section `apt`. Raises ValueError for output that apt-get does not produce."""
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
    """Packages by kind: each list has a heading, then one package a line."""
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
    """Unmet dependencies, if apt lists them, then its error messages."""
    unmet = [line.strip() for line in said if re.match(rf" +{_NAME} : ", line)]
    return printable("; ".join([*unmet, *(line.removeprefix("E: ") for line in complaints)]), LONGEST)
