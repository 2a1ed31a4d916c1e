"""The lab's own certificate authority, and the one server certificate that it signs for all names.

Both live in the cache: hosts that were made before trust the same authority tomorrow. Strict clients (Python's TLS
since 3.13) ask for critical basicConstraints and keyUsage in the authority and for its key identifier in what it signs.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.lab import cache
from tests.lab.internet.names import NAMES

LIFE = timedelta(days=3650)


def certificate() -> Path:
    """The authority's certificate (PEM): what a host has to trust to be in the lab's internet."""
    return cache.made("authority", _make_authority) / "ca.pem"


def server_certificate() -> tuple[Path, Path]:
    """(certificate chain, key) of the lab's server, good for every name in NAMES."""
    signer = certificate()
    place = cache.made(f"server-{cache.key(signer, *NAMES)}", _make_server)
    return place / "chain.pem", place / "key.pem"


def _make_authority(place: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("fleethands lab authority")
    usage = _usage(key_cert_sign=True, crl_sign=True)
    own = (
        _unsigned(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    _write_key(place / "ca.key", key)
    (place / "ca.pem").write_bytes(own.public_bytes(serialization.Encoding.PEM))


def _make_server(place: Path) -> None:
    signer_path = certificate()
    signer = x509.load_pem_x509_certificate(signer_path.read_bytes())
    signer_key = serialization.load_pem_private_key(signer_path.with_name("ca.key").read_bytes(), None)
    if not isinstance(signer_key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{signer_path.with_name('ca.key')} is not a key of the lab's making")
    key = ec.generate_private_key(ec.SECP256R1())
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer_key.public_key())
    own = (
        _unsigned(_name("fleethands lab"), signer.subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in NAMES]), critical=False)
        .sign(signer_key, hashes.SHA256())
    )
    _write_key(place / "key.pem", key)
    (place / "chain.pem").write_bytes(own.public_bytes(serialization.Encoding.PEM) + signer_path.read_bytes())


def _unsigned(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
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


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
