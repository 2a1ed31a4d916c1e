"""Checks whether a host certificate is valid for a host, like OpenSSH (sshkey.c, 9.9)."""

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
    The certificate that a host shows.

    + authority: the key that signed it, decoded from known_hosts' form
    """

    authority: bytes
    _parsed: SSHCertificate
    _blob: bytes

    def fault(self, name: str) -> str:
        """
        Why the certificate is not valid for a host, as a clause; empty if it is valid.

        + name: the host's name for ssh, without its port; certificates are case-sensitive
        """
        names = [each.decode(errors="replace") for each in self._parsed.valid_principals]
        if self._parsed.type is not SSHCertificateType.HOST:
            return "is a user certificate"
        if self._parsed.critical_options:
            return "has unknown critical options"
        if not any(pattern(each).match(name) for each in names):
            return f"is for {sanitize(', '.join(names))[:LONGEST_NAMES] or 'no host'}, and not for {name}"
        return self._untimely() or self._unsigned()

    def _untimely(self) -> str:
        now = time.time()
        if now < self._parsed.valid_after:
            return f"is not valid before {_date(self._parsed.valid_after)}"
        return f"expired on {_date(self._parsed.valid_before)}" if now >= self._parsed.valid_before else ""

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
    """The certificate that a host shows with its key; None without a readable certificate."""
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
    """A key, decoded from known_hosts' form."""
    return b64decode(key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).split()[1])


def _date(seconds: int) -> str:
    """A date; a certificate may name a year that datetime can't hold."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
        return f"{seconds} s after 1970"
