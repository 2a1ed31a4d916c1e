"""The header of a model's file, as a host reads it from a registry that leads to another server."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from threading import Thread
from typing import Any

import pytest

from fleethands.facts import upstream
from fleethands.facts.model_file import ModelFile, read_model_file
from fleethands.facts.probe_request import ProbeRequest
from fleethands.facts.to_json import to_json
from fleethands.facts.upstream import Offer
from tests.helpers.gguf_models import GgufModel
from tests.hosts import declared

MODEL = GgufModel("qwen3", 4, 256, 8, 4, 64, 768, 50_000)
FILE = MODEL.header() + bytes(5 << 20)
KIND = "application/vnd.ollama.image."
DIGESTS = {"model": "a" * 64, "params": "b" * 64, "projector": "c" * 64}


def manifest(**sizes: int) -> bytes:
    layers = [
        {"mediaType": f"{KIND}{kind}", "digest": f"sha256:{DIGESTS[kind]}", "size": size}
        for kind, size in sizes.items()
    ]
    return json.dumps({"config": {"digest": f"sha256:{'d' * 64}", "size": 5}, "layers": layers}, indent=2).encode()


class Registry:
    """A registry on this machine: a manifest, and blobs that another port has."""

    def __init__(self, body: bytes, blobs: dict[str, bytes], *, ranges: bool = True) -> None:
        self.asked: list[tuple[str, str, str]] = []
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                digest = self.path.rpartition(":")[2]
                registry.asked.append((self.path, self.headers["Range"] or "", self.headers["User-Agent"]))
                if "/blobs/" in self.path and self.server is registry.front:
                    self.send_response(307)
                    self.send_header("Location", f"http://localhost:{registry.back.server_port}{self.path}")
                    self.end_headers()
                    return
                data = body if "/manifests/" in self.path else blobs.get(digest)
                if data is None:
                    self.send_error(404)
                    return
                if ranges and self.headers["Range"]:
                    first, last = self.headers["Range"].removeprefix("bytes=").split("-")
                    data = data[int(first) : int(last) + 1]
                if not data:
                    self.send_error(416)
                    return
                self.send_response(206 if ranges and self.headers["Range"] else 200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                try:
                    self.wfile.write(data)
                except OSError:  # the reader has what it needs
                    self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

        self.front, self.back = (ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(2))
        for server in (self.front, self.back):
            Thread(target=server.serve_forever, daemon=True).start()

    def close(self) -> None:
        for server in (self.front, self.back):
            server.shutdown()
            server.server_close()

    def offer(self) -> Offer:
        """What a host learns of the model there."""
        model = {"name": f"127.0.0.1:{self.front.server_port}/team/m", "insecure": True}
        settings = declared(models=[model], ollama_url="file:///no/such/mirror", openhands_flavor="off")
        request = ProbeRequest.create(settings)
        values = {**request._host_values(), **request._upstream_values(), **request._fixed_values(), "by_proxy": ""}
        parts = [files("fleethands").joinpath(name).read_text() for name in ("facts/shell.sh", "web.sh")]
        text = files("fleethands").joinpath("facts/upstream.sh").read_text()
        (line,) = [each.line for each in upstream.required_downloads(settings) if each.kind == "model"]
        lines = [f"{name}={_quoted(value)}" for name, value in values.items()]
        lines += ["exported() { :; }", *parts, text, "machine=x86_64", f"ask {_quoted(line)}"]
        done = subprocess.run(["sh"], input="\n".join(lines), capture_output=True, text=True, timeout=60, check=True)
        (found,) = upstream.parse_upstream(settings, done.stdout.splitlines()).offers
        return found


def _quoted(text: str) -> str:
    escaped = text.replace("'", "'\\''")
    return f"'{escaped}'"


@pytest.fixture
def registries() -> Iterator[list[Registry]]:
    made: list[Registry] = []
    yield made
    for each in made:
        each.close()


def serve(registries: list[Registry], *args: Any, **options: Any) -> Registry:
    registries.append(Registry(*args, **options))
    return registries[-1]


@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "whole file"])
def test_a_host_reads_the_header_of_a_model_that_it_lacks(registries: list[Registry], ranges: bool) -> None:
    blobs = {DIGESTS["model"]: FILE, DIGESTS["params"]: b'{"num_ctx": 8192, "stop": ["x"], "temperature": 1}'}
    registry = serve(registries, manifest(model=len(FILE), params=50, projector=1000), blobs, ranges=ranges)

    found = registry.offer()

    assert (found.state, found.size) == ("ok", len(FILE) + 1055)
    assert found.file is not None
    assert found.file.shape is not None
    assert (found.file.shape.architecture, found.file.shape.vocabulary) == ("qwen3", 50_000)
    assert (found.file.extra, found.file.parameters, found.file.problem) == (1000, {"num_ctx": 8192}, "")
    asked = [each for each in registry.asked if DIGESTS["model"] in each[0]]
    assert {each[2] for each in asked} == {"ollama/0.24.0"}
    assert [each[1] for each in asked] == ["bytes=0-65535"] * 2 + [
        "bytes=0-8388607"
    ] * 2  # each leads to the other server


@pytest.mark.parametrize(
    ("blobs", "problem"),
    [
        ({}, "its header did not arrive, or not within 8 s"),
        ({DIGESTS["model"]: b"<html>no such thing</html>"}, "its file has no GGUF header that fleethands can read"),
        ({DIGESTS["model"]: FILE[:20_000]}, "its header did not arrive, or not within 8 s"),
    ],
    ids=["404", "HTML", "cut off"],
)
def test_a_header_that_does_not_arrive_has_a_reason(
    registries: list[Registry], blobs: dict[str, bytes], problem: str
) -> None:
    found = serve(registries, manifest(model=9), blobs).offer()

    assert found.file == ModelFile(None, problem)


def test_a_limit_of_downloads_holds_for_headers() -> None:
    script = ProbeRequest.create(declared(download_limit="16 KiB/s"), upstream=True).script

    assert "header_rate=16384" in script
    assert '${header_rate:+--limit-rate "$header_rate"}' in script


def test_a_model_without_a_gguf_file_has_a_reason(registries: list[Registry]) -> None:
    assert serve(registries, manifest(params=5), {DIGESTS["params"]: b"{}"}).offer().file == ModelFile(
        None, "it is not one GGUF file"
    )


@pytest.mark.parametrize(
    ("body", "header", "parameters", "problem"),
    [
        (manifest(model=9), b"status 127\n", b"", "perl is not on the host"),
        (manifest(model=9), b"status many\n", b"", "its registry's answer cannot be read"),
        (manifest(model=9), b"", b"", "its file ends within its header"),
        (manifest(model=9), MODEL.header(), b"[1]", "its registry's answer cannot be read"),
        (b"[" * 60_000, MODEL.header(), b"", "its registry's answer cannot be read"),
        (manifest(model=9, projector=-4), MODEL.header(), b"", "its registry's answer cannot be read"),
    ],
)
def test_an_answer_that_is_none_is_a_reason(body: bytes, header: bytes, parameters: bytes, problem: str) -> None:
    found = read_model_file(body, header, parameters)

    assert (found.shape, found.problem) == (None, problem)


def test_two_files_of_weights_are_named() -> None:
    layer = {"mediaType": f"{KIND}model", "digest": f"sha256:{'a' * 64}", "size": 5}

    found = read_model_file(json.dumps({"layers": [layer, layer]}).encode(), MODEL.header(), b"")

    assert found.problem == "its weights are split into several files"


def test_json_has_no_list_of_layers() -> None:
    found = to_json(read_model_file(manifest(model=9), GgufModel("qwen3", 7, 256, 8, 4).header(), b""), ())

    assert found["shape"] == {"architecture": "qwen3", "layers": 7, "context": 131072}


def test_a_header_of_a_model_that_was_not_asked_for_voids_the_answer() -> None:
    line = f"header other/m x86_64 0 {base64.b64encode(b'status 3').decode()}"

    with pytest.raises(LookupError):
        upstream.parse_upstream(declared(), [line])
