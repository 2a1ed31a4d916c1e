"""SSH servers on loopback that run each command for real, as sshd does without a terminal. They stand in for sshd."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.helpers.checkout import ROOT
from tests.helpers.sshd import key, public

PROGRAM = """
import json, os, socket, subprocess, sys, threading
from paramiko import PKey, ServerInterface, Transport, common


class Server(ServerInterface):
    def __init__(self, environment):
        self.environment = environment

    def get_allowed_auths(self, user):
        return "publickey"

    def check_auth_publickey(self, user, key):
        return common.AUTH_SUCCESSFUL

    def check_channel_request(self, kind, number):
        return common.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel, command):
        threading.Timer(0.1, self.execute, [channel, command.decode()]).start()  # behind the reply to this
        return True

    def execute(self, channel, command):
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            ["sh", "-c", command], stdin=pipe, stdout=pipe, stderr=pipe, env={**os.environ, **self.environment}
        )
        threading.Thread(target=self.feed, args=(channel, process.stdin), daemon=True).start()
        readers = [
            threading.Thread(target=self.copy, args=(process.stdout, channel.sendall)),
            threading.Thread(target=self.copy, args=(process.stderr, channel.sendall_stderr)),
        ]
        for reader in readers:
            reader.start()
        code = process.wait()
        try:
            channel.send_exit_status(code)
            for reader in readers:
                reader.join()
            channel.close()
        except OSError:
            pass  # the client has left

    def feed(self, channel, stdin):
        try:
            while block := channel.recv(32768):
                stdin.write(block)
                stdin.flush()
            stdin.close()
        except OSError:
            pass

    def copy(self, stream, send):
        try:
            while block := stream.read1(32768):
                send(block)
        except OSError:
            pass


def serve(host_key, environment, listener):
    while True:
        transport = Transport(listener.accept()[0])
        transport.add_server_key(host_key)
        transport.start_server(event=threading.Event(), server=Server(environment))


host_key, ports = PKey.from_path(sys.argv[1]), []
for environment in json.loads(sys.argv[2]):
    listener = socket.create_server(("127.0.0.1", 0))
    ports.append(listener.getsockname()[1])
    threading.Thread(target=serve, args=(host_key, environment, listener)).start()
print(json.dumps(ports), flush=True)
"""


@contextmanager
def executing_hosts(place: Path, **environments: dict[str, str]) -> Iterator[Path]:
    """
    The inventory of hosts that run commands on this machine.

    + environments: host → variables that its commands have
    """
    host_key, own = key(place, "ed25519"), key(place, "rsa")
    command = [sys.executable, "-c", PROGRAM, str(host_key), json.dumps(list(environments.values()))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        ports = json.loads(process.stdout.readline())
        known = place / "known_hosts"
        known.write_text("".join(f"[127.0.0.1]:{port} {public(host_key)}\n" for port in ports))
        data = {
            "ssh_hostname": "127.0.0.1",
            "ssh_user": "root",
            "ssh_key": str(own),
            "ssh_known_hosts_file": str(known),
        }
        hosts = [(name, {**data, "ssh_port": port}) for name, port in zip(environments, ports, strict=True)]
        inventory = place / "fleet.py"
        inventory.write_text(f"boxes = {hosts!r}\n")
        try:
            yield inventory
        finally:
            process.kill()


def begin(place: Path, *words: str, **variables: str) -> subprocess.Popen[str]:
    """`fleethands WORDS` in the background, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", "from fleethands.cli.main import main; main()", *words],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(place), **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def fleethands(place: Path, *words: str, **variables: str) -> tuple[int, str, str]:
    """Exit code, output and error output of `fleethands WORDS`."""
    process = begin(place, *words, **variables)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def document(place: Path, command: str, *words: str, **variables: str) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON document."""
    code, out, _ = fleethands(place, command, "--json", *words, **variables)
    found: dict[str, Any] = json.loads(out)
    return code, found
