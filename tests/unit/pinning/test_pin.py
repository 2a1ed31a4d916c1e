"""fleethands.lock: how it is read and held to, and how registries are asked."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from fleethands import web
from fleethands.facts.docker import SPEC_LABEL, Container, Docker
from fleethands.facts.upstream import Upstream
from fleethands.operations.core.decision import Change, Refused, Unchanged
from fleethands.operations.models import models
from fleethands.operations.ollama import release, release_archives
from fleethands.operations.openhands import container
from fleethands.operations.openhands.container_spec import container_spec
from fleethands.operations.preflight import preflight
from fleethands.pinning import registry, resolve
from fleethands.pinning.registry import RegistryError
from fleethands.settings import HostSettings, LockfileError, SettingsError, lockfile, read_fleet, serialize
from fleethands.settings.apply_pins import find_pinnable
from fleethands.settings.lockfile import Lockfile, LockfileContents, ModelPin
from fleethands.settings.values.images import at_digest, locate_image
from tests.helpers.command_line import fleethands
from tests.hosts import bare

A, B = "a" * 64, "b" * 64
GUIDE = "ghcr.io/all-hands-ai/openhands:main"
ARCHIVE = "ollama-linux-amd64.tar.zst"
DATA: dict[str, Any] = {"models": ["codellama:7b"], "ollama_version": "0.24.0", "openhands_image": GUIDE}
DOCUMENT = LockfileContents(
    ollama={"0.24.0": {ARCHIVE: A, "ollama-linux-amd64-rocm.tar.zst": B}},
    models={"codellama:7b": ModelPin(digest=A, size=3_825_910_662)},
    images={GUIDE: f"sha256:{A}"},
)


def held(document: LockfileContents = DOCUMENT, **data: Any) -> HostSettings:
    """Settings of one host under a lock."""
    return read_fleet({"host": {**DATA, **data}}, Lockfile(document, Path("fleethands.lock")))["host"]


def test_a_lock_is_sorted_and_has_a_value_a_line(tmp_path: Path) -> None:
    path = lockfile.lockfile_path(tmp_path)

    lockfile.write_lockfile(path, DOCUMENT)

    assert lockfile.load_lockfile(path) == Lockfile(DOCUMENT, path)
    text = path.read_text()
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n"
    assert [line for line in text.splitlines() if line.count(A) + line.count(B) > 1] == []


def test_a_lock_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = lockfile.lockfile_path(tmp_path)
    path.write_text("as it was")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OSError, match="No space left"):
        lockfile.write_lockfile(path, DOCUMENT)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [(path.name, "as it was")]


BROKEN = [
    ('{\n<<<<<<< HEAD\n  "schema": 1\n', ", line 2: unresolved merge conflict (`<<<<<<< HEAD`)"),
    ('{\n  "schema": 1,\n}\n', ", line 3: not JSON: "),
    ('{"schema": 1, "models": {"m": {}, "m": {}}}', ": `m` appears twice"),
    ('{"schema": 2}', ": schema 2 is newer than this fleethands, which reads 1"),
    ("[]", ": expected `schema`: 1, got null"),
    ('{"schema": 1, "model": {}}', ": `model`: no such entry"),
    ('{"schema": 1, "images": {"i": "sha256:12"}}', ": `images.i`: expected a sha256 in lower-case hex digits"),
    (f'{{"schema": 1, "models": {{"m": {{"digest": "{A}"}}}}}}', ": `models.m.size`: field required"),
    ("[" * 100_000, ": nested too deep"),
]


@pytest.mark.parametrize(("text", "said"), BROKEN, ids=range(len(BROKEN)))
def test_a_broken_lock_is_named_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "fleethands.lock"
    path.write_text(text)

    with pytest.raises(LockfileError) as error:
        lockfile.load_lockfile(path)

    assert str(error.value).startswith(f"{path}{said}")
    assert "\n" not in str(error.value)
    assert error.value.hints


def test_what_is_no_text_or_no_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "fleethands.lock").write_bytes(b"\xff\xfe")
    with pytest.raises(LockfileError, match="it is not text"):
        lockfile.load_lockfile(tmp_path / "fleethands.lock")
    with pytest.raises(LockfileError, match="Is a directory"):
        lockfile.load_lockfile(tmp_path)


def test_a_broken_lock_stops_every_way_of_running_before_a_host_is_reached(tmp_path: Path) -> None:
    fleethands("init", "boxes", cwd=tmp_path)
    (tmp_path / "boxes/fleethands.lock").write_text("<<<<<<< HEAD\n")
    line = "fleethands.lock, line 1: unresolved merge conflict (`<<<<<<< HEAD`)"
    for command in ("plan", "pin"):
        done = fleethands(command, "root@192.0.2.1", "--data", 'models=["m"]', cwd=tmp_path / "boxes")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"error: {tmp_path}/boxes/{line}\n\nhint: keep one side: `git checkout")
    stock = [
        sys.executable,
        "-c",
        "from pyinfra_cli.main import main; main()",
        "@local",
        "deploy.py",
        "--dry",
    ]
    ended = subprocess.run(stock, cwd=tmp_path / "boxes", capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert f"nothing was changed\n\nerror: {tmp_path}/boxes/{line}\n\nhint: keep one side: `git" in ended.stderr


def test_without_a_lock_nothing_is_held(tmp_path: Path) -> None:
    lock = lockfile.load_lockfile(lockfile.lockfile_path(tmp_path))
    settings = read_fleet({"host": DATA}, lock)["host"]

    assert (settings.models[0].digest, settings.container_image, settings.pins.missing) == (None, GUIDE, ())


def test_models_images_and_archives_are_held() -> None:
    settings = held()

    assert settings.models[0].digest == A
    assert settings.container_image == f"ghcr.io/all-hands-ai/openhands@sha256:{A}"
    assert settings.openhands_image == GUIDE
    assert release_archives.pinned_checksums(settings, "amd64") == DOCUMENT.ollama["0.24.0"]


def test_what_the_lock_does_not_have_is_said_in_the_plan() -> None:
    settings = held(models=["codellama:7b", "other"], ollama_version="0.24.1")

    decision = preflight.check.decide(settings, bare(settings))

    assert isinstance(decision, Unchanged)
    assert decision.notes == (
        "fleethands.lock does not pin Ollama 0.24.1, other:latest; on this machine: fleethands pin",
    )


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"ollama_sha256": B}, "ollama_sha256"),
        ({"ollama_sha256": {"amd64": B}}, "ollama_sha256.amd64"),
        ({"models": [{"name": "codellama:7b", "digest": B}]}, "models.0.digest"),
    ],
)
def test_a_contradiction_is_a_mistake(data: dict[str, Any], path: str) -> None:
    with pytest.raises(SettingsError) as error:
        held(**data)

    (mistake,) = error.value.mistakes
    assert mistake.path == path
    assert mistake.problem.startswith(f"expected `{A}` from fleethands.lock, got `{B}`")


def test_what_is_declared_by_digest_needs_no_pin() -> None:
    data = {"models": [{"name": "m", "digest": B}], "ollama_sha256": B, "openhands_image": f"{GUIDE}@sha256:{B}"}

    settings = held(LockfileContents(), **data)

    assert settings.pins.missing == ()
    assert resolve.PinnableFleet.from_settings([settings]).names == frozenset()


def test_what_a_modelfile_starts_from_is_held(tmp_path: Path) -> None:
    (tmp_path / "Modelfile").write_text("FROM codellama:7b\n")
    settings = held(models=[{"name": "mine", "modelfile": str(tmp_path / "Modelfile")}])

    (change,) = models.pull.decide(settings, bare(settings), _files(settings))

    assert (change.subject, change.after) == ("model codellama:7b", f"digest {A[:12]}")
    assert settings.pins.missing == ()


def _files(settings: HostSettings) -> Any:
    from fleethands.settings.values import modelfile  # noqa: PLC0415

    return modelfile.load_modelfiles(settings)


def test_a_moved_tag_is_refused_where_the_host_is_offered_another() -> None:
    settings = held()
    offer = _offer(settings, B)

    refused = models.pull.decide(settings, bare(settings).replace(upstream=Upstream((offer,))))

    assert refused == Refused(
        f"the tag codellama:7b moved: the registry has {B}, pinned is {A}",
        ("if the new one is wanted, on this machine: fleethands pin --only codellama:7b",),
    )


def _offer(settings: HostSettings, digest: str) -> Any:
    from fleethands.facts.upstream import OK, Offer  # noqa: PLC0415

    return Offer("model", str(settings.models[0].name), "https://registry.ollama.ai", OK, digest=digest)


def test_an_archive_that_the_lock_lacks_is_refused() -> None:
    settings = held(LockfileContents(ollama={"0.24.0": {ARCHIVE: A}}), ollama_variant="rocm")

    assert release.install.decide(settings, bare(settings)) == Refused(
        "fleethands.lock has Ollama 0.24.0, but not its ollama-linux-amd64-rocm.tar.zst",
        ("on this machine: fleethands pin",),
    )


def test_every_archive_of_a_release_is_held_to_the_lock() -> None:
    settings = held(ollama_variant="rocm")

    change = release.install.decide(settings, bare(settings))

    assert isinstance(change, Change)
    assert change.script.values["digests"] == f"{A}  ./{ARCHIVE}\n{B}  ./ollama-linux-amd64-rocm.tar.zst\n"


@pytest.mark.parametrize(
    ("runs", "known", "wrong"),
    [
        ("image-1", "image-1", None),
        ("image-1", "image-2", f"made from another image than the pinned sha256:{A[:12]}"),
        ("image-1", None, f"made from another image than the pinned sha256:{A[:12]}"),
    ],
    ids=["the pinned one", "another one", "the pinned one is not on the host"],
)
def test_a_container_is_made_from_the_pinned_image(runs: str, known: str | None, wrong: str | None) -> None:
    settings = held(openhands_pull="always")
    labels = {SPEC_LABEL: container_spec(settings, -1).digest}
    seen = bare(settings).replace(
        docker=Docker(True, "26", Container("1", "running", runs, labels, ""), image=known, digests=frozenset())
    )

    decision = container.serve.decide(settings, seen)

    assert (decision.before if isinstance(decision, Change) else None) == wrong
    if isinstance(decision, Change):
        pins = decision.script.values["pins"]
        assert pins == f"{GUIDE} {at_digest(GUIDE, f'sha256:{A}')}"
        assert container.serve.decide(settings, decision.predict(seen)) == Unchanged("openhands-app runs as specified")


def test_the_image_of_sandboxes_is_pinned_where_it_is_known() -> None:
    known = held(openhands_image="docker.openhands.dev/openhands/openhands:1.11")
    declared = held(
        openhands_image="mine:1.12",
        openhands_env={"AGENT_SERVER_IMAGE_REPOSITORY": "r.example/agent", "AGENT_SERVER_IMAGE_TAG": "2"},
    )

    assert find_pinnable(known).images[1:] == ("ghcr.io/openhands/agent-server:1.34.0-python",)
    assert find_pinnable(declared).images == ("mine:1.12", "r.example/agent:2")
    assert find_pinnable(held(openhands_image="mine:1.12")).images == ("mine:1.12",)


@pytest.mark.parametrize(
    ("image", "place"),
    [
        ("nginx", ("registry-1.docker.io", "library/nginx", "latest")),
        ("team/app:1", ("registry-1.docker.io", "team/app", "1")),
        ("docker.io/nginx:1", ("registry-1.docker.io", "library/nginx", "1")),
        ("ghcr.io/a/b/c:main", ("ghcr.io", "a/b/c", "main")),
        ("localhost:5000/a", ("localhost:5000", "a", "latest")),
        (f"r.example/a:1@sha256:{A}", ("r.example", "a", f"sha256:{A}")),
    ],
)
def test_an_image_is_looked_for_where_docker_would(image: str, place: tuple[str, str, str]) -> None:
    assert locate_image(image) == place


def test_a_mirror_that_has_something_else_is_no_answer(tmp_path: Path) -> None:
    urls = []
    for name, digest in (("one", A), ("two", B)):
        home = tmp_path / name / "v0.24.0"
        home.mkdir(parents=True)
        (home / "sha256sum.txt").write_text(f"{digest}  ./{ARCHIVE}\n{A}  ./Ollama.dmg\n")
        urls.append(f"file://{tmp_path}/{name}")
    fleet = {url: {**DATA, "models": [], "openhands_flavor": "off", "ollama_url": url} for url in urls}
    hosts = read_fleet({url: {**data, "ollama_transfer": "controller"} for url, data in fleet.items()}, Lockfile())

    one = resolve.resolve_pins(resolve.PinnableFleet.from_settings([hosts[urls[0]]]))
    both = resolve.resolve_pins(resolve.PinnableFleet.from_settings(hosts.values()))
    on_hosts = resolve.resolve_pins(resolve.PinnableFleet.from_settings(read_fleet(fleet, Lockfile()).values()))

    assert (one.document.ollama, one.unanswered) == ({"0.24.0": {ARCHIVE: A}}, {})
    assert both.unanswered == {"Ollama 0.24.0": f"{urls[0]} and {urls[1]} have different checksums for {ARCHIVE}"}
    assert "set `ollama_sha256`" in on_hosts.unanswered["Ollama 0.24.0"]


def test_nothing_is_written_unless_all_is_answered(tmp_path: Path) -> None:
    data = [
        "--data",
        'models=["127.0.0.1:1/a/m"]',
        "--data",
        "ollama_url=http://127.0.0.1:1",
        "--data",
        f"openhands_image={GUIDE}@sha256:{A}",
    ]

    done = fleethands("pin", "root@192.0.2.1", *data, cwd=tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert "error: Ollama 0.32.15: 127.0.0.1: [Errno 111] Connection refused" in done.stderr
    assert "error: 127.0.0.1:1/a/m:latest: 127.0.0.1: [Errno 111] Connection refused" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_only_names_that_the_fleet_has(tmp_path: Path) -> None:
    done = fleethands(
        "pin", "root@192.0.2.1", "--data", 'models=["codellama:7b"]', "--only", "codelama:7b", cwd=tmp_path
    )

    assert done.returncode == 64
    error = "error: `codelama:7b` is not a version, model or image of this fleet"
    assert done.stderr == f"{error}\n\nhint: there is: `--only codellama:7b`\n"


class Standin(BaseHTTPRequestHandler):
    """A stand-in for a registry with anonymous tokens, as Docker Hub and ghcr.io have them."""

    realm = ""
    heard: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        self.heard.append((self.path, self.headers.get("Authorization")))
        if self.path.startswith("/token"):
            self._answer(200, b'{"token": "for-no-user"}')
        elif self.path == "/moved":
            self._answer(307, b"", Location="/elsewhere")
        elif self.path == "/large":
            self._answer(200, b" " * (web.MOST + 1))
        elif self.path != "/elsewhere" and self.headers.get("Authorization") != "Bearer for-no-user":
            challenge = f'Bearer realm="{self.realm}",service="s",scope="repository:a/b:pull"'
            self._answer(401, b"", **{"WWW-Authenticate": challenge})
        else:
            self._answer(200, b"here")

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing: no test reads it."""


