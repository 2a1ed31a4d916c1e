"""Docker's API, asked by the probe with the real curl; the engine behind the socket is a stand-in."""

from __future__ import annotations

import json
import socketserver
import subprocess
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, ClassVar

import pytest

from fleethands.facts.docker import parse_docker
from fleethands.facts.docker_engine import DockerEngine
from tests.answers import docker_script
from tests.unit.facts.test_docker import COMMITTED, MINE, MOVED, OTHER, OURS, PLAIN, probed

CURL = """#!/bin/sh
for each; do
  shift
  [ "$each" != /run/docker.sock ] || each=$place/docker.sock
  set -- "$@" "$each"
done
exec /usr/bin/curl "$@"
"""


class Api(BaseHTTPRequestHandler):
    """Docker's API: `answers` has what it knows by path."""

    answers: ClassVar[dict[str, Any]] = {}
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        known = self.path in self.answers
        answer = self.answers[self.path] if known else {"message": f"No such image: {self.path}"}
        body = answer if isinstance(answer, bytes) else json.dumps(answer, separators=(",", ":")).encode() + b"\n"
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "docker.sock"

    def log_message(self, format: str, *args: Any) -> None:
        pass


class UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


def ask_docker(place: Path, image: str, answers: dict[str, Any], listening: str = "") -> tuple[list[str], list[str]]:
    """What the probe prints about Docker where its API has these answers, and what it asked both for."""
    (place / "curl").write_text(CURL)
    (place / "docker").write_text('#!/bin/sh\necho "$*" >>"$place/asked"\n')
    for name in ("curl", "docker"):
        (place / name).chmod(0o755)
    (place / "asked").write_text("")
    Api.answers, Api.asked = {"/info": {"ServerVersion": "26", "SecurityOptions": None}, **answers}, []
    head = f"""PATH={place}:$PATH place={place}; export PATH place
container=openhands-app image={image} ports='3000 11434' records={place}/records ollama_image='' ollama_container=none
{docker_script()}
need() {{ :; }}; limit() {{ "$@"; }}; disk_of() {{ :; }}
"""
    with UnixServer(str(place / "docker.sock"), Api) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        program = f"{head}read_docker '{listening}' || echo status $?"
        said = subprocess.run(["sh", "-c", program], capture_output=True, text=True, check=True)
        server.shutdown()
    (place / "docker.sock").unlink()
    return said.stdout.splitlines(), [*Api.asked, *(place / "asked").read_text().splitlines()]


@pytest.mark.parametrize("image", ["openhands:1", "openhands:2", "openhands:3"])
def test_the_api_says_what_the_command_says(tmp_path: Path, image: str) -> None:
    images = {"openhands:1": PLAIN, "openhands:2": OTHER, MINE: PLAIN, MOVED: COMMITTED}
    by_command, _ = probed(tmp_path, image, images)
    by_path = {f"/images/{name}/json": each for name, each in images.items()}
    by_api, asked = ask_docker(tmp_path, image, {"/containers/openhands-app/json": OURS, **by_path})

    one, other = (replace(parse_docker(lines), engine=DockerEngine()) for lines in (by_api, by_command))
    assert one == other
    assert one.container is not None
    assert asked[:3] == ["/info", "/containers/openhands-app/json", f"/images/{image}/json"]
    assert asked[3:] == ([] if image == "openhands:1" else [f"/images/{MINE}/json"])


PROXY = (
    'LISTEN 0 4096 *:3000 *:* users:(("docker-proxy",pid=9,fd=4))\nLISTEN 0 4 *:11434 *:* users:(("ollama",pid=1,fd=3))'
)
PUBLISH = "/containers/json?filters=%7B%22publish%22%3A%7B%22{}%22%3Atrue%7D%7D"


def test_the_command_lists_containers_only_where_one_publishes_a_port(tmp_path: Path) -> None:
    answers: dict[str, Any] = {PUBLISH.format(3000): [{"Names": ["/other"]}], PUBLISH.format(11434): []}
    _, asked = ask_docker(tmp_path, "", answers, PROXY)

    assert asked[2:4] == [PUBLISH.format(3000), PUBLISH.format(11434)]
    assert asked[4:] == ["ps --filter publish=3000 --format publisher 3000 {{.Names}} {{.Image}}"]


def test_images_of_records_that_are_gone_are_named_by_the_api(tmp_path: Path) -> None:
    named = f'{{"image": {{"name": "x", "id": "{MOVED}"}}, "ollama_image": {{"name": "y", "id": "{MINE}"}}}}\n'
    (tmp_path / "records").write_text(named * 2)
    said, asked = ask_docker(tmp_path, "", {f"/images/{MINE}/json": PLAIN})

    assert said[-1] == f"gone {MOVED}"
    assert sorted(asked[2:]) == [f"/images/{MINE}/json", f"/images/{MOVED}/json"]


def test_an_answer_that_is_too_long_leaves_docker_unknown(tmp_path: Path) -> None:
    said, _ = ask_docker(tmp_path, "", {"/containers/openhands-app/json": b"x" * 1_000_001 + b"\n"})

    assert said[-1] == "status 1"


def test_an_empty_answer_is_no_container(tmp_path: Path) -> None:
    said, _ = ask_docker(tmp_path, "", {"/containers/openhands-app/json": b""})

    with pytest.raises(ValueError, match="unpack"):
        parse_docker(said)
