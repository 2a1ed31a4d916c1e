"""A host's way to real packages: what this machine itself uses to get at them, for the time of one test."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab import cache, sources

if TYPE_CHECKING:
    from tests.lab.host import Host

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
CERTIFICATES = "/usr/local/share/ca-certificates/outward"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n", re.DOTALL)
CLOSE = f"""\
rm -rf {CERTIFICATES} /etc/environment /var/lib/apt/lists/*
: >/etc/apt/sources.list
: >/etc/resolv.conf
update-ca-certificates --fresh
"""


def open_up(host: Host) -> None:
    """Give the host this machine's name servers, Debian sources, proxies and the authorities it trusts."""
    archives = [line.replace("deb ", f"deb [signed-by={KEYRING}] ") for line in sources.debian(host.suite)]
    if not archives:
        raise LookupError("this machine gets its packages from no Debian archive that a host could use")
    files = {
        "/etc/resolv.conf": _name_servers(),
        "/etc/apt/sources.list": "\n".join(archives) + "\n",
        "/etc/environment": _proxies(),
        **{f"{CERTIFICATES}/{cache.key(pem)}.crt": pem for pem in _authorities(host)},
    }
    script = [f"set -e; mkdir -p {CERTIFICATES}"]
    script += [f"printf %s {shlex.quote(text)} >{path}" for path, text in files.items()]
    host.run("sh -s", stdin="\n".join([*script, "update-ca-certificates"]))


def close(host: Host) -> None:
    """Take all of it back; a host that is off forgets it with its disk."""
    if host.is_up():
        host.run("sh -s", stdin=CLOSE)


def _name_servers() -> str:
    """Those of this machine, and where it asks a resolver of its own, those which that one asks."""
    behind = Path("/run/systemd/resolve/resolv.conf")
    return (behind if behind.exists() else Path("/etc/resolv.conf")).read_text()


def _proxies() -> str:
    names = ("http_proxy", "https_proxy", "no_proxy")
    return "".join(f"{name}={os.environ[name]}\n" for name in names if name in os.environ)


def _authorities(host: Host) -> list[str]:
    """What this machine trusts and the host does not."""
    bundle = Path(os.environ.get("SSL_CERT_FILE", BUNDLE))
    trusted = set(PEM.findall(host.run(f"cat {BUNDLE}").stdout))
    return [pem for pem in PEM.findall(bundle.read_text()) if pem not in trusted]
