"""The system: kernel, disks, packages and accounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fleethands.facts.framing import parse_fields, require_text
from fleethands.untrusted import count

Lines = list[str]
SYSTEM = frozenset({"uid", "arch", "kernel", "clock", "id", "version", "name", "systemd", "memory"})


@dataclass(frozen=True)
class System:
    """
    The operating system.

    + clock: the host's time, in seconds since 1970
    + skew: seconds by which that is ahead of the controller's clock; negative if it is behind
    + memory_kib: main memory and swap that are available, None if unknown
    + os_id, os_version, os_name: of /etc/os-release; systemd: `systemctl is-system-running`, None without systemd
    """

    uid: int
    arch: str
    kernel: str
    clock: int
    os_id: str
    os_version: str
    os_name: str
    systemd: str | None
    skew: int = 0
    memory_kib: int | None = None

    @property
    def wsl(self) -> bool:
        """Whether this is Windows' kernel, which has Microsoft in its name."""
        return "microsoft" in self.kernel.lower()


@dataclass(frozen=True)
class Space:
    """
    Free space of a directory, for a user other than root. Directories on one device share it.

    + kind: the file system, as stat(1) names it
    + runs: whether programs may be started from it
    """

    free_kib: int
    writable: bool
    device: str = ""
    kind: str = ""
    runs: bool = True


@dataclass(frozen=True)
class Account:
    """A user account."""

    uid: int
    gid: int
    home: str
    groups: frozenset[str]


@dataclass(frozen=True)
class Accounts:
    """The accounts that were asked for, by name, and the groups that exist."""

    users: Mapping[str, Account]
    groups: frozenset[str]


def system_parser(window: tuple[float, float] | None) -> Callable[[Lines], System]:
    """
    A parser for the section `system`.

    + window: the controller's clock before the request and after the answer, in seconds since 1970
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
            memory_kib=count(int(row["memory"])) if "memory" in row else None,
        )

    return read


def _skew(clock: int, window: tuple[float, float] | None) -> int:
    """Seconds by which the clock was outside of the window, at least; negative if it is behind."""
    if window is None:
        return 0
    asked, answered = window
    return clock - int(asked) if clock < int(asked) else max(0, clock - int(answered) - 1)


def disk_parser(places: Sequence[str]) -> Callable[[Lines], dict[str, Space]]:
    """A parser for the answer about these directories: all sizes, then all devices, then all modes."""

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
    """A parser for these packages: dpkg omits those that it does not know."""

    def read(lines: Lines) -> frozenset[str]:
        rows = [line.split(" ") for line in lines]
        states = {name: state for state, name in rows}
        if len(states) != len(rows) or not states.keys() <= set(known):
            raise ValueError("another package")
        return frozenset(name for name, state in states.items() if state == "installed")

    return read


def parse_accounts(lines: Lines) -> Accounts:
    """Parse the section `accounts`. Raises ValueError for an unknown line."""
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
