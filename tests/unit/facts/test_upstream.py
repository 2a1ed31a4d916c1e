"""What hosts ask of hostile servers outside, run here: it ends in time, and says why there is no answer."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from fleethands.facts.parse_probe import parse_probe
from fleethands.facts.probe_request import ProbeRequest
from fleethands.facts.upstream import Offer
from tests.answers import answer
from tests.helpers.webserver import CHUNKED, HALF_A_MIB, OK, Say, body, endless
from tests.hosts import declared

A = "a" * 64
UPSTREAM, RELEASE = "facts/upstream.sh", "operations/ollama/release.sh"
SMALL = {"config": {"digest": f"sha256:{A}", "size": 5}, "layers": []}


def offered(kind: str, url: str) -> Offer:
    """What a whole probe of this machine learns of a model, or of an archive, there."""
    model = {"name": f"{url.removeprefix('http://')}/team/m", "insecure": True}
    mirror = url if kind == "archive" else "file:///no/such/mirror"
    settings = declared(models=[model] if kind == "model" else [], ollama_url=mirror, openhands_flavor="off")
    question = ProbeRequest.create(settings)
    (found,) = [offer for offer in parse_probe(answer(question), question).upstream.offers if offer.kind == kind]
    return found


@pytest.mark.parametrize(
    ("say", "reason"),
    [
        (endless(CHUNKED, HALF_A_MIB), "its answer is too long"),
        (endless(OK + b"Content-Length: 9\r\n\r\n", b"a", pause=9), "no answer within 8 s"),
        (body(json.dumps(SMALL).replace("5}", "1e999}")), "its registry answers no manifest"),
        (body(json.dumps(SMALL).replace("5}", "08}")), "its registry answers no manifest"),
        (body("[" * 60_000), "its registry answers no manifest"),
        (body(b"\0\xff" * 1000), "its registry answers no manifest"),
        (body("\n404 0\n200"), "its registry answers no manifest"),
    ],
    ids=["endless", "a byte at a time", "1e999", "08", "nested", "no text", "forged status"],
)
def test_a_hostile_registry_is_named_and_the_host_stays_readable(
    say: Say, reason: str, serve: Callable[[Say], str]
) -> None:
    found = offered("model", serve(say))

    assert (found.state != "ok", found.reason, found.size) == (True, reason, None)


def test_a_manifest_is_still_read_to_its_last_byte(serve: Callable[[Say], str]) -> None:
    found = offered("model", serve(body(json.dumps(SMALL) + "\n\n")))

    assert (found.state, found.size) == ("ok", 5)
    assert len(found.digest or "") == 64


@pytest.mark.parametrize("length", ["9" * 5000, "-5", "0x10", "1e9", "\xb2"])
def test_a_length_that_is_no_number_is_none(length: str, serve: Callable[[Say], str]) -> None:
    reply = f"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"

    found = offered("archive", serve(lambda client: client.sendall(reply.encode("latin-1"))))

    assert found.size in {None, 5}


def called(script: str, function: str, tmp_path: Path, **values: str) -> subprocess.CompletedProcess[str]:
    """What a function of facts/upstream.sh, or of release.sh, says; in a directory of its own."""
    known = {
        "version": "0.24.0", "url": "x", "archives": "a.tgz", "sha256": "", "variant": "whole", "keep": "2",
        "by_proxy": "", "spare": "", "sent": "", "prefix": "p", "digests": "", "renew": "", "fetcher": "",
        "keeps_parts": "no",
        "offers": "", "models_dir": "/x", "manifest_type": "x", "gguf_header": "", "ollama_version": "0.24.0",
    }  # fmt: skip
    package = files("fleethands")
    web, text = (package.joinpath(path).read_text() for path in ("web.sh", script))
    lines = [f"{name}='{value}'" for name, value in {**known, **values}.items()]
    lines += [
        "exported() { :; }",
        'within() { timeout -s KILL "$@"; }',
        "fail() { printf 'error: %s\\n' \"$@\"; exit 1; }",
        web,
    ]
    lines += [text.partition("\nmkdir -p /opt/ollama")[0], f"work='{tmp_path}'", function]
    return subprocess.run(["sh"], input="\n".join(lines), capture_output=True, text=True, timeout=60, check=False)


def test_a_git_server_that_talks_for_ever_is_ended(tmp_path: Path, serve: Callable[[Say], str]) -> None:
    kind = b"Content-Type: application/x-git-upload-pack-advertisement\r\n"
    line = b"0043" + b"a" * 40 + b" refs/heads/main-a-b-c\n"
    url = serve(endless(OK + kind + b"\r\n001e# service=git-upload-pack\n0000", line * 500))
    begun = time.monotonic()

    done = called(UPSTREAM, f"at_most 65537 remote_refs '{url}/x.git *'", tmp_path)

    assert done.returncode != 0
    assert len(done.stdout) <= 65537
    assert time.monotonic() - begun < 20


def test_git_is_led_from_https_to_nothing_else(tmp_path: Path) -> None:
    done = called(
        UPSTREAM,
        'git() { echo "$GIT_ALLOW_PROTOCOL"; }; within() { shift; "$@"; }; '
        "remote_refs 'https://x/y main'; remote_refs 'http://x/y main'; remote_refs 'ssh://x/y main'",
        tmp_path,
    )

    assert done.stdout.split() == ["https", "http:https", "ssh"]


def test_curl_is_led_from_https_to_nothing_else(tmp_path: Path) -> None:
    done = called(
        UPSTREAM,
        'curl() { echo "$*"; }; curled https://x -o y; curled http://x; fetch \'url = "https://x"\' -I',
        tmp_path,
    )

    assert [line.partition("--proto-redir ")[2].split()[0] for line in done.stdout.splitlines()] == [
        "=https", "=https,http", "=https",
    ]  # fmt: skip


@pytest.mark.parametrize("announced", [0, 1])
def test_an_archive_without_end_fills_no_disk(announced: int, tmp_path: Path, serve: Callable[[Say], str]) -> None:
    (tmp_path / "a.tgz.size").write_text(f"{announced}\n")
    url = serve(endless(CHUNKED, HALF_A_MIB))

    done = called(
        RELEASE, "df() { printf 'x\\n/ 1 1 2048 1 /\\n'; }; archive=a.tgz; download_archive", tmp_path, url=url
    )

    assert done.stdout.startswith(f"error: {url}/v0.24.0/a.tgz has more than the 1 MiB that it may have\n")
    assert (tmp_path / "a.tgz").stat().st_size <= 2 << 20


def test_a_list_without_end_is_none(tmp_path: Path, serve: Callable[[Say], str]) -> None:
    url = serve(endless(CHUNKED, HALF_A_MIB))

    done = called(RELEASE, "archive=a.tgz; look_up_checksum", tmp_path, url=url)

    assert done.stdout.startswith(f"error: cannot fetch {url}/v0.24.0/sha256sum.txt\n")
    assert (tmp_path / "sums").stat().st_size <= 1 << 20


@pytest.mark.parametrize("digest", ["../x", "a" * 63, "A" * 64, "a" * 64 + "\\n"])
def test_a_list_names_digests_or_nothing(digest: str, tmp_path: Path, serve: Callable[[Say], str]) -> None:
    url = serve(body(f"{digest}  ./a.tgz\n"))

    done = called(RELEASE, 'archive=a.tgz; look_up_checksum; echo "found $expected"', tmp_path, url=url)

    assert done.stdout == f"error: {url}/v0.24.0/sha256sum.txt names no a.tgz\n" + done.stdout.partition("\n")[2]
    assert "found" not in done.stdout


@pytest.mark.parametrize(("length", "size"), [("1048576", "1048576"), ("9" * 400, "0"), ("1e999", "0"), ("", "0")])
def test_the_size_of_an_archive_is_a_number(
    length: str, size: str, tmp_path: Path, serve: Callable[[Say], str]
) -> None:
    reply = f"HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: {length}\r\n\r\n"
    url = serve(lambda client: client.sendall(reply.encode()))

    assert called(RELEASE, "archive_bytes a.tgz", tmp_path, url=url).stdout == f"{size}\n"


@pytest.mark.parametrize(("target", "refused"), [("ollama", False), ("../../../outside", True), ("/etc/passwd", True)])
def test_links_inside_a_release_are_known_where_its_own_place_is_one(
    target: str, refused: bool, tmp_path: Path
) -> None:
    (tmp_path / "re+al[1]/tree/bin").mkdir(parents=True)
    (tmp_path / "re+al[1]/tree/bin/ollama").touch()
    (tmp_path / "re+al[1]/tree/bin/link").symlink_to(target)
    (tmp_path / "opt").symlink_to(tmp_path / "re+al[1]")

    done = called(RELEASE, "archive=a.tgz hint_again=x; check_file_types && echo fine", tmp_path / "opt")

    assert ("fine" not in done.stdout) is refused, done.stdout + done.stderr
