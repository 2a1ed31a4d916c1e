"""A certificate that a host sends stays only if the authority issued it for the host, whatever the host sends."""

from __future__ import annotations

import base64
import time
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, ObjectIdentifier
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fleethands.tls.authority import Authority
from fleethands.tls.errors import TlsError
from fleethands.tls.server_certificate import ServerCertificate, why_not_issued
from tests.helpers.certificates import certificate, ec_key, for_names, is_authority, key_text, text
from tests.unit.tls.conftest import NOW

NAMES = ["gpu-1.example", "10.0.0.5"]
SUBJECT_NAMES = ExtensionOID.SUBJECT_ALTERNATIVE_NAME
AUTHORITY = Authority.create("tests", NOW)
ISSUED = AUTHORITY.issue(NAMES, NOW)
DER = base64.b64decode("".join(ISSUED.chain_pem.splitlines()[1:-1]))
DAY = timedelta(days=1)


def why(issued: ServerCertificate, names: list[str] = NAMES, days: float = 0) -> str:
    return why_not_issued(issued.chain_pem, issued.key_pem, AUTHORITY, names, NOW + days * DAY)


def armored(der: bytes) -> str:
    body = base64.encodebytes(der).decode()
    return f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n"


def odd(*extensions: tuple[x509.ExtensionType, bool]) -> ServerCertificate:
    """A certificate of the authority with these extensions."""
    key = ec_key()
    return ServerCertificate(text(certificate(key, NOW, *extensions, issuer=AUTHORITY)), key_text(key))


def unparsed(oid: ObjectIdentifier, value: bytes, *, critical: bool = False) -> tuple[x509.ExtensionType, bool]:
    return x509.UnrecognizedExtension(oid, value), critical


def test_what_was_issued_stays_until_60_days_before_its_end() -> None:
    assert why(ISSUED) == ""
    assert why(ISSUED, ["10.0.0.5", "GPU-1.example"]) == ""
    assert why(ISSUED, days=304.9) == ""
    assert why(ISSUED, days=305.1) == "it ends in 59 days"
    assert why(ISSUED, days=366) == "it ended on 2028-03-13"
    assert why(ISSUED, days=-2) == "it begins on 2027-03-13"


def test_a_certificate_that_ends_with_its_authority_is_not_issued_again() -> None:
    now = AUTHORITY.ends - 10 * DAY
    last = AUTHORITY.issue(NAMES, now)

    assert why_not_issued(last.chain_pem, last.key_pem, AUTHORITY, NAMES, now + DAY) == ""
    earlier = AUTHORITY.issue(NAMES, AUTHORITY.ends - 370 * DAY)
    assert why_not_issued(earlier.chain_pem, earlier.key_pem, AUTHORITY, NAMES, now) == "it ends in 5 days"


def test_the_names_are_exactly_those_of_the_host() -> None:
    assert why(ISSUED, [*NAMES, "fd00::5"]) == "it is not for `fd00::5`"
    assert why(ISSUED, NAMES[:1]) == "it has other names, too"
    assert why(AUTHORITY.issue(["*.example.com"], NOW), ["gpu-1.example.com"]) == "it is not for `gpu-1.example.com`"


def test_another_authority_of_the_same_name_is_another_one() -> None:
    theirs = Authority.create("tests", NOW).issue(NAMES, NOW)
    key = ec_key()
    own = certificate(key, NOW, for_names(x509.DNSName(NAMES[0])))

    assert why(theirs) == "another authority issued it"
    assert why(ServerCertificate(text(own), key_text(key))) == "another authority issued it"
    assert why(ServerCertificate(ISSUED.chain_pem * 2, ISSUED.key_pem)) == "another authority issued it"


def test_the_key_belongs_to_the_certificate(rsa_key: rsa.RSAPrivateKey) -> None:
    chain = ISSUED.chain_pem

    assert why(ServerCertificate(chain, key_text(ec_key()))) == "its key belongs to another certificate"
    assert why(ServerCertificate(chain, key_text(ed25519.Ed25519PrivateKey.generate()))) == (
        "its key belongs to another certificate"
    )
    assert why(ServerCertificate(chain, key_text(rsa_key))) == (
        "its private key is larger than one that an authority issues"
    )
    assert why(ServerCertificate(chain, "")) == "it has no private key"
    assert why(ServerCertificate(chain, ISSUED.key_pem[:-40])) == "it has no private key"
    assert why(ServerCertificate(chain, ISSUED.key_pem.replace("MIG", "NIG"))) == "its private key cannot be read"


UNREADABLE = "its certificate cannot be read"


