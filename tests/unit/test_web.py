"""Answers of hostile web servers, real ones on loopback: each ends within its limits, in one sentence."""

from __future__ import annotations

import gzip
import hashlib
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fleethands import oci, web
from fleethands.operations.core.upload import UploadError
from fleethands.operations.ollama import archive_cache, release_checksums
from fleethands.operations.ollama.release_upload import ReleaseUpload
from fleethands.pinning import registry
from fleethands.pinning.registry import RegistryDigest, RegistryError
from fleethands.settings.schema.models import Model
from fleethands.settings.values.names import ModelName
from tests.helpers.webserver import CHUNKED, HALF_A_MIB, OK, Say, body, endless
from tests.lab.shell import run

A = "a" * 64


def asked(url: str, patience: float = 5) -> RegistryDigest | RegistryError:
    """What is learned of a model there."""
    model = Model(name=ModelName.parse(f"{url.removeprefix('http://')}/team/m"), insecure=True)
    (answer,) = registry.look_up_models([model], patience).values()
    return answer


def described(**layer: object) -> str:
    return json.dumps({"config": {"digest": f"sha256:{A}", "size": 1}, "layers": [layer]})


NO_MANIFESTS = {
    "a size beyond all numbers": described(digest=f"sha256:{A}", size=0).replace(": 0}", ": 1e999}"),
    "a size that is no number": described(digest=f"sha256:{A}", size=0).replace(": 0}", ": NaN}"),
    "a size below zero": described(digest=f"sha256:{A}", size=-1),
    "a size in quotes": described(digest=f"sha256:{A}", size="5"),
    "a size that is true": described(digest=f"sha256:{A}", size=True),
    "a size of 5000 digits": described(digest=f"sha256:{A}", size=0).replace(": 0}", f": {'9' * 5000}}}"),
    "a digest that is a path": described(digest="sha256:../../etc/passwd", size=1),
    "a digest of another kind": described(digest="sha512:" + "a" * 128, size=1),
    "a list": "[]",
    "layers that are an object": '{"config": {}, "layers": {}}',
    "nesting without end": '{"layers":' + "[" * 100_000,
    "nothing": "",
}


@pytest.mark.parametrize("text", NO_MANIFESTS.values(), ids=NO_MANIFESTS)
def test_what_is_no_manifest_is_named_so(text: str, serve: Callable[[Say], str]) -> None:
    answer = asked(serve(body(text)))

    assert isinstance(answer, RegistryError)
    assert answer.reason.endswith("sent something that is not a manifest")


ENDLESS = {
    "a body in chunks": (endless(CHUNKED, HALF_A_MIB), "sends more than 4 MiB"),
    "a body without a length": (endless(OK + b"\r\n", b"a" * 65536), "sends more than 4 MiB"),
    "headers": (endless(OK, b"x: y\r\n"), "got more than 100 headers"),
    "one header": (endless(OK, b"a" * 65536), "got more than 65536 bytes when reading header line"),
    "answers that only say continue": (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 999), "sends more than 5 MiB"),
    "the trailer of chunks": (endless(CHUNKED + b"0\r\n", b"a: b\r\n" * 999), "sends more than 5 MiB"),
    "the body of a redirect": (
        endless(b"HTTP/1.1 302 Found\r\nLocation: /there\r\n\r\n", b"a" * 65536),
        "it answers 302",
    ),
    "a byte at a time": (endless(OK + b"Content-Length: 99\r\n\r\n", b"a", pause=0.1), "no whole answer within 2 s"),
    "a header, a byte at a time": (endless(OK, b"a", pause=0.1), "no whole answer within 2 s"),
    "silence": (lambda _client: time.sleep(9), "no whole answer within 2 s"),
}


@pytest.mark.parametrize(("say", "reason"), ENDLESS.values(), ids=ENDLESS)
def test_what_has_no_end_is_ended(say: Say, reason: str, serve: Callable[[Say], str]) -> None:
    begun = time.monotonic()

    with pytest.raises(web.FAILURES) as error:
        web.fetch(serve(say), patience=2)

    assert web.failure(error.value).startswith(reason)
    assert time.monotonic() - begun < 4


def test_half_an_answer_is_none(serve: Callable[[Say], str]) -> None:
    with pytest.raises(ValueError, match="the answer was cut off"):
        web.fetch(serve(lambda client: client.sendall(OK + b"Content-Length: 9\r\n\r\nhalf")))


def test_what_is_compressed_is_not_unpacked(serve: Callable[[Say], str]) -> None:
    bomb = gzip.compress(b" " * (64 << 20))

    def say(client: socket.socket) -> None:
        client.sendall(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb)

    assert web.fetch(serve(say)) == bomb


def test_an_endless_token_is_none(serve: Callable[[Say], str]) -> None:
    realm = serve(body(" " * (registry.TOKEN + 1)))
    refusal = f'HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm="{realm}"\r\nContent-Length: 0\r\n\r\n'

    answer = asked(serve(lambda client: client.sendall(refusal.encode())))

    assert answer == RegistryError("127.0.0.1: sends more than 64 KiB")


