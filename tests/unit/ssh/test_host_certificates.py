"""Certificates of hosts, made by ssh-keygen: those that stand for a host, and why others do not."""

from __future__ import annotations

import subprocess
from base64 import b64decode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paramiko import Ed25519Key, PKey
from paramiko.transport import Transport

from fleethands.ssh import host_certificates
from fleethands.ssh.known_hosts import KnownHosts
from tests.helpers.sshd import key, public

HOST = "gpu.example.net"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Those of an authority, of another and of a host."""
    place = tmp_path_factory.mktemp("keys")
    found = {kind: key(place, kind) for kind in ("ed25519", "ecdsa", "rsa")}
    for name in ("own", "others"):
        (place / name).mkdir()
        found[name] = key(place / name, "ed25519")
    (place / "rsa-authority").mkdir()
    found["rsa-authority"] = key(place / "rsa-authority", "rsa")
    return found


def certified_key(host: Path, authority: Path, *words: str) -> PKey:
    """The key of a host as paramiko has it, once it came with a certificate; words: of ssh-keygen."""
    sign = ["ssh-keygen", "-q", "-s", str(authority), "-I", "a host", *words, str(host.with_suffix(".pub"))]
    subprocess.run(sign, check=True, capture_output=True)
    kind, blob = host.with_name(f"{host.name}-cert.pub").read_text().split()[:2]
    made: PKey = Transport._key_info[kind](data=b64decode(blob))  # type: ignore[attr-defined]
    return made


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("authority", ["own", "rsa-authority"])
@pytest.mark.parametrize("names", [HOST, f"a,{HOST}", "*.example.net"])
def test_one_that_stands_for_a_host(keys: dict[str, Path], kind: str, authority: str, names: str) -> None:
    certificate = host_certificates.certificate_of(certified_key(keys[kind], keys[authority], "-h", "-n", names))

    assert certificate is not None
    assert certificate.fault(HOST) == ""
    assert certificate.authority == b64decode(public(keys[authority]).split()[1])


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("-h", "-n", "a,b"), "is for a, b, and not for gpu.example.net"),
        (("-h", "-n", HOST.upper()), "is for GPU.EXAMPLE.NET, and not for gpu.example.net"),
        (("-h",), "is for no host, and not for gpu.example.net"),
        (("-n", HOST), "is a user certificate"),
        (("-h", "-n", HOST, "-V", "20200101000000Z:20200102000000Z"), "expired on 2020-01-02 00:00 UTC"),
        (("-h", "-n", HOST, "-V", "20980101000000Z:20980102000000Z"), "is not valid before 2098-01-01 00:00 UTC"),
        (("-h", "-n", HOST, "-O", "critical:x@y=z"), "has unknown critical options"),
    ],
)
def test_one_that_does_not(keys: dict[str, Path], words: tuple[str, ...], fault: str) -> None:
    certificate = host_certificates.certificate_of(certified_key(keys["ed25519"], keys["own"], *words))

    assert certificate is not None
    assert certificate.fault(HOST) == fault


def test_sha1_does_not_sign_for_anybody(keys: dict[str, Path]) -> None:
    weak = host_certificates.certificate_of(
        certified_key(keys["ed25519"], keys["rsa-authority"], "-t", "ssh-rsa", "-h", "-n", HOST)
    )

    assert weak is not None
    assert weak.fault(HOST) == "is signed with SHA-1"


@pytest.fixture(scope="module")
def certified(keys: dict[str, Path]) -> bytes:
    """A certificate that stands for the host."""
    made = certified_key(keys["ed25519"], keys["own"], "-h", "-n", HOST).public_blob
    assert made is not None
    return made.key_blob


@given(st.data())
def test_what_was_altered_does_not_stand_for_the_host(
    keys: dict[str, Path], certified: bytes, data: st.DataObject
) -> None:
    altered = bytearray(certified)
    altered[data.draw(st.integers(0, len(altered) - 1))] ^= data.draw(st.integers(1, 255))

    try:
        key = Ed25519Key(data=bytes(altered))
    except Exception:
        return
    certificate = host_certificates.certificate_of(key)

    if certificate is not None and certificate.authority == b64decode(public(keys["own"]).split()[1]):
        assert certificate.fault(HOST)


@pytest.mark.parametrize(
    ("lines", "names", "name", "status"),
    [
        ("@cert-authority * {own}", HOST, HOST, "known"),
        ("@cert-authority *.example.net {own}", HOST, f"[{HOST}]:2222", "known"),
        ("@cert-authority [*.example.net]:2222 {own}", HOST, f"[{HOST}]:2222", "known"),
        ("@cert-authority [*.example.net]:2222 {own}", HOST, HOST, "new"),
        ("@cert-authority * {others}", HOST, HOST, "new"),
        ("@cert-authority * {own}", "elsewhere", HOST, "new"),
        ("@cert-authority * {own}\ngpu.example.net {ed25519}", "elsewhere", HOST, "known"),
        ("@cert-authority * {own}\ngpu.example.net {others}", HOST, HOST, "known"),
        ("@cert-authority * {own}\ngpu.example.net {others}", "elsewhere", HOST, "changed"),
        ("@cert-authority * {own}\n@revoked * {own}", HOST, HOST, "revoked"),
        ("@cert-authority * {own}\n@revoked * {ed25519}", HOST, HOST, "revoked"),
        ("gpu.example.net {own}", HOST, HOST, "changed"),
    ],
)
def test_what_files_say_of_one(
    keys: dict[str, Path], tmp_path: Path, lines: str, names: str, name: str, status: str
) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(lines.format(**{each: public(place) for each, place in keys.items()}) + "\n")
    host = certified_key(keys["ed25519"], keys["own"], "-h", "-n", names)

    assert KnownHosts.load([path]).judge(name, host).status == status
