"""Certificates and keys as others make them: expired ones, odd ones, ones of other authorities."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from fleethands.tls.authority import Authority
from fleethands.tls.build import key_usage

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | dsa.DSAPrivateKey
Extensions = Sequence[tuple[x509.ExtensionType, bool]]


def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def key_text(key: Key, layout: PrivateFormat = PrivateFormat.PKCS8, password: str = "") -> str:
    """A private key as PEM, encrypted if there is a password."""
    protection = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, layout, protection).decode()


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def is_authority(*, ca: bool = True) -> tuple[x509.ExtensionType, bool]:
    return x509.BasicConstraints(ca=ca, path_length=None), True


def signs() -> tuple[x509.ExtensionType, bool]:
    """The key usage of an authority."""
    return key_usage(key_cert_sign=True, crl_sign=True), True


def for_names(*names: x509.GeneralName) -> tuple[x509.ExtensionType, bool]:
    return x509.SubjectAlternativeName(names), False


def certificate(
    key: Key,
    now: datetime,
    *extensions: tuple[x509.ExtensionType, bool],
    issuer: Authority | None = None,
    days: float = 90,
    begins: datetime | None = None,
) -> x509.Certificate:
    """
    A certificate with these extensions alone.

    + issuer: the authority that signs it; None signs it with its own key
    + days: from now to its end
    """
    signer = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(name("a server"))
        .issuer_name(issuer.certificate.subject if issuer else name("a server"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins or now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=days))
    )
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    return builder.sign(signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256())


def text(*certificates: x509.Certificate) -> str:
    """A chain as PEM."""
    return "".join(each.public_bytes(Encoding.PEM).decode() for each in certificates)
