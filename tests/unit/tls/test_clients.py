"""Real clients accept an issued certificate for its names, and for no others."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fleethands.tls.authority import Authority
from fleethands.tls.pem import read_certificates, read_key
from fleethands.tls.server_certificate import ServerCertificate

NAMES = ["gpu-1.example", "10.0.0.5", "fd00::5"]


@pytest.fixture(scope="module")
def current() -> Authority:
    """An authority that is valid on this machine's clock."""
    return Authority.create("tests", datetime.now(UTC))


@pytest.fixture(scope="module")
def issued(current: Authority) -> ServerCertificate:
    return current.issue(NAMES, datetime.now(UTC))


def openssl_verify(place: Path, trusted: str, issued: ServerCertificate, *options: str) -> tuple[int, str]:
    (place / "ca.pem").write_text(trusted)
    (place / "server.pem").write_text(issued.chain_pem)
    command = ["openssl", "verify", "-x509_strict", "-no-CApath", "-no-CAstore", "-purpose", "sslserver"]
    done = subprocess.run(
        [*command, *options, "-CAfile", "ca.pem", "server.pem"],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    "options",
    [
        ("-verify_hostname", "gpu-1.example"),
        ("-verify_ip", "10.0.0.5"),
        ("-verify_ip", "fd00::5"),
        ("-check_ss_sig", "-policy_check"),
    ],
)
def test_openssl_accepts_an_issued_certificate(
    tmp_path: Path, current: Authority, issued: ServerCertificate, options: tuple[str, ...]
) -> None:
    assert openssl_verify(tmp_path, current.certificate_pem, issued, *options) == (0, "server.pem: OK\n")


@pytest.mark.parametrize(
    "options",
    [("-verify_hostname", "gpu-2.example"), ("-verify_ip", "10.0.0.6"), ("-verify_ip", "fd00::6")],
)
def test_openssl_refuses_other_names(
    tmp_path: Path, current: Authority, issued: ServerCertificate, options: tuple[str, ...]
) -> None:
    code, said = openssl_verify(tmp_path, current.certificate_pem, issued, *options)

    assert (code, "mismatch" in said) == (2, True), said


def test_openssl_refuses_another_authority_of_the_same_name(tmp_path: Path, issued: ServerCertificate) -> None:
    other = Authority.create("tests", datetime.now(UTC))

    code, said = openssl_verify(tmp_path, other.certificate_pem, issued)

    assert code == 2, said


def test_an_issued_certificate_issues_nothing(tmp_path: Path, current: Authority, issued: ServerCertificate) -> None:
    server = Authority(read_certificates(issued.chain_pem)[0], read_key(issued.key_pem))
    forged = server.issue(["bank.example"], datetime.now(UTC))
    both = ServerCertificate(forged.chain_pem + issued.chain_pem, forged.key_pem)
    (tmp_path / "chain.pem").write_text(both.chain_pem)

    code, said = openssl_verify(tmp_path, current.certificate_pem, both, "-untrusted", "chain.pem")

    assert (code, "invalid CA certificate" in said) == (2, True), said


def handshake(place: Path, issued: ServerCertificate, trusted: str, name: str) -> str:
    """What a client of Python's receives from a server with this certificate."""
    (place / "chain.pem").write_text(issued.chain_pem)
    (place / "key.pem").write_text(issued.key_pem)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(place / "chain.pem", place / "key.pem")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(cadata=trusted)
    client.verify_flags |= ssl.VERIFY_X509_STRICT  # the default since Python 3.13
    near, far = socket.socketpair()

    def serve() -> None:
        try:
            with serving.wrap_socket(far, server_side=True) as connection:
                connection.sendall(b"hello")
        except OSError:
            far.close()  # the client refused the certificate

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    near.settimeout(30)
    try:
        with client.wrap_socket(near, server_hostname=name) as connection:
            return connection.recv(100).decode()
    finally:
        near.close()
        thread.join(30)


@pytest.mark.parametrize("name", [*NAMES, "GPU-1.Example", "fd00:0:0::5"])
def test_python_accepts_an_issued_certificate(
    tmp_path: Path, current: Authority, issued: ServerCertificate, name: str
) -> None:
    assert handshake(tmp_path, issued, current.certificate_pem, name) == "hello"


@pytest.mark.parametrize("name", ["gpu-2.example", "10.0.0.6", "fd00::6"])
def test_python_refuses_other_names(tmp_path: Path, current: Authority, issued: ServerCertificate, name: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=r"mismatch|doesn't match|not valid for"):
        handshake(tmp_path, issued, current.certificate_pem, name)


def test_python_refuses_another_authority_of_the_same_name(tmp_path: Path, issued: ServerCertificate) -> None:
    other = Authority.create("tests", datetime.now(UTC))

    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(tmp_path, issued, other.certificate_pem, "gpu-1.example")
