"""The certificate of a server: what it is good for, and whether an authority issued it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509

from fleethands.tls.checks import is_issued_by, why_not_exact, why_unnamed, why_untimely
from fleethands.tls.errors import TlsError
from fleethands.tls.names import find_names
from fleethands.tls.pem import encode_certificate, encode_key, has_key, read_certificates, read_key, reading

if TYPE_CHECKING:
    from fleethands.tls.authority import Authority

SOON = 14  # days before the end of a certificate that its owner has to renew
RENEW = timedelta(days=60)  # before its end, a certificate of an authority is issued again
MOST_ISSUED_KEY = 1024  # characters; it keeps a host from sending an RSA key whose check takes seconds


@dataclass(frozen=True)
class ServerCertificate:
    """
    What a TLS server reads.

    + chain_pem: its own certificate, then those that lead to an authority
    + key_pem: the private key of its own certificate
    """

    chain_pem: str
    key_pem: str = field(repr=False)

    @classmethod
    def read(cls, chain_pem: str, key_pem: str) -> ServerCertificate:
        """
        A certificate that a user brings, without all else that the two files have. Raises TlsError.

        Example: `ServerCertificate.read(Path("fullchain.pem").read_text(), Path("privkey.pem").read_text())`.
        """
        chain, key = read_certificates(chain_pem), read_key(key_pem)
        if not has_key(chain[0], key):
            with reading("its certificate cannot be read"):
                is_later = any(has_key(each, key) for each in chain)
            later = "the certificate of the server is not the first one of its chain"
            raise TlsError(later if is_later else "its key belongs to another certificate")
        return cls("".join(map(encode_certificate, chain)), encode_key(key))

    @staticmethod
    def read_chain(chain_pem: str) -> list[x509.Certificate]:
        """The certificates of a chain, that of the server first. Raises TlsError."""
        return read_certificates(chain_pem)

    @property
    def names(self) -> list[str]:
        """The names that clients may use. Raises TlsError."""
        with reading("it cannot be read"):
            return find_names(self._own)

    @property
    def ends(self) -> datetime:
        """When the server's own certificate expires, in UTC. Raises TlsError."""
        return self._own.not_valid_after_utc

    @property
    def _own(self) -> x509.Certificate:
        return read_certificates(self.chain_pem)[0]

    def days_left(self, now: datetime) -> int:
        """Whole days until the server's own certificate expires; below 0 after its end. Raises TlsError."""
        return (self.ends - now).days

    def why_unfit(self, names: Sequence[str], now: datetime, least_days: int = SOON) -> str:
        """
        Why a server with these names cannot use the certificate, as a clause; empty if it can.

        + least_days: days that it has to be valid from now
        """
        try:
            own, key = self._own, read_key(self.key_pem)
            if not has_key(own, key):
                return "its key belongs to another certificate"
            with reading("it cannot be read"):
                return why_untimely(own, now, timedelta(days=least_days)) or why_unnamed(own, names)
        except TlsError as error:
            return error.problem.message


def why_not_issued(chain_pem: str, key_pem: str, authority: Authority, names: Sequence[str], now: datetime) -> str:
    """
    Why the certificate of a host has to be issued again, as a clause; empty if it can stay.

    + chain_pem, key_pem: as a host sends them, so they may be anything
    + authority: the only one that may have issued it
    + names: exactly those that it must have
    """
    if len(key_pem) > MOST_ISSUED_KEY:
        return "its private key is larger than one that an authority issues"
    try:
        chain = read_certificates(chain_pem)
        if len(chain) > 1 or not is_issued_by(chain[0], authority.certificate):
            return "another authority issued it"
        with reading("it cannot be read"):
            least = min(RENEW, authority.ends - now)
            reason = why_untimely(chain[0], now, least) or why_not_exact(chain[0], names)
        if not reason and not has_key(chain[0], read_key(key_pem)):
            reason = "its key belongs to another certificate"
        return reason
    except TlsError as error:
        return error.problem.message
