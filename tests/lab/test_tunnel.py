"""`fleethands tunnel`: a host's OpenHands on a port of this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from websockets.sync.client import connect

from tests.lab import fleet, observe
from tests.lab.flavors import CANVAS, GUIDE, V1, answers, canvas_key, sandbox_ports, until
from tests.lab.host import Host
from tests.lab.tunnels import get, tunnel, tunnel_on_a_terminal

SIZE = 100 << 20
SOCKET_IO = "socket.io/?EIO=4&transport=websocket"
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


def test_openhands_is_on_a_port_of_this_machine_and_stays_closed_otherwise(converged: Host, tmp_path: Path) -> None:
    answers(converged)
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f"#!/bin/sh\necho $1 > {opened}\n")
    browser.chmod(0o755)

    # the pages are open until after the tunnel, which ends at once all the same
    with ExitStack() as pages, tunnel("lab-1", "--open", BROWSER=f"{browser} %s") as (url, _):
        assert b"openai/codellama:7b" in get(f"{url}/api/settings")
        assert not observe.reachable(converged.address, 3000)
        assert opened.read_text() == f"{url}\n"
        for _ in range(5):
            page = pages.enter_context(connect(f"{url.replace('http', 'ws')}/{SOCKET_IO}", close_timeout=1))
            assert str(page.recv(60)).startswith('0{"sid":')  # engine.io: opened
            page.send("40")  # to join without a conversation, which it refuses
            assert str(page.recv(60)).startswith("4")
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
            "the SSH connection to lab-1 is lost, reconnecting\n",
            "reconnected to lab-1\n",
        ]
        assert get(url, b"again") == b"again"

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [str(fleet.FLEETHANDS), "tunnel", "lab-1", "--port", str(port)]
        done = subprocess.run(command, cwd=fleet.ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"error: cannot listen on port {port} of this machine: Address already in use" in done.stderr


@pytest.mark.soak
def test_the_ports_of_sandboxes_come_and_go(v1: Host) -> None:
    with tunnel("lab-1", *fleet.with_data(**V1)) as (url, _):
        assert b"openai/tiny-tools" in get(f"{url}/api/v1/settings")
        ports = sandbox_ports(v1)
        here = [port for port in ports if observe.reachable("127.0.0.1", port, 5)]
        assert here
        v1.run("docker rm -f $(docker ps -q --filter name=oh-agent-server)")
        assert wait_until_closed(here, 30)
        assert v1.run("pgrep -c -f '[d]ocker events'").stdout.strip() == "1"
    v1.run("while pgrep -f '[d]ocker events'; do sleep 0.1; done", timeout=20)


def wait_until_closed(ports: list[int], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while any(observe.reachable("127.0.0.1", port, 1) for port in ports):
        if time.monotonic() > end:
            return False
    return True


def test_canvas_key_is_for_a_terminal_only(canvas: Host) -> None:
    with tunnel("lab-1", *fleet.with_data(**CANVAS)) as (url, process):
        assert b"<title>OpenHands</title>" in get(url)
        assert process.stdout is not None
        said = process.stdout.readline()
    assert said == "its page asks for a key, which is on the host: sudo cat /etc/fleethands/canvas.env\n"

    with tunnel_on_a_terminal("lab-1", *fleet.with_data(**CANVAS)) as (_, key):
        assert key == canvas_key(canvas)
