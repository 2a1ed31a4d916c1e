"""An authority issues certificates that openssl and Python accept, and no file that is not one is read as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from fleethands.tls.authority import Authority
from fleethands.tls.errors import TlsError
from fleethands.tls.names import find_names
from fleethands.tls.server_certificate import ServerCertificate, why_not_issued
from tests.helpers.certificates import certificate, ec_key, is_authority, key_text, signs, text
from tests.unit.tls.conftest import NOW

NAMES = ["gpu-1.example", "10.0.0.5", "fd00::5"]
EC_PARAMETERS = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
SIGNS_NOTHING = x509.KeyUsage(True, False, False, False, False, False, False, False, False)


def own(issued: ServerCertificate) -> x509.Certificate:
    (found,) = ServerCertificate.read_chain(issued.chain_pem)
    return found


def test_a_new_authority_signs_servers_for_ten_years(authority: Authority) -> None:
    extensions = authority.certificate.extensions
    constraints = extensions.get_extension_for_class(x509.BasicConstraints)
    usage = extensions.get_extension_for_class(x509.KeyUsage)

    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)
    assert (usage.critical, usage.value.key_cert_sign, usage.value.crl_sign) == (True, True, True)
    assert not usage.value.digital_signature
    assert isinstance(authority.key, ec.EllipticCurvePrivateKey)
    assert authority.key.curve.name == "secp256r1"
    assert authority.ends == NOW.replace(microsecond=0) + timedelta(days=3650)
    assert authority.certificate.not_valid_before_utc == NOW.replace(microsecond=0) - timedelta(days=1)
    assert authority.name == "tests"
    assert authority.certificate.serial_number != Authority.create("tests", NOW).certificate.serial_number


@pytest.mark.parametrize("name", ["", "a" * 65, "ü" * 33, "a\nb", "a\x1b[31m", "\ud800"])
def test_an_authority_has_a_name_that_can_be_shown(name: str) -> None:
    with pytest.raises(TlsError, match="1 to 64 bytes"):
        Authority.create(name, NOW)


def test_an_authority_is_read_as_it_was_written(authority: Authority) -> None:
    read = Authority.read(authority.pem)

    assert read == authority
    assert read.pem == authority.pem
    assert "PRIVATE KEY" not in authority.certificate_pem
    assert "PRIVATE" not in repr(read)
    assert why_not_issued(*pair(read.issue(NAMES, NOW)), authority, NAMES, NOW) == ""


def pair(issued: ServerCertificate) -> tuple[str, str]:
    return issued.chain_pem, issued.key_pem


def test_the_key_may_come_first_and_be_of_openssl(authority: Authority) -> None:
    traditional = key_text(authority.key, PrivateFormat.TraditionalOpenSSL)

    for pem in (
        EC_PARAMETERS + traditional + authority.certificate_pem,
        ("a comment\n" + authority.certificate_pem + traditional).replace("\n", "\r\n"),
    ):
        assert Authority.read(pem).pem == authority.pem


@pytest.mark.parametrize("make", [lambda: rsa.generate_private_key(65537, 2048), ed25519.Ed25519PrivateKey.generate])
def test_authorities_of_other_programs_have_other_keys(
    make: Callable[[], rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey],
) -> None:
    key = make()
    theirs = Authority.read(text(certificate(key, NOW, is_authority(), signs())) + key_text(key))

    issued = theirs.issue(NAMES, NOW)

    assert why_not_issued(*pair(issued), theirs, NAMES, NOW) == ""
    assert isinstance(own(issued).public_key(), ec.EllipticCurvePublicKey)


def broken(authority: Authority, rsa_key: rsa.RSAPrivateKey) -> Iterator[tuple[str, str]]:
    """Files that are no authority, and what is wrong with each."""
    own, key, other = authority.certificate_pem, key_text(authority.key), ec_key()
    small, dsa_key = rsa.generate_private_key(65537, 1024), dsa.generate_private_key(1024)  # noqa: S505
    yield "", "it has no certificate"
    yield key, "it has no certificate"
    yield own * 2 + key, "it has several certificates"
    yield own, "it has no private key"
    yield own + key * 2, "it has several private keys"
    for layout in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
        yield own + key_text(authority.key, layout, password="x"), "its private key is encrypted"  # noqa: S106
    for foreign in (other, rsa_key):
        yield own + key_text(foreign), "its private key does not belong to its certificate"
    for extensions in ([], [is_authority(ca=False)], [is_authority()], [is_authority(), (SIGNS_NOTHING, True)]):
        pem = text(certificate(other, NOW, *extensions)) + key_text(other)
        yield pem, "its certificate is not one of an authority"
    intermediate = text(certificate(other, NOW, is_authority(), signs(), issuer=authority)) + key_text(other)
    yield intermediate, "another authority issued its certificate, so clients cannot trust it alone"
    yield own + key_text(small), "its RSA key has 1024 bits, and clients need 2048"
    yield own + key_text(dsa_key), "its private key is neither an EC key nor an RSA key nor an Ed25519 key"
    yield own.replace("MII", "NII", 1) + key, "its certificate cannot be read"
    yield own + own[:200] + key, "its certificate cannot be read"
    yield own + key.replace("MIG", "NIG", 1), "its private key cannot be read"
    yield own + key + "x" * 65536, "it is larger than 64 KiB"


def test_a_file_that_is_no_authority_is_refused_with_its_reason(
    authority: Authority, rsa_key: rsa.RSAPrivateKey
) -> None:
    for pem, reason in broken(authority, rsa_key):
        with pytest.raises(TlsError) as error:
            Authority.read(pem)

        assert str(error.value) == reason
        assert error.value.__suppress_context__ or error.value.__context__ is None


def test_an_expired_authority_can_be_read_and_issues_nothing(authority: Authority) -> None:
    read = Authority.read(authority.pem)
    later, earlier = authority.ends, NOW - timedelta(days=2)

    assert read.why_unusable(NOW) == ""
    assert read.why_unusable(later - timedelta(seconds=1)) == ""
    assert read.why_unusable(later) == "it ended on 2037-03-11"
    assert read.why_unusable(earlier) == "it begins on 2027-03-13"
    for now in (later, earlier):
        with pytest.raises(TlsError, match=r"it (ended|begins) on"):
            read.issue(NAMES, now)


def test_an_issued_certificate_is_for_its_names_and_for_servers_alone(authority: Authority) -> None:
    issued = authority.issue(["GPU-1.example", "10.0.0.5", "fd00:0::5", "gpu-1.example"], NOW)
    extensions = own(issued).extensions
    usage = extensions.get_extension_for_class(x509.KeyUsage).value

    assert find_names(own(issued)) == NAMES
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert [*extensions.get_extension_for_class(x509.ExtendedKeyUsage).value] == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert (usage.digital_signature, usage.key_cert_sign, usage.crl_sign) == (True, False, False)
    assert "PRIVATE" not in repr(issued)
    assert issued.key_pem.splitlines()[1] not in repr(issued)


def test_each_certificate_has_a_key_and_a_number_of_its_own(authority: Authority) -> None:
    first, second = (authority.issue(NAMES, NOW) for _ in range(2))

    assert first.key_pem != second.key_pem
    assert own(first).serial_number != own(second).serial_number


def test_a_certificate_is_valid_for_a_year_but_never_longer_than_its_authority(authority: Authority) -> None:
    tokyo = NOW.astimezone(timezone(timedelta(hours=9)))
    late = authority.ends - timedelta(days=30)

    assert own(authority.issue(NAMES, tokyo)).not_valid_after_utc == NOW.replace(microsecond=0) + timedelta(days=365)
    assert own(authority.issue(NAMES, tokyo)).not_valid_before_utc == NOW.replace(microsecond=0) - timedelta(days=1)
    assert own(authority.issue(NAMES, late)).not_valid_after_utc == authority.ends


@pytest.mark.parametrize("names", [[], ["müller.example"]])
def test_a_certificate_needs_names_that_a_server_can_have(authority: Authority, names: list[str]) -> None:
    with pytest.raises(TlsError):
        authority.issue(names, NOW)


def test_a_name_that_is_too_long_for_the_subject_is_a_name_all_the_same(authority: Authority) -> None:
    long = ".".join(["a" * 60] * 4)
    issued = authority.issue([long], NOW)
    alternative = own(issued).extensions.get_extension_for_class(x509.SubjectAlternativeName)

    assert find_names(own(issued)) == [long]
    assert (list(own(issued).subject), alternative.critical) == ([], True)


def test_an_authority_without_a_common_name_is_called_by_its_subject() -> None:
    key = ec_key()
    subject = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Example\nCorp")])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, NOW, NOW + timedelta(days=1))
    signed = builder.add_extension(*is_authority()).sign(key, hashes.SHA256())

    assert Authority(signed, key).name == "O=Example Corp"
