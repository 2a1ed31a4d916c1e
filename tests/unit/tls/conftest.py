"""Keys and authorities of the tests of certificates. RSA keys take a while to make, so all tests share one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from fleethands.tls.authority import Authority

NOW = datetime(2027, 3, 14, 15, 9, 26, 535897, tzinfo=UTC)


@pytest.fixture(scope="session")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority.create("tests", NOW)