@pytest.fixture
def standin(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, type[Standin]]]:
    monkeypatch.setenv("NO_PROXY", "*")

    class Handler(Standin):
        heard: list[tuple[str, str | None]] = []  # noqa: RUF012  of this test

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    url = f"http://127.0.0.1:{server.server_port}"
    Handler.realm = f"{url}/token?account=x"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield url, Handler
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_registry_that_wants_an_anonymous_token_gets_one(standin: tuple[str, type[Standin]]) -> None:
    url, handler = standin

    assert registry.fetch(f"{url}/v2/a/b", "image") == b"here"
    assert handler.heard == [
        ("/v2/a/b", None),
        ("/token?account=x&service=s&scope=repository%3Aa%2Fb%3Apull", None),
        ("/v2/a/b", "Bearer for-no-user"),
    ]


@pytest.mark.parametrize("realm", ["file:///etc/passwd", "ftp://127.0.0.1/x", ""])
def test_a_registry_cannot_have_files_of_this_machine_read(standin: tuple[str, type[Standin]], realm: str) -> None:
    url, handler = standin
    handler.realm = realm

    assert registry.fetch(f"{url}/v2/a/b", "image") == RegistryError("127.0.0.1 requires a login")
    assert len(handler.heard) == 1


def test_a_token_goes_to_nobody_else(standin: tuple[str, type[Standin]]) -> None:
    url, handler = standin

    assert web.fetch(f"{url}/moved", token="for-no-user") == b"here"  # noqa: S106  made up
    assert handler.heard == [("/moved", "Bearer for-no-user"), ("/elsewhere", None)]


def test_an_endless_answer_is_none(standin: tuple[str, type[Standin]]) -> None:
    assert registry.fetch(f"{standin[0]}/large", "image") == RegistryError("127.0.0.1: sends more than 4 MiB")


def test_a_release_record_keeps_what_was_declared_and_not_what_was_pinned() -> None:
    free = read_fleet({"host": DATA}, Lockfile())["host"]

    assert serialize.to_json(held()) == serialize.to_json(free)
    assert held().without_pins == free


def test_a_servers_words_do_nothing_to_a_terminal() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with server.accept()[0] as client:
                client.recv(4096)
                client.sendall(b"\x1b[2J\x1b]0;mine\x07HT\x9bTP\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        found = registry.fetch(f"http://127.0.0.1:{server.getsockname()[1]}/v2/m", "model", patience=10)
        thread.join()

    assert found == RegistryError("127.0.0.1: HT\ufffdTP")
