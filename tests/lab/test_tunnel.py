"""`fleethands tunnel`: a host's OpenHands on a port of this machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.request import Request, urlopen

import pytest

from tests.lab import fleet, observe
from tests.lab.flavors import GUIDE, V1, sandbox_ports, until
from tests.lab.host import Host

SIZE = 100 << 20
# a stand-in for OpenHands: it sends back what it gets
ECHO = """
import http.server as h
class Echo(h.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)
h.ThreadingHTTPServer(("", 80), Echo).serve_forever()
"""


@contextmanager
def tunnel(*words: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`fleethands tunnel`, once it has said its address: that, and the process; it has to end well by Ctrl-C."""
    command, pipe = [str(fleet.FLEETHANDS), "tunnel", *words], subprocess.PIPE
    process = subprocess.Popen(command, cwd=fleet.ROOT, stdout=pipe, stderr=pipe, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "http://localhost:" in line, process.communicate()[1]
        yield line.split()[-1], process
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()


def get(url: str, body: bytes | None = None) -> bytes:
    with urlopen(Request(url, data=body), timeout=120) as answer:  # noqa: S310  http
        return bytes(answer.read())


def test_openhands_is_on_a_port_of_this_machine_and_stays_closed_otherwise(converged: Host) -> None:
    until(converged, "curl -fs -o /dev/null localhost:3000/health", 60)

    with tunnel("lab-1") as (url, _):
        assert b"openai/codellama:7b" in get(f"{url}/api/settings")
        assert not observe.reachable(converged.address, 3000)
    with tunnel("lab-1", "--ollama") as (url, _), ThreadPoolExecutor(200) as pool:
        said = pool.map(lambda _: get(f"{url}/api/version"), range(200))
        assert set(said) == {b'{"version":"0.24.0"}'}


def test_large_bodies_a_taken_port_and_a_lost_link(converged: Host) -> None:
    converged.run(f"docker run -d -p 127.0.0.1:3999:80 --entrypoint python {GUIDE} -c '{ECHO}'")
    until(converged, "curl -fs -o /dev/null -d x localhost:3999", 60)
    body = os.urandom(SIZE)

    with socket.create_server(("127.0.0.1", 3999)), tunnel("lab-1", "--data", "openhands_port=3999") as (url, process):
        assert not url.endswith(":3999")
        assert get(url, body) == body

        converged.run("pkill -KILL -f 'sshd(-session)?: root'", check=False)
        assert process.stderr is not None
        said = [process.stderr.readline() for _ in range(3)]
        assert said[1:] == [
            "the link to lab-1 is lost, trying again\n",
            "the link to lab-1 is there again\n",
        ]
        assert get(url, b"again") == b"again"

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [str(fleet.FLEETHANDS), "tunnel", "lab-1", "--port", str(port)]
        done = subprocess.run(command, cwd=fleet.ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"error: port {port} of this machine can't be had: Address already in use" in done.stderr


@pytest.mark.soak
def test_the_ports_of_sandboxes_come_and_go(v1: Host) -> None:
    data = ["--data", f"openhands_image={V1['openhands_image']}", "--data", 'models=["tiny-tools"]']

    with tunnel("lab-1", *data) as (url, _):
        assert b"openai/tiny-tools" in get(f"{url}/api/v1/settings")
        ports = sandbox_ports(v1)
        here = [port for port in ports if answers(port)]
        assert here
        v1.run("docker rm -f $(docker ps -q --filter name=oh-agent-server)")
        assert gone(here, 30)


def answers(port: int) -> bool:
    return observe.reachable("127.0.0.1", port, 5)


def gone(ports: list[int], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while any(observe.reachable("127.0.0.1", port, 1) for port in ports):
        if time.monotonic() > end:
            return False
    return True


def test_canvas_key_is_for_a_terminal_only(canvas: Host) -> None:
    with tunnel("lab-1", "--data", "openhands_flavor=canvas") as (url, process):
        assert b"<title>OpenHands</title>" in get(url)
        assert process.stdout is not None
        said = process.stdout.readline()
    assert said == "its page asks for a key, which lies on the host: sudo cat /etc/fleethands/canvas.env\n"
