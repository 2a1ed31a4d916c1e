"""Reads and writes certificates and private keys as PEM."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from fleethands.tls.errors import TlsError

PrivateKey = EllipticCurvePrivateKey | RSAPrivateKey | Ed25519PrivateKey

MOST = 1 << 16  # characters; a chain of ten certificates has a third of that
LEAST_RSA_BITS = 2048  # OpenSSL of Debian and Ubuntu refuses fewer
_BEGIN = "-----BEGIN CERTIFICATE-----"
_KEY = re.compile(r"-----BEGIN ((?:[A-Z]+ )?PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)


@contextmanager
def reading(reason: str) -> Iterator[None]:
    """Raise TlsError with this reason for all that cryptography raises, and hide its warnings."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except TlsError:
        raise
    except BaseException as error:
        # a panic in Rust is no Exception, and its class has no module to import it from
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise TlsError(reason) from None
        raise


def read_certificates(pem: str) -> list[x509.Certificate]:
    """All certificates of a text, at least one. Raises TlsError."""
    if len(pem) > MOST:
        raise TlsError(f"it is larger than {MOST // 1024} KiB")
    if _BEGIN not in pem:
        raise TlsError("it has no certificate")
    with reading("its certificate cannot be read"):
        found = x509.load_pem_x509_certificates(pem.encode())
        _ = (found[0].public_key(), found[0].extensions)  # cryptography parses both only when they are read
        if len(found) != pem.count(_BEGIN):  # it ignores one that is cut off
            raise TlsError("its certificate cannot be read")
    return found


def read_key(pem: str) -> PrivateKey:
    """The only private key of a text. Raises TlsError."""
    if len(pem) > MOST:
        raise TlsError(f"it is larger than {MOST // 1024} KiB")
    blocks = [*_KEY.finditer(pem)]
    if not blocks:
        raise TlsError("it has no private key")
    if len(blocks) > 1:
        raise TlsError("it has several private keys")
    if blocks[0][1].startswith("ENCRYPTED") or "Proc-Type:" in blocks[0][0]:
        raise TlsError("its private key is encrypted")
    with reading("its private key cannot be read"):
        key = load_pem_private_key(blocks[0][0].encode(), None)
    if not isinstance(key, PrivateKey):
        raise TlsError("its private key is neither an EC key nor an RSA key nor an Ed25519 key")
    if isinstance(key, RSAPrivateKey) and key.key_size < LEAST_RSA_BITS:
        raise TlsError(f"its RSA key has {key.key_size} bits, and clients need {LEAST_RSA_BITS}")
    return key


def has_key(certificate: x509.Certificate, key: PrivateKey) -> bool:
    """Whether a certificate is for this private key."""
    encoding = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return key.public_key().public_bytes(*encoding) == certificate.public_key().public_bytes(*encoding)


def encode_certificate(certificate: x509.Certificate) -> str:
    """A certificate as PEM."""
    return certificate.public_bytes(Encoding.PEM).decode()


def encode_key(key: PrivateKey) -> str:
    """A private key as PEM, PKCS #8."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
