"""Makes certificates. Strict clients (Python since 3.13) need each of these extensions (RFC 5280)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fleethands.tls.errors import TlsError
from fleethands.tls.names import general_name
from fleethands.tls.pem import PrivateKey

AUTHORITY_LIFE = timedelta(days=3650)
SERVER_LIFE = timedelta(days=365)
SLOW_CLOCK = timedelta(days=1)  # clocks of hosts and clients may be behind
LONGEST_COMMON_NAME = 64  # RFC 5280, ub-common-name


def new_key() -> ec.EllipticCurvePrivateKey:
    """A key that every client knows."""
    return ec.generate_private_key(ec.SECP256R1())


def build_authority(name: str, key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    """A certificate that is signed by its own key, and issues those of servers alone."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        _begin(key, now)
        .subject_name(subject)
        .issuer_name(subject)
        .not_valid_after(_whole(now) + AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(key_cert_sign=True, crl_sign=True), critical=True)
    )
    return builder.sign(key, hashes.SHA256())


def build_server(
    names: Sequence[str],
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate,
    issuer_key: PrivateKey,
    now: datetime,
) -> x509.Certificate:
    """The certificate of a server with these names. Raises TlsError for no names, and for names that no server has."""
    if not names:
        raise TlsError("a certificate needs a name")
    wanted = list(dict.fromkeys(general_name(each) for each in names))
    subject = _subject(wanted)
    builder = (
        _begin(key, now)
        .subject_name(subject)
        .issuer_name(issuer.subject)
        .not_valid_after(min(_whole(now) + SERVER_LIFE, issuer.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(wanted), critical=not subject)
        .add_extension(_issuer_identifier(issuer, issuer_key), critical=False)
    )
    return builder.sign(issuer_key, None if isinstance(issuer_key, Ed25519PrivateKey) else hashes.SHA256())


def _begin(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .public_key(key.public_key())
        .not_valid_before(_whole(now) - SLOW_CLOCK)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _whole(now: datetime) -> datetime:
    """A time as certificates have it: UTC, in whole seconds."""
    return now.astimezone(UTC).replace(microsecond=0)


def _subject(names: Sequence[x509.DNSName | x509.IPAddress]) -> x509.Name:
    """The first name that is short enough, for people who read the certificate. Clients ignore it."""
    short = [text for each in names if len(text := str(each.value)) <= LONGEST_COMMON_NAME]
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text) for text in short[:1]])


def _issuer_identifier(issuer: x509.Certificate, key: PrivateKey) -> x509.AuthorityKeyIdentifier:
    """OpenSSL finds no issuer whose own identifier is another one."""
    try:
        own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def key_usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    """What the key of a certificate is for, and nothing else."""
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
