"""systemd's units."""

from __future__ import annotations

from dataclasses import dataclass

Lines = list[str]


@dataclass(frozen=True)
class Unit:
    """
    Properties of a unit (`systemctl show`).

    + restarts: automatic ones since it was started; drop_ins, fragment: paths
    """

    load: str
    active: str
    sub: str
    enabled: str
    pid: int
    need_reload: bool
    drop_ins: tuple[str, ...]
    fragment: str
    restarts: int
    result: str


def parse_units(lines: Lines) -> dict[str, Unit]:
    """Parse the section `units`: name → unit. Raises ValueError, LookupError."""
    found: dict[str, Unit] = {}
    row: dict[str, str] = {}
    for line in [*lines, "Id="]:
        key, _, value = line.partition("=")
        # systemd prints the properties of each unit in its own order: a key that repeats begins the next unit
        if key in row or (key == "Id" and not value):
            found[row["Id"]] = _unit(row)
            row = {}
        row[key] = value
    return found


def _unit(row: dict[str, str]) -> Unit:
    return Unit(
        load=row["LoadState"],
        active=row["ActiveState"],
        sub=row["SubState"],
        enabled=row["UnitFileState"],
        pid=int(row.get("MainPID") or 0),
        need_reload=row["NeedDaemonReload"] == "yes",
        drop_ins=tuple(row["DropInPaths"].split()),
        fragment=row["FragmentPath"],
        restarts=int(row.get("NRestarts") or 0),
        result=row.get("Result", ""),
    )
