"""Downloads part by part on lab-1: their rate, and what the host has of them."""

from __future__ import annotations

from tests.lab import observe
from tests.lab.host import Host

PARTS = "/var/lib/fleethands/artifacts"
LIMIT = 8 << 20  # bytes a second
SETTING = {"download_limit": "8 MiB/s"}


def wait_for_part(host: Host, mebibytes: int) -> None:
    """Until a growing part has this many MiB."""
    find = f"find {PARTS} -name '*.part' -size +{mebibytes - 1}M"
    host.run(f"until {find} 2>/dev/null | grep -q .; do sleep 0.05; done", timeout=90)


def measure_rate(host: Host, begin: int = 20, end: int = 90) -> float:
    """Bytes a second of a growing part between two sizes in MiB. curl lets some bytes pass at once at the start."""
    said = host.run(
        f"""await() {{ until found=$(find {PARTS} -name '*.part' -size +$1M -printf '%s' 2>/dev/null) &&
        [ -n "$found" ]; do sleep 0.02; done; echo "$found $(date +%s%N)"; }}; await {begin}; await {end}""",
        timeout=180,
    ).stdout
    (first, at_first), (last, at_last) = (map(int, line.split()) for line in said.splitlines())
    return (last - first) / ((at_last - at_first) / 1e9)


def list_parts(host: Host) -> list[str]:
    """What is in the directory of parts, and which units fetch."""
    units = "systemctl list-units --all --plain --no-legend 'fleethands-fetch-*' 'fleethands-pull-*'"
    return host.run(
        f"ls -A {PARTS} 2>/dev/null; ls -d {PARTS}/../handover 2>/dev/null; {units}", check=False
    ).stdout.split()


def assert_nothing_left(host: Host, container: str = "openhands-app") -> None:
    assert list_parts(host) == []
    assert observe.leftovers(host, container) == []
    assert host.run("find /run/fleethands -name 'fleethands-*'", check=False).stdout == ""
