"""Who reaches what: containers of a host, neighbours with a route to them, and the table that closes it to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.lab.flavors import GUIDE, until
from tests.lab.host import Host
from tests.lab.lab import Lab

# the table is in the kernel, whole
WHOLE = """
whole() {
  table=$(nft --stateless list table inet fleethands 2>/dev/null) &&
    [ "$(printf %s "$table" | sha256sum | cut -d ' ' -f 1)" = "$(cut -d ' ' -f 2 /run/fleethands/firewall)" ]
}
whole_soon() { for try in $(seq 150); do whole && return; sleep 0.02; done; whole; }
"""


def gets(who: Host, url: str, container: str = "") -> bool:
    """Whether a host, or one of its containers, gets an answer there."""
    inside = f"docker exec {container} " if container else ""
    ask = f"{inside}curl -gs -o /dev/null --connect-timeout 2 --max-time 20 http://{url}"
    return who.run(ask, check=False).returncode == 0


def serve(host: Host, name: str, port: int, *published: str, network: str = "bridge") -> str:
    """Run a stand-in in a container that Docker restarts. Returns its address."""
    options = " ".join(f"--publish {each}" for each in published)
    python = f"--entrypoint python3 {GUIDE} -m http.server --bind :: {port}"
    host.run(f"docker run -d --name {name} --network {network} --restart always {options} {python}")
    return listens(host, name, port)


def listens(host: Host, name: str, port: int) -> str:
    """The address of a container, once something answers there."""
    address = f"docker inspect -f '{{{{range .NetworkSettings.Networks}}}}{{{{.IPAddress}}}}{{{{end}}}}' {name}"
    until(host, f"curl -s -o /dev/null --max-time 1 $({address}):{port}", 60)
    return host.run(address).stdout.strip()


@contextmanager
def routes(lab: Lab, host: Host, neighbour: Host, *networks: str) -> Iterator[None]:
    """The neighbor sends packets for these networks to the host, and nothing between them blocks that."""
    with lab.site.network.routed(*networks):
        for network in networks:
            via = host.address6 if ":" in network else host.address
            neighbour.run(f"ip route replace {network} via {via}")
        yield


def flushed(host: Host, words: str = "nft flush ruleset") -> None:
    """Flush all rules of the host, and wait until the firewall table is restored."""
    host.run(f"{WHOLE} {words}; whole_soon")
