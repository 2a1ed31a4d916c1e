"""
A stand-in for many hosts: one SSH server program on loopback addresses, which answers each probe with the answer of
one real host, with the marks of the request. It answers nothing except probes.

Usage: `python bench/standin.py SPEC.json`, see `Spec`. Prints `ready`, and when its standard input ends, one JSON
document: connections, their peak, and commands of each address. It imports nothing of fleethands, on purpose.
"""

from __future__ import annotations

import hashlib
import json
import re
import resource
import selectors
import socket
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TypedDict

import paramiko

MARK = re.compile(rb"^mark='?(@@[0-9a-f]+)'?$", re.MULTILINE)
PLACEHOLDER = "@@recorded"
LINE = 1 << 15
PATIENCE = 120  # seconds, as sshd's LoginGraceTime


class Spec(TypedDict):
    """Where to listen, the host key, the accepted public key (base64), and the recorded answer."""

    addresses: list[str]
    port: int
    host_key: str
    client: str
    recording: str


class Counts:
    """The requests, by address."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.connections: Counter[str] = Counter()
        self.commands: Counter[str] = Counter()
        self.open = self.most = 0

    def opened(self, address: str) -> None:
        with self.lock:
            self.connections[address] += 1
            self.open += 1
            self.most = max(self.most, self.open)

    def closed(self) -> None:
        with self.lock:
            self.open -= 1

    def asked(self, address: str) -> None:
        with self.lock:
            self.commands[address] += 1

    def document(self) -> dict[str, object]:
        return {"connections": self.connections, "commands": self.commands, "most": self.most}


def answer(recording: str, script: bytes) -> bytes:
    """The recorded answer, with this probe's marks and the present time. Raises ValueError for another script."""
    found = MARK.search(script)
    if found is None:
        raise ValueError("this is no probe")
    mark = found[1].decode()
    text = recording.replace(PLACEHOLDER, mark)
    text = re.sub(r"^clock \d+$", f"clock {int(time.time())}", text, count=1, flags=re.MULTILINE)
    return f"\n{text}{mark} done {hashlib.sha256(text.encode()).hexdigest()}\n".encode()


class Session(paramiko.ServerInterface):
    """One connection."""

    def __init__(self, spec: Spec, address: str, counts: Counts) -> None:
        self.spec, self.address, self.counts = spec, address, counts

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        known = username == "root" and key.get_base64() == self.spec["client"]
        return paramiko.common.AUTH_SUCCESSFUL if known else paramiko.common.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        allowed = kind == "session"
        return paramiko.common.OPEN_SUCCEEDED if allowed else paramiko.common.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self.counts.asked(self.address)
        threading.Thread(target=self._answer, args=(channel,), daemon=True).start()
        return True

    def _answer(self, channel: paramiko.Channel) -> None:
        script = b""
        while part := channel.recv(LINE):
            script += part
        try:
            channel.sendall(answer(self.spec["recording"], script))
            channel.send_exit_status(0)
        except ValueError as error:
            channel.sendall_stderr(f"error: a stand-in: {error}\n".encode())
            channel.send_exit_status(1)
        channel.close()


def serve(connection: socket.socket, spec: Spec, key: paramiko.PKey, counts: Counts) -> None:
    """One connection from start to end."""
    address = connection.getsockname()[0]
    counts.opened(address)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    transport = paramiko.Transport(connection)
    transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = PATIENCE
    try:
        transport.add_server_key(key)
        transport.start_server(server=Session(spec, address, counts))
        transport.join()
    except (paramiko.SSHException, EOFError, OSError):
        pass  # the other side is gone
    finally:
        transport.close()
        counts.closed()


def main() -> None:
    spec: Spec = json.loads(Path(sys.argv[1]).read_text())
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    threading.stack_size(1 << 20)
    key, counts, selector = (
        paramiko.Ed25519Key.from_private_key_file(spec["host_key"]),
        Counts(),
        selectors.DefaultSelector(),
    )
    for address in spec["addresses"]:
        listener = socket.create_server((address, spec["port"]), backlog=16)
        selector.register(listener, selectors.EVENT_READ)
    selector.register(sys.stdin, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for ready, _ in selector.select():
            if ready.fileobj is sys.stdin:
                print(json.dumps(counts.document()), flush=True)
                return
            connection, _ = ready.fileobj.accept()  # type: ignore[union-attr]
            threading.Thread(target=serve, args=(connection, spec, key, counts), daemon=True).start()


if __name__ == "__main__":
    main()
