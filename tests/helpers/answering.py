"""SSH servers on loopback that answer a command with given words, and let connections through to others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.helpers.checkout import ROOT
from tests.helpers.sshd import key, public

PROGRAM = """
import json, select, socket, sys, threading
from paramiko import PKey, ServerInterface, Transport, common


def say(name, **words):
    print(json.dumps([name, words]), flush=True)


class Server(ServerInterface):
    def __init__(self, name, wanted, transport):
        self.name, self.wanted, self.transport = name, wanted, transport

    def get_allowed_auths(self, user):
        return "publickey"

    def check_auth_publickey(self, user, key):
        accepted = self.wanted["accepts"] is None or key.get_base64() in self.wanted["accepts"]
        say(self.name, login=user, key=key.get_base64(), accepted=accepted)
        return common.AUTH_SUCCESSFUL if accepted else common.AUTH_FAILED

    def check_channel_request(self, kind, number):
        return common.OPEN_SUCCEEDED

    def check_channel_forward_agent_request(self, channel):
        say(self.name, agent=True)
        return True

    def check_channel_exec_request(self, channel, command):
        say(self.name, command=command.decode()[:60])
        threading.Timer(0.1, self.answer, [channel]).start()  # behind the reply to this
        return True

    def answer(self, channel):
        channel.sendall(self.wanted["out"].encode())
        channel.sendall_stderr(self.wanted["err"].encode())
        channel.send_exit_status(self.wanted["status"])
        channel.close()

    def check_channel_direct_tcpip_request(self, number, origin, target):
        say(self.name, forward=target[1])
        try:
            there = socket.create_connection(target, 5)
        except OSError:
            return common.OPEN_FAILED_CONNECT_FAILED
        threading.Thread(target=self.carry, args=(there,), daemon=True).start()
        return common.OPEN_SUCCEEDED

    def carry(self, there):
        here = self.transport.accept(5)
        while True:
            for ready in select.select([here, there], [], [])[0]:
                block = ready.recv(32768)
                if not block:
                    here.close()
                    return there.close()
                (there if ready is here else here).sendall(block)


def serve(name, wanted, listener):
    host_key = PKey.from_path(wanted["key"])
    while True:
        connection = listener.accept()[0]
        if wanted["drops"]:
            wanted["drops"] -= 1
            connection.close()
            continue
        transport = Transport(connection)
        transport.add_server_key(host_key)
        transport.start_server(event=threading.Event(), server=Server(name, wanted, transport))


ports = []
for name, wanted in json.loads(sys.argv[1]).items():
    listener = socket.create_server(("127.0.0.1", 0))
    ports.append(listener.getsockname()[1])
    threading.Thread(target=serve, args=(name, wanted, listener)).start()
print(json.dumps(ports), flush=True)
"""


@dataclass
class Servers:
    """Servers that run; `lines` are their own in known_hosts."""

    ports: dict[str, int]
    lines: dict[str, str]
    process: subprocess.Popen[str] = field(repr=False)

    def seen(self) -> dict[str, list[dict[str, Any]]]:
        """What each was asked, in order; this ends them."""
        self.process.kill()
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in self.ports}
        for line in (self.process.communicate()[0] or "").splitlines():
            name, words = json.loads(line)
            found[name].append(words)
        return found


@contextmanager
def servers(place: Path, **wanted: dict[str, Any]) -> Iterator[Servers]:
    """
    Servers by their names, in one process.

    + wanted: of each the answer to every command (`out`, `err`, `status`), the keys that may log in (`accepts`, None
      for every one), and how many connections it closes at first, without a word (`drops`)
    """
    whole = {}
    for name, words in wanted.items():
        (place / name).mkdir(exist_ok=True)
        default = {"out": f"{name}\n", "err": "", "status": 0, "accepts": None, "drops": 0}
        whole[name] = {**default, **words, "key": str(key(place / name, "ed25519"))}
    line = [sys.executable, "-c", PROGRAM, json.dumps(whole)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            ports = dict(zip(wanted, json.loads(process.stdout.readline()), strict=True))
            own = {name: f"[127.0.0.1]:{port} {public(place / name / 'ed25519')}\n" for name, port in ports.items()}
            yield Servers(ports, own, process)
        finally:
            process.kill()


def fleethands(
    place: Path, *words: str, hosts: dict[str, dict[str, Any]], **env: str
) -> subprocess.CompletedProcess[str]:
    """A command on hosts with this data. The rest of their settings needs no other server."""
    declared = {"openhands_flavor": "off", "models": ["tiny"], "firewall": False}
    (place / "fleet.py").write_text(f"boxes = {[(name, {**declared, **data}) for name, data in hosts.items()]!r}\n")
    command, *rest = words
    return subprocess.run(
        [sys.executable, "-c", "from fleethands.cli.main import main; main()", command, f"{place}/fleet.py", *rest],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(place), **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
