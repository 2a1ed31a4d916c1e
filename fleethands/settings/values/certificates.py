"""The gateway's authority and certificate, as the controller has them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from fleethands.settings.host import HostSettings
from fleethands.settings.values.secret import Secret
from fleethands.tls.authority import Authority
from fleethands.tls.errors import TlsError
from fleethands.tls.pem import encode_certificate, read_certificates
from fleethands.tls.server_certificate import ServerCertificate

LARGEST = 1 << 20  # bytes of a file of certificates


def read_authority(secret: Secret) -> Authority:
    """A declared authority. Raises ValueError, whose text shows no secret, for one that can issue no certificate."""
    try:
        authority = Authority.read(secret.reveal())
    except TlsError as error:
        raise ValueError(f"expected a file of `fleethands authority create`: {error}") from None
    if why := authority.why_unusable(datetime.now(UTC)):
        raise ValueError(f"expected an authority that can issue certificates: {why}")
    return authority


def read_certificate(settings: HostSettings) -> ServerCertificate:
    """The declared certificate. Raises ValueError, which shows no secret, for one that clients would refuse."""
    path, key = settings.gateway_certificate, settings.gateway_key
    if path is None or key is None:
        raise ValueError("no certificate is declared")
    try:
        found = ServerCertificate.read(_read_text(path), key.reveal())
    except TlsError as error:
        raise ValueError(f"expected a certificate and its key in PEM: {error}") from None
    if why := found.why_unfit(settings.gateway_names, datetime.now(UTC), least_days=0):
        raise ValueError(f"expected a certificate for `gateway_names`: {why}")
    return found


def read_acme_trust(settings: HostSettings) -> str:
    """The root certificates of a private ACME authority in PEM; empty for a public one. Raises ValueError."""
    if settings.gateway_acme_trust is None:
        return ""
    try:
        return "".join(map(encode_certificate, read_certificates(_read_text(settings.gateway_acme_trust))))
    except TlsError as error:
        raise ValueError(f"expected certificates in PEM: {error}") from None


def _read_text(path: str) -> str:
    try:
        with Path(path).expanduser().open(encoding="utf-8") as file:
            return file.read(LARGEST)
    except OSError as error:
        raise ValueError(f"cannot read `{path}`: {error.strerror}") from None
    except RuntimeError:  # of `expanduser`
        raise ValueError(f"cannot read `{path}`: there is no such user on this machine") from None
    except UnicodeDecodeError:
        raise ValueError(f"cannot read `{path}`: it is not text") from None
