"""known_hosts files, read as OpenSSH reads them (sshd(8)); new keys are added whole or not at all."""

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
KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")  # paramiko's
# how a key signs, and so is asked for: an RSA key by its own name would with SHA-1
SIGNING = (*KINDS[:-1], "rsa-sha2-512", "rsa-sha2-256")
_WITH_PORT = re.compile(r"\[(.+)\]:[0-9]+\Z")
_HASHED = re.compile(r"\|1\|([A-Za-z0-9+/]{27}=)\|([A-Za-z0-9+/]{27}=)\Z")


@dataclass(frozen=True)
class KnownHostsLine:
    """One line of a file: a key, and whose it is. Its marker, if there is one, says that the key is no plain one."""

    path: Path
    number: int
    marker: str
    names: str
    kind: str
    key: bytes

    def __str__(self) -> str:
        return f"line {self.number} of {self.path}"

    def is_of(self, name: str) -> bool:
        """Whether the line is about a host: by its name, a pattern of names, or the hash of its name."""
        found = False
        for each in self.names.split(","):
            if each.startswith("!") and pattern(each[1:].lower()).match(name.lower()):
                return False
            found = found or _is_hash_of(each, name) or bool(pattern(each.lower()).match(name.lower()))
        return found


@dataclass(frozen=True)
class Verdict:
    """
    What files say of a key that a host shows.

    + status: known, new, changed or revoked; line: that says so, of a changed key the first that the host had
    + authority: the line of an authority whose certificates count for the host
    + fault: why the one that it shows does not, as a clause
    """

    status: str
    line: KnownHostsLine | None = None
    authority: KnownHostsLine | None = None
    fault: str = ""


class KnownHosts:
    """What several files say of hosts."""

    def __init__(self, lines: Iterable[KnownHostsLine]) -> None:
        self._lines = tuple(lines)

    @classmethod
    def load(cls, paths: Iterable[Path]) -> KnownHosts:
        """Those of the files that exist. Raises OSError."""
        return cls(line for path in paths for line in _lines(path))

    def known(self, name: str) -> list[KnownHostsLine]:
        """The keys of a host, in the order of the files, without those that are revoked."""
        return [line for line in self._lines_for(name, "") if self._revoked(name, line.key) is None]

    def key_types(self, name: str) -> list[str]:
        """Of the keys that a host is known by, the first first: those of its certificates, where one may be shown."""
        names = _names(name)
        certified = any(True for each in names for _ in self._lines_for(each, AUTHORITY))
        known = [line.kind for each in names for line in self.known(each)]
        return [*(f"{kind}{host_certificates.SUFFIX}" for kind in SIGNING if certified), *(dict.fromkeys(known))]

    def judge(self, name: str, key: PKey) -> Verdict:
        """
        Whether a host may show this key, with its certificate if there is one.

        What is known of its name alone counts for another port too, as far as it speaks for it (sshconnect.c,
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
        return (line for line in self._lines if line.marker == marker and line.is_of(name))

    def _revoked(self, name: str, key: bytes) -> KnownHostsLine | None:
        return next((line for line in self._lines_for(name, REVOKED) if line.key == key), None)


def entry_name(address: str, port: int) -> str:
    """What a host is called in known_hosts: another port than 22 is part of its name."""
    return address if port == SSH_PORT else f"[{address}]:{port}"


def _names(name: str) -> tuple[str, ...]:
    """What a host is called, and the same without its port."""
    match = _WITH_PORT.match(name)
    return (name, match[1]) if match else (name,)


def _outweighs(first: Verdict, other: Verdict) -> bool:
    """Whether what is known of a host's name alone says more than what is known of it with its port."""
    return other.status == "revoked" or (
        first.status == "new" and (other.status == "known" or (other.status == "new" and other.authority is not None))
    )


def append_keys(path: Path, keys: Iterable[tuple[str, PKey]]) -> None:
    """
    Append keys, in a file of mode 0600 that is replaced as a whole.

    + keys: name and key of each host

    Raises OSError; the file then is as it was.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():  # /dev/null, say, which is not to be replaced
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
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
    """A key names its type itself, at its begin (RFC 4253, 6.6)."""
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
