"""Debian's pebble: a real ACME server, which connects to port 80 of a lab host by a name server of its own."""

from __future__ import annotations

import json
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fleethands.tls.authority import Authority
from tests.lab.host import Host
from tests.lab.internet.process import Server
from tests.lab.lab import Lab

DIRECTORY, MANAGEMENT, NAMES, NAMES_MANAGEMENT = 14000, 15000, 8053, 8055
PACKAGES = ("pebble",)


@dataclass(frozen=True)
class Acme:
    """
    A running ACME server.

    + url: its directory
    + trust: the file with the root of its own certificate, and with that of the certificates that it issues
    + log: what it printed
    """

    url: str
    trust: Path
    log: Path

    @property
    def orders(self) -> int:
        """How many certificates clients asked for."""
        return self.log.read_text().count("Issued certificate serial")

    @property
    def requests(self) -> int:
        """How many requests it got."""
        return self.log.read_text().count(" -> calling handler()")


@contextmanager
def serving(lab: Lab, host: Host, folder: Path) -> Iterator[Acme]:
    """An ACME server for which every name leads to this host."""
    subprocess.run([Path(__file__).with_name("packages.sh"), *PACKAGES], check=True, timeout=300)
    at, trust = lab.gateway, folder / "acme.pem"
    authority = Authority.create("lab acme", datetime.now(UTC))
    issued = authority.issue((at,), datetime.now(UTC))
    (folder / "server.pem").write_text(issued.chain_pem)
    (folder / "server.key").write_text(issued.key_pem)
    trust.write_text(authority.certificate_pem)
    settings = {
        "listenAddress": f"{at}:{DIRECTORY}",
        "managementListenAddress": f"{at}:{MANAGEMENT}",
        "certificate": str(folder / "server.pem"),
        "privateKey": str(folder / "server.key"),
        "httpPort": 80,
        "tlsPort": 443,
    }
    (folder / "pebble.json").write_text(json.dumps({"pebble": settings}))
    names, server = Server("acme-names", folder), Server("acme", folder)
    off = ("-http01", "", "-https01", "", "-tlsalpn01", "")
    ways = ("-dns01", f"{at}:{NAMES}", "-management", f"{at}:{NAMES_MANAGEMENT}")
    try:
        names.start(["pebble-challtestsrv", *off, *ways, "-defaultIPv4", host.address, "-defaultIPv6", ""])
        quick = ("env", "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0", "PEBBLE_AUTHZREUSE=0")
        server.start([*quick, "pebble", "-config", folder / "pebble.json", "-dnsserver", f"{at}:{NAMES}"])
        root = _root(f"https://{at}:{MANAGEMENT}/roots/0", trust)
        trust.write_text(trust.read_text() + root)
        yield Acme(f"https://{at}:{DIRECTORY}/dir", trust, server.log)
    finally:
        server.stop()
        names.stop()


def _root(url: str, trust: Path) -> str:
    """The root of what it issues, which it creates at each start."""
    context = ssl.create_default_context(cafile=str(trust))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    end = time.monotonic() + 15
    while True:
        try:
            return str(opener.open(url, timeout=5).read().decode())
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
