"""A neighbor that tries each port of each address of a host about five times a second."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from tests.lab.host import Host

WATCH = """
for address in {addresses}; do for port in {ports}; do
  while :; do
    timeout 0.2 bash -c "</dev/tcp/$address/$port" 2>/dev/null && echo "$address $port" >> /tmp/open
    sleep 0.01
  done &
done; done
wait
"""


@contextmanager
def watching(neighbour: Host, host: Host, ports: Iterable[int]) -> Iterator[Callable[[], set[str]]]:
    """What the neighbor found open on a host at any moment so far: `ADDRESS PORT`."""
    script = WATCH.format(addresses=f"{host.address} {host.address6}", ports=" ".join(map(str, ports)))
    neighbour.run("cat > /tmp/watch; : > /tmp/open; systemd-run --quiet --unit watch bash /tmp/watch", stdin=script)
    yield lambda: set(neighbour.run("sort -u /tmp/open").stdout.splitlines())
    neighbour.run("systemctl stop watch")


def seen(host: Host, *ports: int) -> str:
    """A command of the neighbour's that succeeds once it saw all these ports of a host open, over both protocols."""
    lines = [f"{address} {port}" for address in (host.address, host.address6) for port in ports]
    return " && ".join(f"grep -qxF '{line}' /tmp/open" for line in lines)
