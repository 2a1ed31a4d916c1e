"""Reads the system and its disks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fleethands.facts.probe import Space, System
from fleethands.facts.protocol import fields, word

Lines = list[str]
SYSTEM = frozenset({"uid", "arch", "kernel", "clock", "id", "version", "name", "systemd"})


def system(window: tuple[float, float] | None) -> Callable[[Lines], System]:
    """
    A reader for the system.

    + window: the controller's clock before it asked and after it was answered, in seconds
    """

    def read(lines: Lines) -> System:
        row = fields(lines, known=SYSTEM)
        clock = int(row["clock"])
        return System(
            uid=int(row["uid"]),
            arch=word(row["arch"]),
            kernel=word(row["kernel"]),
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


def disk(places: Sequence[str]) -> Callable[[Lines], dict[str, Space]]:
    """A reader for the places that were asked for: all their sizes, then their devices, then their modes."""

    def read(lines: Lines) -> dict[str, Space]:
        count = len(places)
        if len(lines) != 3 * count:
            raise ValueError(len(lines))
        found = {}
        for place, size, device, mode in zip(places, lines, lines[count:], lines[2 * count :], strict=False):
            blocks, block_size = size.split(" ")
            if mode not in {"writable", "read-only"}:
                raise ValueError(mode)
            found[place] = Space(int(blocks) * int(block_size) // 1024, mode == "writable", str(int(device)))
        return found

    return read