@pytest.mark.parametrize(
    ("extensions", "reason"),
    [
        ([], "it is not for `gpu-1.example`"),
        ([is_authority(), for_names(x509.DNSName("gpu-1.example"))], "it is not for `10.0.0.5`"),
        ([for_names(x509.RFC822Name("a@b.example"), x509.RegisteredID(ObjectIdentifier("1.2.3")))], "it is not for"),
        ([for_names(x509.OtherName(ObjectIdentifier("1.2.3"), b"\x05\x00"))], "it is not for"),
        ([unparsed(SUBJECT_NAMES, b"")], UNREADABLE),
        ([unparsed(SUBJECT_NAMES, b"\xff" * 50)], UNREADABLE),
        ([unparsed(SUBJECT_NAMES, b"\x30\x05\x87\x03\x0a\x00\x00")], UNREADABLE),  # an IP address of three bytes
        ([unparsed(SUBJECT_NAMES, b"\x30\x03\x82\x01\xff")], UNREADABLE),  # a DNS name that is not ASCII
        ([unparsed(SUBJECT_NAMES, b"\x30\x03\xa3\x01\x00")], UNREADABLE),  # an X.400 address
        ([unparsed(ExtensionOID.EXTENDED_KEY_USAGE, b"\x00")], UNREADABLE),
        ([unparsed(ExtensionOID.BASIC_CONSTRAINTS, b"\x30\x80")], UNREADABLE),
        ([unparsed(ObjectIdentifier("1.2.3.4"), b"?", critical=True)], "it is not for"),
    ],
)
def test_a_certificate_with_odd_extensions_is_issued_again(
    extensions: list[tuple[x509.ExtensionType, bool]], reason: str
) -> None:
    assert why(odd(*extensions)).startswith(reason)


def test_a_certificate_of_the_authority_for_clients_is_issued_again() -> None:
    names = for_names(x509.DNSName(NAMES[0]))
    for_clients = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])

    assert why(odd(names, (for_clients, False)), NAMES[:1]) == "it is not for servers"
    assert why(odd(names), NAMES[:1]) == ""


def is_clause(reason: str) -> bool:
    return reason.isprintable() and len(reason) < 100 and reason != ""


@given(chain=st.text(), key=st.text())
@example(chain="\ud800", key="\0")
@example(chain="-----BEGIN CERTIFICATE-----\n\ud800\n-----END CERTIFICATE-----\n", key="")
def test_any_text_gives_a_reason(chain: str, key: str) -> None:
    assert is_clause(why(ServerCertificate(chain, ISSUED.key_pem)))
    assert is_clause(why(ServerCertificate(ISSUED.chain_pem, key)))


@given(der=st.binary())
def test_any_bytes_in_armor_give_a_reason(der: bytes) -> None:
    assert is_clause(why(ServerCertificate(armored(der), ISSUED.key_pem)))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(at=st.integers(0, len(DER) - 1), byte=st.integers(0, 255))
def test_each_changed_byte_is_found(at: int, byte: int) -> None:
    changed = DER[:at] + bytes([byte]) + DER[at + 1 :]
    reason = why(ServerCertificate(armored(changed), ISSUED.key_pem))

    assert is_clause(reason) if changed != DER else reason == ""


@given(length=st.integers(0, len(ISSUED.chain_pem) - 2))
def test_each_cut_is_found(length: int) -> None:
    assert is_clause(why(ServerCertificate(ISSUED.chain_pem[:length], ISSUED.key_pem)))


@pytest.mark.parametrize(
    ("chain", "key"),
    [
        (ISSUED.chain_pem + "x" * 10_000_000, ISSUED.key_pem),
        (ISSUED.chain_pem, ISSUED.key_pem + "x" * 10_000_000),
        (ISSUED.chain_pem * 5_000, ISSUED.key_pem),
        ("-----BEGIN CERTIFICATE-----\n" * 300_000, ISSUED.key_pem),
        ("-----BEGIN CERTIFICATE-----\n" * 2_000, ISSUED.key_pem),
        (ISSUED.chain_pem, "-----BEGIN PRIVATE KEY-----\n" * 300_000),
        (armored(b"\x30\x82\xff\xff" * 10_000), ISSUED.key_pem),
        (armored(b"\x30\x80" * 20_000), ISSUED.key_pem),
    ],
    ids=["chain", "key", "many", "begins", "few-begins", "key-begins", "long", "deep"],
)
def test_what_is_huge_is_refused_at_once(chain: str, key: str) -> None:
    begin = time.process_time()

    assert is_clause(why(ServerCertificate(chain, key)))
    assert time.process_time() - begin < 2


def test_warnings_of_the_parser_are_not_printed(recwarn: pytest.WarningsRecorder) -> None:
    at = DER.index(b"\x02\x14") + 2
    negative = DER[:at] + b"\x80" + DER[at + 1 :]

    assert is_clause(why(ServerCertificate(armored(negative), ISSUED.key_pem)))
    assert [*recwarn] == []


class PanicException(BaseException):
    """What a panic in Rust becomes."""


def test_a_panic_of_the_parser_is_a_reason_and_an_interrupt_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(error: BaseException) -> None:
        def load(_: bytes) -> list[x509.Certificate]:
            raise error

        monkeypatch.setattr(x509, "load_pem_x509_certificates", load)

    fail(PanicException("index out of bounds"))
    assert why(ISSUED) == UNREADABLE
    with pytest.raises(TlsError):
        Authority.read(AUTHORITY.pem)

    fail(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        why(ISSUED)
