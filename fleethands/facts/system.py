"""Reads the system: its disks, packages and accounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fleethands.facts.framing import parse_fields, require_text

Lines = list[str]
SYSTEM = frozenset({"uid", "arch", "kernel", "clock", "id", "version", "name", "systemd"})


@dataclass(frozen=True)
class System:
    """clock: seconds since 1970; skew: how far it is ahead of the controller's, or behind (negative), in seconds."""

    uid: int
    arch: str
    kernel: str
    clock: int
    os_id: str
    os_version: str
    os_name: str
    systemd: str | None
    skew: int = 0

    @property
    def wsl(self) -> bool:
        """Windows' kernel names itself."""
        return "microsoft" in self.kernel.lower()


@dataclass(frozen=True)
class Space:
    """
    Room for a user that is not root; places of one device share it.

    + kind: of the file system, as stat(1) names it
    + runs: whether programs may be started from there
    """

    free_kib: int
    writable: bool
    device: str = ""
    kind: str = ""
    runs: bool = True


@dataclass(frozen=True)
class Account:
    uid: int
    gid: int
    home: str
    groups: frozenset[str]


@dataclass(frozen=True)
class Accounts:
    users: Mapping[str, Account]
    groups: frozenset[str]


def system_parser(window: tuple[float, float] | None) -> Callable[[Lines], System]:
    """
    A reader for the system.

    + window: the controller's clock before it asked and after it was answered, in seconds
    """

    def read(lines: Lines) -> System:
        row = parse_fields(lines, known=SYSTEM)
        clock = int(row["clock"])
        return System(
            uid=int(row["uid"]),
            arch=require_text(row["arch"]),
            kernel=require_text(row["kernel"]),
            clock=clock,
            os_id=row.get("id", ""),
            os_version=row.get("version", ""),
            os_name=row.get("name", ""),
            systemd=row.get("systemd"),
            skew=_skew(clock, window),
        )

    return read


def _skew(clock: int, window: tuple[float, float] | None) -> int:
    """Seconds by which a clock can't have been between two moments; negative when it is behind."""
    if window is None:
        return 0
    asked, answered = window
    return clock - int(asked) if clock < int(asked) else max(0, clock - int(answered) - 1)


def disk_parser(places: Sequence[str]) -> Callable[[Lines], dict[str, Space]]:
    """A reader for the places that were asked for: all their sizes, then their devices, then their modes."""

    def read(lines: Lines) -> dict[str, Space]:
        count = len(places)
        if len(lines) != 3 * count:
            raise ValueError(len(lines))
        found = {}
        for place, size, device, rights in zip(places, lines, lines[count:], lines[2 * count :], strict=False):
            blocks, block_size, kind = size.split(" ", 2)
            mode, *noexec = rights.split(",")
            if mode not in {"writable", "read-only"} or noexec not in ([], ["noexec"]):
                raise ValueError(rights)
            found[place] = Space(
                int(blocks) * int(block_size) // 1024, mode == "writable", str(int(device)), kind, not noexec
            )
        return found

    return read


def package_parser(known: Sequence[str]) -> Callable[[Lines], frozenset[str]]:
    """A reader for the packages that were asked for; dpkg leaves out those it has never heard of."""

    def read(lines: Lines) -> frozenset[str]:
        rows = [line.split(" ") for line in lines]
        states = {name: state for state, name in rows}
        if len(states) != len(rows) or not states.keys() <= set(known):
            raise ValueError("another package")
        return frozenset(name for name, state in states.items() if state == "installed")

    return read


def parse_accounts(lines: Lines) -> Accounts:
    users: dict[str, Account] = {}
    groups = set()
    for line in lines:
        kind, rest = line.split(" ", 1)
        if kind == "group":
            groups.add(rest.split(":")[0])
        elif kind == "user":
            member_of, entry = rest.split(" ", 1)
            name, _, uid, gid, _, home, _ = entry.split(":")
            users[name] = Account(int(uid), int(gid), home, frozenset(member_of.split(",")))
        else:
            raise ValueError(kind)
    return Accounts(users, frozenset(groups))
