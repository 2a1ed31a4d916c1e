"""An authority: the certificate and the private key that issue the certificates of servers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from fleethands.text.sanitize import sanitize_line
from fleethands.tls.build import build_authority, build_server, new_key
from fleethands.tls.checks import is_issued_by
from fleethands.tls.errors import TlsError
from fleethands.tls.pem import (
    PrivateKey,
    encode_certificate,
    encode_key,
    has_key,
    read_certificates,
    read_key,
    reading,
)
from fleethands.tls.server_certificate import ServerCertificate


@dataclass(frozen=True)
class Authority:
    """
    A certificate that clients trust, and the key that signs with it.

    Example: `Authority.read(Path("authority.pem").read_text()).issue(["gpu-1.example.com"], datetime.now(UTC))`.
    """

    certificate: x509.Certificate
    key: PrivateKey = field(repr=False, compare=False)

    @classmethod
    def create(cls, name: str, now: datetime) -> Authority:
        """
        A new authority, valid for ten years.

        + name: what clients show, of at most 64 bytes

        Raises TlsError for another name.
        """
        if not 0 < len(name.encode(errors="replace")) <= 64 or not name.isprintable():
            raise TlsError("expected printable text of 1 to 64 bytes")
        key = new_key()
        return cls(build_authority(name, key, now), key)

    @classmethod
    def read(cls, pem: str) -> Authority:
        """
        The authority of a file, valid or expired.

        + pem: its certificate and its key, in any order

        Raises TlsError.
        """
        certificates = read_certificates(pem)
        if len(certificates) > 1:
            raise TlsError("it has several certificates")
        key, certificate = read_key(pem), certificates[0]
        with reading("its certificate cannot be read"):
            if not has_key(certificate, key):
                raise TlsError("its private key does not belong to its certificate")
            if not _may_sign(certificate):
                raise TlsError("its certificate is not one of an authority")
        if not is_issued_by(certificate, certificate):
            raise TlsError("another authority issued its certificate, so clients cannot trust it alone")
        return cls(certificate, key)

    @property
    def pem(self) -> str:
        """The certificate and the private key, in the form that `read` takes."""
        return self.certificate_pem + encode_key(self.key)

    @property
    def certificate_pem(self) -> str:
        """The certificate alone: what clients trust."""
        return encode_certificate(self.certificate)

    @property
    def name(self) -> str:
        """The common name of the certificate, or its whole subject."""
        subject = self.certificate.subject
        common = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return sanitize_line(str(common[0].value) if common else subject.rfc4514_string())

    @property
    def ends(self) -> datetime:
        """When the certificate expires, in UTC."""
        return self.certificate.not_valid_after_utc

    @property
    def fingerprint(self) -> str:
        """The sha256 of the certificate, as openssl and browsers show it."""
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    def why_unusable(self, now: datetime) -> str:
        """Why the authority can issue nothing now, as a clause; empty if it can."""
        if now >= self.ends:
            return f"it ended on {self.ends:%Y-%m-%d}"
        begins = self.certificate.not_valid_before_utc
        return f"it begins on {begins:%Y-%m-%d}" if now < begins else ""

    def issue(self, names: Sequence[str], now: datetime) -> ServerCertificate:
        """
        A certificate with a new key for a server, valid for a year, but never longer than the authority.

        + names: DNS names and IP addresses, at least one

        Raises TlsError.
        """
        if reason := self.why_unusable(now):
            raise TlsError(reason)
        key = new_key()
        certificate = build_server(names, key, self.certificate, self.key, now)
        return ServerCertificate(encode_certificate(certificate), encode_key(key))


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return False
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:  # strict clients refuse it, such as Python's since 3.13
        return False
    return constraints.ca and usage.key_cert_sign
