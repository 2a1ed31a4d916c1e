"""known_hosts files, parsed like OpenSSH does (sshd(8)), and updated in one step."""

from __future__ import annotations

import binascii
import errno
import hashlib
import hmac
import os
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from paramiko import PKey

from fleethands.files import PRIVATE, atomic_write
from fleethands.ssh import host_certificates
from fleethands.ssh.patterns import pattern

SSH_PORT = 22
REVOKED, AUTHORITY = "@revoked", "@cert-authority"
KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")  # of paramiko
# the signature types to ask a host for; an RSA key under its own name would sign with SHA-1
SIGNING = (*KINDS[:-1], "rsa-sha2-512", "rsa-sha2-256")
_WITH_PORT = re.compile(r"\[(.+)\]:[0-9]+\Z")
_SPECIAL = re.compile(r"[*?!|]")
_HASHED = re.compile(r"\|1\|([A-Za-z0-9+/]{27}=)\|([A-Za-z0-9+/]{27}=)\Z")


@dataclass(frozen=True)
class KnownHostsLine:
    """One line of a file: names of hosts, and their key. A marker means a revoked key or an authority."""

    path: Path
    number: int
    marker: str
    names: str
    kind: str
    key: bytes

    def __str__(self) -> str:
        return f"line {self.number} of {self.path}"

    @property
    def plain_names(self) -> list[str]:
        """Its names in lower case; empty for a line with a pattern or a hash."""
        return [] if _SPECIAL.search(self.names) else self.names.lower().split(",")

    def is_of(self, name: str) -> bool:
        """Whether the line applies to a host: by its name, a pattern, or a hash of its name."""
        found = False
        for each in self.names.split(","):
            if each.startswith("!") and pattern(each[1:].lower()).match(name.lower()):
                return False
            found = found or _is_hash_of(each, name) or bool(pattern(each.lower()).match(name.lower()))
        return found


@dataclass(frozen=True)
class Verdict:
    """
    The result of comparing a host's key with known_hosts.

    + status: known, new, changed or revoked; line: the line that decides; for a changed key the first known key
    + authority: the line of an authority for this host
    + fault: why the host's certificate is not valid, as a clause
    """

    status: str
    line: KnownHostsLine | None = None
    authority: KnownHostsLine | None = None
    fault: str = ""


class KnownHosts:
    """The lines of several known_hosts files."""

    def __init__(self, lines: Iterable[KnownHostsLine]) -> None:
        self._lines = tuple(lines)
        self._plain: dict[str, list[int]] = {}  # name → positions of the lines that only list names
        self._others: list[int] = []
        self._found: dict[str, tuple[KnownHostsLine, ...]] = {}
        for position, line in enumerate(self._lines):
            for each in line.plain_names:
                self._plain.setdefault(each, []).append(position)
            if not line.plain_names:
                self._others.append(position)

    @classmethod
    def load(cls, paths: Iterable[Path]) -> KnownHosts:
        """Load the files that exist. Raises OSError."""
        return cls(line for path in paths for line in _lines(path))

    def known(self, name: str) -> list[KnownHostsLine]:
        """The keys of a host that are not revoked, in the order of the files."""
        return [line for line in self._lines_for(name, "") if self._revoked(name, line.key) is None]

    def key_types(self, name: str) -> list[str]:
        """The key types to ask a host for: certificates first if an authority is known, then the types of its keys."""
        names = _names(name)
        certified = any(True for each in names for _ in self._lines_for(each, AUTHORITY))
        known = [line.kind for each in names for line in self.known(each)]
        return [*(f"{kind}{host_certificates.SUFFIX}" for kind in SIGNING if certified), *(dict.fromkeys(known))]

    def judge(self, name: str, key: PKey) -> Verdict:
        """
        Check a key that a host shows, with its certificate if there is one.

        A line for the host's name without port can also accept or revoke the key of another port (sshconnect.c,
        `check_host_key`, OpenSSH 9.9).
        """
        verdicts = [self._judge(each, key) for each in _names(name)]
        return next((each for each in verdicts[1:] if _outweighs(verdicts[0], each)), verdicts[0])

    def _judge(self, name: str, key: PKey) -> Verdict:
        shown = host_certificates.certificate_of(key)
        for each in (key.asbytes(), *([shown.authority] if shown else [])):
            if revoked := self._revoked(name, each):
                return Verdict("revoked", revoked)
        authorities = list(self._lines_for(name, AUTHORITY))
        signer = next((line for line in authorities if shown and line.key == shown.authority), None)
        fault = shown.fault(_names(name)[-1]) if shown and signer else ""
        if signer and not fault:
            return Verdict("known", signer)
        known = self.known(name)
        same = next((line for line in known if line.key == key.asbytes()), None)
        status = "known" if same else "changed" if known else "new"
        return Verdict(status, same or next(iter(known), None), signer or next(iter(authorities), None), fault)

    def _lines_for(self, name: str, marker: str) -> Iterator[KnownHostsLine]:
        return (line for line in self._lines_of(name) if line.marker == marker)

    def _lines_of(self, name: str) -> tuple[KnownHostsLine, ...]:
        """All lines for a host, in the order of the files. No host of a fleet searches the lines of all others."""
        found = self._found.get(name)
        if found is None:
            others = (position for position in self._others if self._lines[position].is_of(name))
            positions = sorted({*self._plain.get(name.lower(), ()), *others})
            found = self._found[name] = tuple(self._lines[position] for position in positions)
        return found

    def _revoked(self, name: str, key: bytes) -> KnownHostsLine | None:
        return next((line for line in self._lines_for(name, REVOKED) if line.key == key), None)


