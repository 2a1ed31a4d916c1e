"""One bridge a lab: the hosts and the lab's internet on it, and nothing beyond it unless a test asks."""

from __future__ import annotations

import hashlib
import ipaddress
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab import cache, forwarding
from tests.lab.shell import run

RANGE = [ipaddress.IPv4Network(f"10.{second}.{third}.0/24") for second in range(90, 130) for third in range(256)]
RULES = """\
table inet {table}
delete table inet {table}
table inet {table} {{
    set outward {{
        type ipv4_addr
    }}
    set routed {{
        type ipv4_addr; flags interval;
    }}
    set routed6 {{
        type ipv6_addr; flags interval;
    }}
    chain inbound {{
        type filter hook prerouting priority raw; policy accept;
        iifname != "{bridge}" accept
        ip daddr {{ {network}, 224.0.0.0/4, 255.255.255.255 }} accept
        ip6 daddr {{ {network6}, fe80::/10, ff00::/8 }} accept
        ip saddr @outward accept
        ip daddr @routed accept
        ip6 daddr @routed6 accept
        reject with icmpx admin-prohibited
    }}
    chain outbound {{
        type nat hook postrouting priority srcnat; policy accept;
        ip saddr @outward oifname != "{bridge}" masquerade
    }}
}}
"""


class Network:
    """The network of the lab `ident`; its /24 is remembered in `memory`."""

    def __init__(self, ident: str, memory: Path) -> None:
        self.ident = ident
        self.memory = memory
        self.bridge = f"fh{ident}"
        self.table = f"fleethands_lab_{ident}"
        digest = hashlib.sha256(ident.encode()).hexdigest()
        self.network6 = ipaddress.IPv6Network(f"fd{digest[:2]}:{digest[2:6]}:{digest[6:10]}::/64")

    @property
    def network(self) -> ipaddress.IPv4Network:
        """The /24 as remembered; LookupError where this lab never had one."""
        try:
            return ipaddress.IPv4Network(json.loads(self.memory.read_text())["network"])
        except FileNotFoundError:
            raise LookupError("this lab was never up, it has no network yet") from None

    @property
    def gateway(self) -> str:
        """This machine's own address on the bridge, where the lab's internet answers."""
        return str(self.network[1])

    @property
    def gateway6(self) -> str:
        """The same over IPv6."""
        return str(self.network6[1])

    def address(self, number: int) -> str:
        """The address of lab-`number`."""
        return str(self.network[10 + number])

    def address6(self, number: int) -> str:
        """The same over IPv6; ends in the same digits."""
        return str(self.network6[int(str(10 + number), 16)])

    def up(self) -> None:
        """Bridge, addresses and rules are there; what is as it should be stays untouched."""
        with cache.lock("network"):
            if not self._has_addresses():
                run("ip", "link", "delete", self.bridge, check=False)
                self._remember(self._free())
                self._make_bridge()
            if run("nft", "list", "table", "inet", self.table, check=False).returncode:
                rules = RULES.format(**self.__dict__, network=self.network)
                run("nft", "--file", "-", stdin=rules)

    def down(self) -> None:
        """Nothing of it is left, and this machine forwards no more than it did before."""
        with cache.lock("network"):
            for veth in Path("/sys/class/net").glob(f"vb-{self.bridge}-*"):
                run("ip", "link", "delete", veth.name, check=False)
            forwarding.release(self.ident)
            for words in (["nft", "delete", "table", "inet", self.table], ["ip", "link", "delete", self.bridge]):
                run(*words, check=False)

    def plug(self, veth: str) -> None:
        """Put a host's cable into the bridge."""
        run("ip", "link", "set", veth, "master", self.bridge, "up")

    def unplug(self, veth: str) -> None:
        """Pull a host's cable out of the bridge, so that it answers no one."""
        run("ip", "link", "set", veth, "nomaster")

    def outward(self, address: str, on: bool) -> None:
        """Let one host reach what this machine reaches, or no more."""
        run("nft", "add" if on else "delete", "element", "inet", self.table, "outward", f"{{ {address} }}")
        if on:
            forwarding.ask(self.ident)
        elif "elements" not in run("nft", "list", "set", "inet", self.table, "outward").stdout:
            forwarding.release(self.ident)

    @contextmanager
    def routed(self, *networks: str) -> Iterator[None]:
        """
        During a `with`, hosts forward packets to these networks, as a switch without address checks does. So a host
        with a route reaches what is behind another host.
        """
        sets = {network: "routed6" if ":" in network else "routed" for network in networks}
        for network, name in sets.items():
            run("nft", "add", "element", "inet", self.table, name, f"{{ {network} }}")
        try:
            yield
        finally:
            for network, name in sets.items():
                run("nft", "delete", "element", "inet", self.table, name, f"{{ {network} }}")

    def _has_addresses(self) -> bool:
        shown = run("ip", "-json", "address", "show", "dev", self.bridge, check=False)
        if shown.returncode or not self.memory.exists():
            return False
        found = {entry["local"] for link in json.loads(shown.stdout) for entry in link.get("addr_info", ())}
        return {self.gateway, self.gateway6} <= found

    def _make_bridge(self) -> None:
        run("ip", "link", "add", self.bridge, "type", "bridge")
        Path(f"/proc/sys/net/ipv6/conf/{self.bridge}/disable_ipv6").write_text("0")
        for family in ("ipv4", "ipv6"):  # a host that boots is found at once
            Path(f"/proc/sys/net/{family}/neigh/{self.bridge}/retrans_time_ms").write_text("100")
        run("ip", "address", "add", f"{self.gateway}/24", "dev", self.bridge)
        run("ip", "address", "add", f"{self.gateway6}/64", "dev", self.bridge, "nodad")
        run("ip", "link", "set", self.bridge, "up")

    def _free(self) -> ipaddress.IPv4Network:
        """The /24 that this lab had, else one of its own choice, that no route of this machine touches."""
        routes = json.loads(run("ip", "-4", "-json", "route", "show", "table", "all").stdout)
        taken = [ipaddress.IPv4Network(route["dst"]) for route in routes if route["dst"] != "default"]
        start = int(self.ident, 16) % len(RANGE)
        wishes = [*([self.network] if self.memory.exists() else []), *RANGE[start:], *RANGE[:start]]
        return next(wish for wish in wishes if not any(wish.overlaps(other) for other in taken))

    def _remember(self, network: ipaddress.IPv4Network) -> None:
        known = {"bridge": self.bridge, "network": str(network), "network6": str(self.network6)}
        self.memory.write_text(json.dumps(known, indent=2) + "\n")
