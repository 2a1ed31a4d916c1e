"""What is wrong with a certificate that a user brings is found before a host gets it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from fleethands.tls.authority import Authority
from fleethands.tls.errors import TlsError
from fleethands.tls.server_certificate import ServerCertificate
from tests.helpers.certificates import Key, certificate, ec_key, for_names, is_authority, key_text, text
from tests.unit.tls.conftest import NOW

NAMES = ["gpu-1.example"]
EC_PARAMETERS = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
FOR_CLIENTS = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])


def made(*names: str, days: float = 90) -> ServerCertificate:
    """A certificate for DNS names."""
    key = ec_key()
    return ServerCertificate(
        text(certificate(key, NOW, for_names(*map(x509.DNSName, names)), days=days)), key_text(key)
    )


@pytest.mark.parametrize(
    ("has", "wanted", "fits"),
    [
        ("gpu-1.example", "gpu-1.example", True),
        ("GPU-1.Example", "gpu-1.example", True),
        ("gpu-1.example", "GPU-1.EXAMPLE", True),
        ("gpu-2.example", "gpu-1.example", False),
        ("*.example.com", "gpu-1.example.com", True),
        ("*.Example.com", "GPU-1.example.COM", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "a.gpu-1.example.com", False),
        ("*.com", "example.com", False),
        ("*", "gpu-1", False),
        ("gpu-*.example.com", "gpu-1.example.com", False),
        ("gpu.*.com", "gpu.example.com", False),
        ("*.0.0.5", "10.0.0.5", False),
        ("10.0.0.5", "10.0.0.5", True),
    ],
)
def test_a_certificate_is_for_its_names_and_wildcards(has: str, wanted: str, fits: bool) -> None:
    assert made(has).why_unfit([wanted], NOW) == ("" if fits else f"it is not for `{wanted}`")


@pytest.mark.parametrize("wanted", ["10.0.0.5", "fd00::5", "FD00:0:0::5"])
def test_addresses_are_compared_as_addresses(authority: Authority, wanted: str) -> None:
    issued = authority.issue(["10.0.0.5", "fd00::5"], NOW)

    assert issued.why_unfit([wanted], NOW) == ""
    assert issued.why_unfit([wanted, "10.0.0.6"], NOW) == "it is not for `10.0.0.6`"


def test_the_name_of_the_subject_is_not_a_name_of_the_server() -> None:
    key = ec_key()
    plain = ServerCertificate(text(certificate(key, NOW)), key_text(key))

    assert plain.names == []
    assert plain.why_unfit(["a server"], NOW) == "it is not for `a server`"


@pytest.mark.parametrize(
    ("days", "reason"),
    [
        (0, "it ended on 2027-03-14"),
        (-3, "it ended on 2027-03-11"),
        (1.5, "it ends in 1 day"),
        (12.01, "it ends in 12 days"),
        (14, ""),
    ],
)
def test_a_certificate_that_ends_soon_is_unfit(days: float, reason: str) -> None:
    brought = made(*NAMES, days=days)
    now = NOW.replace(microsecond=0)

    assert brought.why_unfit(NAMES, now) == reason
    assert brought.days_left(now) == int(days)
    assert brought.why_unfit(NAMES, now, least_days=0) == ("" if days > 0 else reason)


def test_a_certificate_that_is_not_valid_yet_is_unfit(authority: Authority) -> None:
    later = authority.issue(NAMES, NOW + timedelta(days=20))

    assert later.why_unfit(NAMES, NOW) == "it begins on 2027-04-02"


def test_a_certificate_for_clients_is_unfit() -> None:
    key = ec_key()
    brought = certificate(key, NOW, for_names(x509.DNSName(NAMES[0])), (FOR_CLIENTS, False))

    assert ServerCertificate(text(brought), key_text(key)).why_unfit(NAMES, NOW) == "it is not for servers"


def test_a_key_of_another_certificate_is_unfit() -> None:
    first, second = made(*NAMES), made(*NAMES)

    mixed = ServerCertificate(first.chain_pem, second.key_pem)

    assert mixed.why_unfit(NAMES, NOW) == "its key belongs to another certificate"


def test_what_cannot_be_read_is_unfit() -> None:
    good = made(*NAMES)

    assert ServerCertificate("", good.key_pem).why_unfit(NAMES, NOW) == "it has no certificate"
    assert ServerCertificate(good.chain_pem, "").why_unfit(NAMES, NOW) == "it has no private key"
    cut = good.chain_pem.replace("\n-----END", "=\n-----END")
    assert ServerCertificate(cut, good.key_pem).why_unfit(NAMES, NOW) == "its certificate cannot be read"


def test_only_the_key_of_a_server_certificate_is_hidden() -> None:
    shown = repr(made(*NAMES))

    assert "BEGIN CERTIFICATE" in shown
    assert "PRIVATE KEY" not in shown


@pytest.mark.parametrize("kind", ["ec", "rsa", "ed25519"])
def test_a_certificate_is_read_with_the_keys_of_common_programs(kind: str, rsa_key: rsa.RSAPrivateKey) -> None:
    keys: dict[str, Key] = {"ec": ec_key(), "rsa": rsa_key, "ed25519": ed25519.Ed25519PrivateKey.generate()}
    key = keys[kind]
    chain = text(certificate(key, NOW, for_names(x509.DNSName(NAMES[0]))))
    layouts = [PrivateFormat.PKCS8] if kind == "ed25519" else [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL]

    for layout in layouts:
        read = ServerCertificate.read(chain.replace("\n", "\r\n"), EC_PARAMETERS + key_text(key, layout))
        assert read == ServerCertificate(chain, key_text(key))
        assert read.why_unfit(NAMES, NOW) == ""
        assert read.names == NAMES


def test_a_chain_keeps_its_order_and_no_private_key(authority: Authority) -> None:
    key = ec_key()
    leaf = text(certificate(key, NOW, for_names(x509.DNSName(NAMES[0])), issuer=authority))

    read = ServerCertificate.read(f"# mine\n{leaf}{key_text(key)}{authority.certificate_pem}", key_text(key))

    assert read.chain_pem == leaf + authority.certificate_pem
    assert read.ends == ServerCertificate.read_chain(leaf)[0].not_valid_after_utc


def test_files_that_do_not_fit_together_are_refused(authority: Authority) -> None:
    key, other = ec_key(), ec_key()
    leaf = text(certificate(key, NOW, is_authority(ca=False), issuer=authority))
    refused = [
        (authority.certificate_pem + leaf, key_text(key), "the certificate of the server is not the first one"),
        (leaf, key_text(other), "its key belongs to another certificate"),
        (leaf, key_text(key, password="x"), "its private key is encrypted"),  # noqa: S106
        (leaf, leaf, "it has no private key"),
        (key_text(key), key_text(key), "it has no certificate"),
        (leaf[:-40], key_text(key), "its certificate cannot be read"),
        (leaf + authority.certificate_pem[:200], key_text(key), "its certificate cannot be read"),
        (leaf + "x" * 65536, key_text(key), "it is larger than 64 KiB"),
    ]
    for chain_pem, key_pem, reason in refused:
        with pytest.raises(TlsError, match=reason):
            ServerCertificate.read(chain_pem, key_pem)
