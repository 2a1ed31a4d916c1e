"""The unit that pulls a model, run here against answers as Ollama words them (server/routes.go, v0.32.15)."""

from __future__ import annotations

import hashlib
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from fleethands.operations.core import scripts
from fleethands.script import Script
from tests.helpers.webserver import CHUNKED, HALF_A_MIB, Say, body, endless

WEIGHTS = b"weights" * 100
HEX = hashlib.sha256(WEIGHTS).hexdigest()
MANIFEST = json.dumps(
    {"config": {"size": len(WEIGHTS), "digest": f"sha256:{HEX}"}, "layers": [], "schemaVersion": 2}, indent=1
).encode()
DIGEST = hashlib.sha256(MANIFEST).hexdigest()
STARTED = {"status": "pulling manifest"}
SUCCESS = [STARTED, {"status": "success"}]
SILENCE = None
# the user who runs this test owns every file, and the user `ollama` may not exist
ANYBODY = """
numbers_of() { echo 1:1; }
as_owner() { shift 2; "$@"; }
"""


class Recorded(ThreadingHTTPServer):
    """Answers each pull with the next of `answers`: lines, after which SILENCE keeps the connection open."""

    daemon_threads = True

    def __init__(self, answers: list[list[Any]], manifest: int) -> None:
        self.answers, self.manifest, self.pulls = answers, manifest, 0
        self.fetched, self.given = list[str](), dict[str, bytes]()
        self.refused = list[str]()  # the blobs that Ollama would store under another digest
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Recorded

    def do_GET(self) -> None:
        found = self.path.startswith("/v2/")
        self.send_response(self.server.manifest if found else 200)
        self.end_headers()
        if "/blobs/" in self.path:
            self.server.fetched.append(self.path.rpartition(":")[2])
            self.wfile.write(WEIGHTS)
        else:
            self.wfile.write(MANIFEST if found else b'{"version":"0.24.0"}')

    def do_POST(self) -> None:
        if self.path.startswith("/api/blobs/sha256:"):
            digest, content = self.path.rpartition(":")[2], self.rfile.read(int(self.headers["Content-Length"]))
            is_whole = hashlib.sha256(content).hexdigest() == digest
            self.server.given |= {digest: content} if is_whole else {}
            self.server.refused += [] if is_whole else [digest]
            self.send_response(201 if is_whole else 400)
            self.end_headers()
            return
        lines = self.server.answers[self.server.pulls]
        self.server.pulls += 1
        self.send_response(200)
        self.end_headers()
        for line in lines:
            if line is SILENCE:
                time.sleep(30)
            else:
                self.wfile.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")  # as Go does
                self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


class Pulled:
    """How one run of the puller ended."""

    def __init__(self, place: Path, server: Recorded) -> None:
        outcome = place / "run" / "outcome"
        self.said = outcome.read_text() if outcome.exists() else ""
        self.pulls, self.fetched, self.given = server.pulls, server.fetched, server.given
        self.refused = server.refused
        self.orderly = not (place / "marker").exists()


@contextmanager
def serving(answers: list[list[Any]], manifest: int) -> Iterator[Recorded]:
    with Recorded(answers, manifest) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


def pull(tmp_path: Path, *answers: list[Any], manifest: int = 200, unclean: str = "", **values: str) -> Pulled:
    """Run it in a directory of its own, where a model's manifest is already, with little patience."""
    (tmp_path / "run").mkdir(exist_ok=True)
    (tmp_path / "blobs").mkdir(exist_ok=True)
    (tmp_path / "marker").write_text("m\n")
    (tmp_path / "manifest").write_bytes(MANIFEST)
    with serving(list(answers), manifest) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        defaults = {
            "name": "m", "request": "{}", "url": url, "place": str(tmp_path / "run"), "digest": "",
            "marker": str(tmp_path / "marker"), "manifest_url": f"{url}/v2/m/manifests/7b", "models_dir": str(tmp_path),
            "manifest": str(tmp_path / "manifest"), "patience": "2", "tries": "2", "margin": "1", "floor": "1",
            "renewal": "pin it: digest ", "container": "none",
        }  # fmt: skip
        body = scripts.join("web", "owned") + ANYBODY + scripts.join("blobs", "spelled", "small_blobs", "puller")
        text = Script(body, {**defaults, **values}).text
        words = ["env", f"unclean={unclean}", "sh", "-s"]
        subprocess.run(words, input=text.encode(), timeout=60, check=True, capture_output=True)
        return Pulled(tmp_path, server)