def entry_name(address: str, port: int) -> str:
    """The name of a host in known_hosts. A port other than 22 is part of the name."""
    return address if port == SSH_PORT else f"[{address}]:{port}"


def _names(name: str) -> tuple[str, ...]:
    """A host's name, and the same name without a port."""
    match = _WITH_PORT.match(name)
    return (name, match[1]) if match else (name,)


def _outweighs(first: Verdict, other: Verdict) -> bool:
    """Whether the result for a host's name without port wins over the result with the port."""
    return other.status == "revoked" or (
        first.status == "new" and (other.status == "known" or (other.status == "new" and other.authority is not None))
    )


def append_keys(path: Path, keys: Iterable[tuple[str, PKey]]) -> None:
    """
    Append keys, and replace the file in one step, with mode 0600.

    + keys: name and key of each host

    Raises OSError, and leaves the file unchanged.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():  # for example /dev/null
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = path.read_bytes() if path.exists() else b""
    separator = b"" if before.endswith(b"\n") or not before else b"\n"
    lines = "".join(f"{name} {key.get_name()} {key.get_base64()}\n" for name, key in dict.fromkeys(keys))
    atomic_write(path, before + separator + lines.encode(), PRIVATE)


def _lines(path: Path) -> Iterator[KnownHostsLine]:
    try:
        text = path.read_bytes().decode(errors="replace")
    except FileNotFoundError:
        return
    for number, row in enumerate(text.split("\n"), 1):
        words = row.split()
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        if len(words) < 3 or words[0].startswith("#") or marker not in {"", REVOKED, AUTHORITY}:
            continue
        names, kind, encoded = words[:3]
        key = _decode_key(kind, encoded)
        if key and (kind in KINDS or marker):
            yield KnownHostsLine(path, number, marker, names, kind, key)


def _decode_key(kind: str, encoded: str) -> bytes | None:
    """The decoded key. It begins with its type (RFC 4253, 6.6)."""
    try:
        key = b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if key.startswith(len(kind.encode()).to_bytes(4, "big") + kind.encode()) else None


def _is_hash_of(text: str, name: str) -> bool:
    hashed = _HASHED.match(text)
    if not hashed:
        return False
    salt = b64decode(hashed[1])
    digests = (hmac.new(salt, each.encode(), hashlib.sha1).digest() for each in {name, name.lower()})
    return any(b64encode(digest).decode() == hashed[2] for digest in digests)
