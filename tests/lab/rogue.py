"""
Hosts that attack their operator: one SSH server, with a port for each behavior. It runs no command. A real host
answers the probe, and then the server sends what it likes.

Usage: `python tests/lab/rogue.py SPEC.json`, see `Spec`. Prints `ready`, and exits when its standard input ends.
`received` has everything that it got. It imports nothing of fleethands, on purpose.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

import paramiko
from paramiko.server import InteractiveQuery

FOR_EVER = 1 << 30  # seconds, or blocks
BLOCK = 1 << 15
ESCAPE = b"\x1b]0;owned\x07\x1b[31mowned\x1b[0m"
WORD = re.compile(r"(?<= )[A-Za-z0-9+/]{8,}={0,2}$", re.MULTILINE)


class Spec(TypedDict):
    """Behaviour → port; the key that it shows; a command that answers a probe as a real host does; a file."""

    behaviours: dict[str, int]
    host_key: str
    real: list[str]
    received: str


class Rogue(paramiko.ServerInterface):
    """One connection. Everything that is asked is written down."""

    def __init__(self, spec: Spec, behaviour: str) -> None:
        self.spec, self.behaviour = spec, behaviour

    def note(self, *words: object) -> None:
        with Path(self.spec["received"]).open("ab") as file:
            file.write(" ".join(map(repr, (self.behaviour, *words))).encode() + b"\n")

    def get_allowed_auths(self, username: str) -> str:
        return "publickey,keyboard-interactive"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self.note("login", username)
        if self.behaviour == "slow-login":
            time.sleep(FOR_EVER)
        asks = self.behaviour == "asks-a-person"
        return paramiko.common.AUTH_PARTIALLY_SUCCESSFUL if asks else paramiko.common.AUTH_SUCCESSFUL

    def check_auth_interactive(self, username: str, submethods: str) -> InteractiveQuery:
        return InteractiveQuery(ESCAPE.decode(), "", ("your password for the controller: ", False))

    def check_auth_interactive_response(self, responses: list[str]) -> int:
        self.note("answered", responses)
        return paramiko.common.AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        self.note("channel", kind)
        return paramiko.common.OPEN_SUCCEEDED

    def check_channel_forward_agent_request(self, channel: paramiko.Channel) -> bool:
        self.note("agent")
        return True

    def check_channel_env_request(self, channel: paramiko.Channel, name: bytes, value: bytes) -> bool:
        self.note("env", name, value)
        return True

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self.note("exec", command)
        threading.Thread(target=self._answer, args=(channel,), daemon=True).start()
        if self.behaviour == "never-begins":
            time.sleep(FOR_EVER)
        return True

    def _answer(self, channel: paramiko.Channel) -> None:
        script = b""
        while not script.endswith((b"\nmain\n", b"\nmain </dev/null\n", b"\nmain </dev/null\n\n", b"\nmain\n\n")):
            part = channel.recv(BLOCK)
            if not part:
                break
            script += part
        self.note("script", script)
        try:
            if self.behaviour.startswith("step-") and b"\nread_disk()" in script:
                say(channel, self.probed(script))
            elif self.behaviour.startswith("step-") and b"\nlost()" in script:
                self.lock(channel)
            else:
                ANSWERS[self.behaviour](self, channel, script)
        except (OSError, EOFError, paramiko.SSHException):
            pass  # it was hung up on

    def probed(self, script: bytes) -> bytes:
        """What a real host answers."""
        return subprocess.run(self.spec["real"], input=script, capture_output=True, timeout=60, check=True).stdout

    def lock(self, channel: paramiko.Channel) -> None:
        """As lock_hold.sh talks where nothing is wrong."""
        words = {b"": b"ready", b"t": b"locked", b"r": b"released"}
        letter = b""
        while letter != b"r":
            if letter in words:
                if self.behaviour == "step-lock-floods" and letter == b"t":
                    flood(b"x" * BLOCK)(self, channel, b"")
                channel.sendall(b"fleethands-lock begin %s\nfleethands-lock end\n" % words[letter])
            letter = channel.recv(1) or b"r"
        say(channel, b"fleethands-lock begin released\nfleethands-lock end\n")


Answer = Callable[[Rogue, paramiko.Channel, bytes], None]


def say(channel: paramiko.Channel, text: bytes, errors: bytes = b"", status: int = 0) -> None:
    """All that a command says, and its end."""
    channel.sendall(text)
    channel.sendall_stderr(errors)
    channel.send_exit_status(status)
    channel.close()


def flood(block: bytes, pause: float = 0.0, window: int = 0) -> Answer:
    """
    The same for ever.

    + window: bytes that it takes leave to send, whatever it was granted
    """

    def answer(_rogue: Rogue, channel: paramiko.Channel, _script: bytes) -> None:
        channel.out_window_size += window
        for _ in range(FOR_EVER):
            channel.sendall(block)
            time.sleep(pause)

    return answer


def tampered(change: Callable[[str], str]) -> Answer:
    """A whole answer of a real host, sealed as it should be, with other words in it."""

    def answer(rogue: Rogue, channel: paramiko.Channel, script: bytes) -> None:
        *_, rest = rogue.probed(script).decode().partition("@@")
        rows = f"@@{rest}".splitlines()
        mark = rows[0].split(" ")[0]
        kept = rows.index(f"{mark} end system 0")  # else nothing more of it would be looked at
        text = "".join(
            f"{row if index < kept or row.startswith(mark) else change(row)}\n" for index, row in enumerate(rows[:-1])
        )
        say(channel, f"{text}{mark} done {hashlib.sha256(text.encode()).hexdigest()}\n".encode())

    return answer


def chatter(_rogue: Rogue, channel: paramiko.Channel, _script: bytes) -> None:
    for _ in range(FOR_EVER):
        channel.get_transport().send_ignore(1)


def holds(_rogue: Rogue, _channel: paramiko.Channel, _script: bytes) -> None:
    time.sleep(FOR_EVER)


OWNED = base64.b64encode(ESCAPE + b"\xff\0$(id)`id`/../../etc/passwd").decode()
ANSWERS: dict[str, Answer] = {
    "gigabytes": flood((b"x" * 999 + b"\n") * 32),
    "short-lines": flood(b"\n" * BLOCK),
    "endless-line": flood(b"x" * BLOCK),
    "past-the-window": flood(b"x" * BLOCK, window=1 << 50),
    "trickle": flood(b".\n", pause=0.2),
    "chatter": chatter,
    "holds": holds,
    "never-begins": holds,
    "not-utf-8": lambda _, channel, __: say(
        channel, b"\xff\xfe\n" * 1000, b"\xff\nerror: \xff" + ESCAPE + b"\nhint: \xff\n", 1
    ),
    "odd-values": tampered(lambda row: WORD.sub(OWNED, row)),
    "odd-words": tampered(lambda row: f"{row.rpartition(' ')[0]} {ESCAPE.decode()}"),
    "odd-numbers": tampered(lambda row: re.sub(r"\b\d+\b", "9" * 5000, row)),
    "large-numbers": tampered(lambda row: re.sub(r"(?<= )\d+(?= |$)", str(1 << 62), row)),
    "step-holds": holds,
    "step-floods": flood((b"x" * 999 + b"\n") * 32),
    "step-lock-floods": holds,
    "step-fails-oddly": lambda _, channel, __: say(
        channel, b"\xff" + ESCAPE, b"\xff\nerror: " + ESCAPE + b"\nhint: " + ESCAPE * 500 + b"\n" * 5000, 1
    ),
}
RAW: dict[str, bytes] = {  # instead of SSH: what it begins with, and then says for ever
    "greets-for-ever": b"Welcome",
    "huge-packet": b"SSH-2.0-OpenSSH_9.2\r\n\xff\xff\xff\xf4",
}


def serve(connection: socket.socket, spec: Spec, behaviour: str) -> None:
    """One connection from its begin to its end."""
    try:
        if behaviour in RAW:
            connection.sendall(RAW[behaviour])
            for _ in range(FOR_EVER):
                connection.sendall(b"\0" * BLOCK)
        transport = paramiko.Transport(connection)
        transport.banner_timeout = transport.auth_timeout = 120
        transport.add_server_key(paramiko.Ed25519Key.from_private_key_file(spec["host_key"]))
        transport.start_server(server=Rogue(spec, behaviour))
    except (paramiko.SSHException, EOFError, OSError):
        connection.close()


def listen(spec: Spec, behaviour: str, port: int) -> None:
    """Take connections for ever."""
    listener = socket.create_server(("127.0.0.1", port), backlog=16)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, spec, behaviour), daemon=True).start()


def main() -> None:
    spec: Spec = json.loads(Path(sys.argv[1]).read_text())
    for behaviour, port in spec["behaviours"].items():
        threading.Thread(target=listen, args=(spec, behaviour, port), daemon=True).start()
    time.sleep(0.5)
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