def refused(text: str) -> list[Any]:
    return [STARTED, {"error": text}]


def test_success_leaves_nothing(tmp_path: Path) -> None:
    done = pull(tmp_path, SUCCESS)

    assert (done.said, done.pulls, done.orderly) == ("", 1, True)
    assert not (tmp_path / "run").exists()


def test_small_blobs_are_given_to_ollama_before_it_pulls(tmp_path: Path) -> None:
    done = pull(tmp_path, SUCCESS)

    assert done.given == {HEX: WEIGHTS}
    assert done.pulls == 1


def manifest_of(tmp_path: Path, *layers: tuple[str, int]) -> None:
    """What the registry is taken to have answered."""
    (tmp_path / "run").mkdir()
    rows = [{"digest": f"sha256:{digest}", "size": size} for digest, size in layers]
    (tmp_path / "run" / "manifest").write_text(json.dumps({"layers": rows}))


def test_a_large_blob_and_one_that_is_there_are_left_to_ollama(tmp_path: Path) -> None:
    manifest_of(tmp_path, ("a" * 64, 1 << 16), (HEX, len(WEIGHTS)), ("b" * 64, 10))
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / f"sha256-{HEX}").write_bytes(WEIGHTS)

    done = pull(tmp_path, SUCCESS)

    assert done.fetched == ["b" * 64]
    assert done.given == {}  # the registry sent more than it had said
    assert done.said == ""


def test_other_bytes_than_the_manifest_says_are_not_given_to_ollama(tmp_path: Path) -> None:
    manifest_of(tmp_path, ("b" * 64, len(WEIGHTS)))

    done = pull(tmp_path, SUCCESS)

    assert done.fetched == ["b" * 64]
    assert (done.given, done.refused) == ({}, [])
    assert done.pulls == 1


def test_a_registry_with_many_blobs_is_asked_for_a_few(tmp_path: Path) -> None:
    manifest_of(tmp_path, *((f"{number:064x}", 700) for number in range(30)))

    done = pull(tmp_path, SUCCESS)

    assert len(done.fetched) == 8
    assert done.pulls == 1


@pytest.mark.parametrize(
    ("error", "reason", "hint"),
    [
        ("pull model manifest: file does not exist", "the registry has no model m", "https://ollama.com/search"),
        ("write /x/sha256-a-partial: no space left on device", "no space left on device", "df -h"),
        ("tls: failed to verify certificate: x509: unknown authority", "x509", "update-ca-certificates"),
        ("pull model manifest: insecure protocol http", "insecure protocol http", "insecure: true"),
        ("open /x/sha256-a-partial-0: permission denied", "permission denied", "on the host: chown -R ollama: '"),
        ("pull model manifest: 401: {}", "the registry refuses m", "id_ed25519.pub"),
    ],
)
def test_what_will_not_pass_is_named_at_once(tmp_path: Path, error: str, reason: str, hint: str) -> None:
    done = pull(tmp_path, refused(error))

    first, *hints = done.said.splitlines()
    assert first.startswith("error: ")
    assert reason in first
    assert hint in hints[0]
    assert done.pulls == 1
    assert done.orderly


def test_what_may_pass_is_tried_again_and_not_for_ever(tmp_path: Path) -> None:
    done = pull(tmp_path, refused('pull model manifest: 500: it said "no"\n'), refused("connection reset"))

    assert done.said.startswith("error: pull of m ended early: connection reset\nhint: run again: what was downloaded")
    assert done.pulls == 2
    (tmp_path / "again").mkdir()
    assert pull(tmp_path / "again", refused("connection reset"), SUCCESS).said == ""


