"""Certificates of hosts: whether one stands for a host, as OpenSSH judges it (sshkey.c, 9.9)."""

from __future__ import annotations

import time
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.hazmat.primitives.serialization.ssh import (
    SSHCertificate,
    SSHCertificateType,
    SSHCertPublicKeyTypes,
    load_ssh_public_identity,
)
from paramiko import PKey

from fleethands.ssh.patterns import pattern
from fleethands.text.sanitize import sanitize

SUFFIX = "-cert-v01@openssh.com"
LONGEST_NAMES = 200  # characters of a certificate's names in an error


@dataclass(frozen=True)
class Certificate:
    """
    What a host shows in the place of a plain key.

    + authority: the key that signed it, as known_hosts has it decoded
    """

    authority: bytes
    _parsed: SSHCertificate
    _blob: bytes

    def fault(self, name: str) -> str:
        """
        Why it does not stand for a host, as a clause; empty where it does.

        + name: the host's, as ssh has it and without its port; in a certificate, case counts
        """
        names = [each.decode(errors="replace") for each in self._parsed.valid_principals]
        if self._parsed.type is not SSHCertificateType.HOST:
            return "is one of a user"
        if self._parsed.critical_options:
            return "has options that nobody here knows"
        if not any(pattern(each).match(name) for each in names):
            return f"is for {sanitize(', '.join(names))[:LONGEST_NAMES] or 'nobody'}, and not for {name}"
        return self._untimely() or self._unsigned()

    def _untimely(self) -> str:
        now = time.time()
        if now < self._parsed.valid_after:
            return f"does not count before {_date(self._parsed.valid_after)}"
        return f"ended on {_date(self._parsed.valid_before)}" if now >= self._parsed.valid_before else ""

    def _unsigned(self) -> str:
        signer = self._parsed.signature_key()
        if isinstance(signer, RSAPublicKey):
            end = len(self._blob) - (signer.key_size + 7) // 8 - 4
            if self._blob[:end].endswith(b"\0\0\0\x07ssh-rsa"):
                return "is signed with SHA-1"
        try:
            self._parsed.verify_cert_signature()
        except (InvalidSignature, ValueError):
            return "is not signed by that authority"
        return ""


def certificate_of(key: PKey) -> Certificate | None:
    """The certificate that a host shows with its key; None where it shows none, or none that can be read."""
    blob = key.public_blob
    if blob is None:
        return None
    try:
        parsed = load_ssh_public_identity(f"{blob.key_type} ".encode() + b64encode(blob.key_blob))
        if not isinstance(parsed, SSHCertificate):
            return None
        authority, own = _encode_key(parsed.signature_key()), _encode_key(parsed.public_key())
    except (ValueError, UnsupportedAlgorithm):
        return None
    return Certificate(authority, parsed, blob.key_blob) if own == key.asbytes() else None


def _encode_key(key: SSHCertPublicKeyTypes) -> bytes:
    """A key as known_hosts has it decoded."""
    return b64decode(key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).split()[1])


def _date(seconds: int) -> str:
    """Of a certificate that never begins, the year may be beyond all calendars."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
        return f"{seconds} s after 1970"