def test_a_token_that_is_nested_without_end_is_none(serve: Callable[[Say], str]) -> None:
    realm = serve(body("[" * 60_000))
    refusal = f'HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm="{realm}"\r\nContent-Length: 0\r\n\r\n'

    answer = asked(serve(lambda client: client.sendall(refusal.encode())))

    assert answer == RegistryError("127.0.0.1: nested too deep")


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate for loopback that this process trusts, and its key."""
    pem = tmp_path / "server.pem"
    names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", pem, "-out", tmp_path / "ca.pem", *names)
    with pem.open("a") as file:
        file.write((tmp_path / "ca.pem").read_text())
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return pem


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("http://127.0.0.1:9/x", "it leads from https to http, which is refused"),
        ("ftp://127.0.0.1/x", "it leads from https to ftp, which is refused"),
        ("file:///etc/passwd", "it answers 302"),
        ("/again", "it answers 302"),
    ],
    ids=["to http", "to ftp", "to a file", "in a circle"],
)
def test_a_server_behind_https_leads_nowhere_else(
    place: str, reason: str, serve: Callable[[Say], str], tls: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls)
    server = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        while True:
            with context.wrap_socket(server.accept()[0], server_side=True) as client:
                client.recv(65536)
                client.sendall(f"HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode())

    threading.Thread(target=answer, daemon=True).start()

    with pytest.raises(web.FAILURES) as error:
        web.fetch(f"https://localhost:{server.getsockname()[1]}/", patience=5)

    assert web.failure(error.value) == reason


@pytest.mark.usefixtures("serve")
def test_a_password_in_an_address_goes_to_its_server_alone() -> None:
    heard: list[bytes] = []

    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"

        def answer() -> None:
            for reply in (b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n", OK + b"\r\nhere"):
                with listener.accept()[0] as client:
                    heard.append(client.recv(65536))
                    client.sendall(reply)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        assert web.fetch(f"http://ana:hunter2@{address}/a") == b"here"
        thread.join()

    assert b"Authorization: Basic YW5hOmh1bnRlcjI=" in heard[0]
    assert b"Authorization" not in heard[1]
    with pytest.raises(web.FAILURES) as error:
        web.fetch("http://ana:hunter2@127.0.0.1:9/a")
    assert "hunter2" not in web.failure(error.value)


def test_a_list_of_digests_names_files_and_nothing_else() -> None:
    text = f"{A}  ./wanted\n../../etc/cron.d/x  ./wanted\n{'B' * 64} *other\n{A}  ./unwanted\n{A}  ../wanted\n\xff\n"

    assert release_checksums.parse_checksums(text.encode("latin-1"), {"wanted", "other"}) == {
        "wanted": A,
        "other": "b" * 64,
    }
    with pytest.raises(ValueError, match="two digests of wanted"):
        release_checksums.parse_checksums(f"{A}  wanted\n{'b' * 64}  wanted\n".encode(), {"wanted"})


def uploads(url: str) -> None:
    list(ReleaseUpload(url, ["a.tgz"], {}).files())


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return archive_cache.cache_directory()


@pytest.mark.parametrize("digest", ["../../../escaped", "/tmp/escaped", "a" * 63, "."])
def test_a_digest_is_no_path(digest: str, tmp_path: Path, serve: Callable[[Say], str], cache: Path) -> None:
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(UploadError, match=r"sha256sum.txt names no a.tgz"):
        uploads(serve(body(f"{digest}  ./a.tgz\n")))

    assert sorted(tmp_path.rglob("*")) == before


def test_an_archive_without_end_is_given_up_and_leaves_nothing(
    cache: Path, serve: Callable[[Say], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_cache, "MAX_ARCHIVE", 2 << 20)
    url = serve(endless(CHUNKED, HALF_A_MIB))

    with pytest.raises(UploadError, match=r"a\.tgz has more than 2 MiB"):
        list(ReleaseUpload(url, ["a.tgz"], {"a.tgz": A}).files())

    assert [path.name for path in cache.iterdir()] == [f"{A}-a.tgz.lock"]
    assert cache.stat().st_mode & 0o777 == 0o700


def test_a_disk_that_would_be_full_is_named(
    cache: Path, serve: Callable[[Say], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_cache, "MIN_FREE", 1 << 60)

    with pytest.raises(UploadError, match=r"a\.tgz does not fit: .* has less than .* free"):
        list(ReleaseUpload(serve(body("x")), ["a.tgz"], {"a.tgz": A}).files())


def test_an_archive_that_swells_when_unpacked_is_given_up(
    cache: Path, serve: Callable[[Say], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = subprocess.run(["zstd", "-q"], input=b"\0" * (8 << 20), capture_output=True, check=True).stdout
    monkeypatch.setattr(archive_cache, "MAX_ARCHIVE", 4 << 20)
    digest = hashlib.sha256(bomb).hexdigest()

    with pytest.raises(UploadError, match=r"tar\.zst, unpacked, has more than 4 MiB"):
        list(ReleaseUpload(serve(body(bomb)), ["a.tar.zst"], {"a.tar.zst": digest}, plain=True).files())

    assert not [path for path in cache.iterdir() if path.suffix in {".part", ".tar"}]


def test_an_index_of_images_has_digests() -> None:
    oci.check_image(json.dumps({"manifests": [{"digest": f"sha256:{A}"}]}).encode())
    for text in (b"{}", b'{"manifests": [1]}', b'{"manifests": [{"digest": "x"}]}', b'{"layers": {}}', b"[" * 9999):
        with pytest.raises(ValueError, match=r"not|nested"):
            oci.check_image(text)