def test_a_stall_ends_the_request_and_asks_again(tmp_path: Path) -> None:
    progress = {"status": f"pulling {HEX[:12]}", "digest": f"sha256:{HEX}", "total": 700, "completed": 100}

    done = pull(tmp_path, [STARTED, progress, SILENCE], SUCCESS)

    assert (done.said, done.pulls) == ("", 2)


@pytest.mark.parametrize("error", ["EOF", "unexpected end of JSON input"])
def test_part_files_that_cannot_be_read_go_once(tmp_path: Path, error: str) -> None:
    parts = [tmp_path / "blobs" / f"sha256-{HEX}-partial{end}" for end in ("", "-0", "-1")]
    other = tmp_path / "blobs" / f"sha256-{DIGEST}-partial-0"
    (tmp_path / "blobs").mkdir()
    for file in (*parts, other):
        file.touch()

    done = pull(tmp_path, refused(error), refused(error))

    assert [file.exists() for file in (*parts, other)] == [False, False, False, True]
    assert done.said.startswith(f"error: pull of m ended early: {error}\n")
    assert done.pulls == 2


def test_a_tag_that_is_not_the_pinned_one_is_never_pulled(tmp_path: Path) -> None:
    done = pull(tmp_path, digest="a" * 64)

    assert done.said.startswith(f"error: the tag m moved: the registry has {DIGEST}, pinned is {'a' * 64}\n")
    assert done.pulls == 0


def test_a_pin_that_cannot_be_compared_leaves_what_is_there(tmp_path: Path) -> None:
    done = pull(tmp_path, manifest=500, digest="a" * 64)

    assert "cannot ask the registry for the digest of m" in done.said
    assert done.pulls == 0


def test_too_little_room_is_named_with_what_is_needed(tmp_path: Path) -> None:
    done = pull(tmp_path, margin=str(1 << 60))

    assert done.said.startswith(f"error: model m needs {(1 << 40) + 1} MiB, {tmp_path}/blobs has ")
    assert done.pulls == 0


def test_a_manifest_without_end_fills_nothing_and_is_named(tmp_path: Path, serve: Callable[[Say], str]) -> None:
    done = pull(tmp_path, manifest_url=serve(endless(CHUNKED, HALF_A_MIB)))

    assert done.said.startswith(
        "error: the registry sends more than 64 KiB as manifest of m\nhint: see it, on the host"
    )
    assert done.pulls == 0
    assert done.orderly


@pytest.mark.parametrize(
    ("size", "needed"),
    [("08", 8), ("00", None), ("1e999", None), ("9" * 30, None), ("-1", None), ('"8"', None), ("9" * 15, 10**15 - 1)],
)
def test_no_size_ends_a_pull_without_a_word(
    size: str, needed: int | None, tmp_path: Path, serve: Callable[[Say], str]
) -> None:
    text = f'{{"config": {{"digest": "sha256:{DIGEST}", "size": {size}}}, "layers": []}}'

    done = pull(tmp_path, SUCCESS, manifest_url=serve(body(text)), margin=str(1 << 60))

    if needed is None:
        assert (done.said, done.pulls, done.orderly) == ("", 1, True)
    else:
        mebibytes = (needed + (1 << 60) + 1048575) // 1048576
        assert done.said.startswith(f"error: model m needs {mebibytes} MiB, ")


def test_words_of_a_registry_are_one_line_of_limited_length(tmp_path: Path) -> None:
    done = pull(tmp_path, refused("x509: " + "a" * 3000))

    assert max(map(len, done.said.splitlines())) < 600


def test_after_a_crash_a_blob_with_other_bytes_comes_anew(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    blob = tmp_path / "blobs" / f"sha256-{HEX}"
    blob.write_bytes(WEIGHTS[:-1] + b"x")

    done = pull(tmp_path, SUCCESS, SUCCESS, unclean="yes")

    assert (done.said, done.pulls, blob.exists()) == ("", 2, False)
