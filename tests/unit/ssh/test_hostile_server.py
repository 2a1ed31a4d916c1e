"""An SSH server that does not keep to SSH ends its own connection, in little time and memory."""

from __future__ import annotations

import subprocess
import sys

import pytest

# a real SSH server on loopback, and a real client of pyinfra's, in a process of their own: gevent patches it whole
PROGRAM = """
import socket, sys
import pyinfra_cli.util  # patches the standard library
import gevent, paramiko
from paramiko import Message, common
from pathlib import Path
from pyinfra.connectors import ssh as connector
from fleethands.engine.setup import prepare

prepare(Path.cwd())
HOST_KEY = paramiko.Ed25519Key.from_private_key_file("key")
asked = []

class Server(paramiko.ServerInterface):
    def check_auth_publickey(self, user, key):
        return common.AUTH_PARTIALLY_SUCCESSFUL if "ask" in sys.argv else common.AUTH_SUCCESSFUL
    def get_allowed_auths(self, user):
        return "publickey,keyboard-interactive"
    def check_auth_interactive(self, user, methods):
        return paramiko.InteractiveQuery("\\x1b]0;owned\\x07", "", ("password: ", False))
    def check_channel_request(self, kind, number):
        return common.OPEN_SUCCEEDED
    def check_channel_forward_agent_request(self, channel):
        asked.append("agent")
        return True
    def check_channel_exec_request(self, channel, command):
        gevent.spawn(MISBEHAVE, channel, channel.get_transport())
        return True

def message(kind, *numbers):
    made = Message()
    made.add_byte(bytes([kind]))
    for number in numbers:
        made.add_int(number)
    return made

def serve(listener):
    connection, _ = listener.accept()
    transport = paramiko.Transport(connection)
    transport.add_server_key(HOST_KEY)
    transport.start_server(server=Server())

listener = socket.create_server(("127.0.0.1", 0))
gevent.spawn(serve, listener)
port = listener.getsockname()[1]
Path("config").write_text("Host *\\n  ForwardAgent yes\\n  StrictHostKeyChecking no\\n")
there, turns = connector.SSHClient(), 0
try:
    there.connect("127.0.0.1", port=port, username="root", pkey=HOST_KEY, timeout=20, _pyinfra_ssh_config_file="config")
    channel = there.get_transport().open_session()
    channel.exec_command("anything")
    while there.get_transport().is_active() and not channel.exit_status_ready():
        gevent.sleep(0.01)
        turns += 1
    print(there.get_transport().get_exception() or "still there")
except Exception as error:
    print(type(error).__name__, error)
print(asked)
print("others had their turns" if turns > 2 else "others waited")
"""
BEHAVIOURS = {
    "window": (
        "channel.out_window_size = 1 << 50; [channel.sendall(b'x' * 30000) for _ in range(1000)]",
        "it sent more than it was asked for",
    ),
    "errors": (
        "channel.out_window_size = 1 << 50; [channel.sendall_stderr(b'x' * 30000) for _ in range(1000)]",
        "it sent more than it was asked for",
    ),
    "counts": (
        "transport._send_message(message(common.MSG_EXT_INFO, 0xffffffff))",
        "announced more than a message can hold",
    ),
    "garbage": (
        "made = message(common.MSG_CHANNEL_REQUEST, channel.remote_chanid); made.add_string(b'\\xff');"
        " transport._send_message(made)",
        "what it sent is not SSH",
    ),
}


def met(behaviour: str, place: pytest.TempPathFactory, *words: str) -> list[str]:
    directory = place.mktemp("wire")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / "key"], check=True)
    program = f"def MISBEHAVE(channel, transport):\n    {behaviour}\n{PROGRAM}"
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        cwd=directory,
        input="",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(("behaviour", "reason"), BEHAVIOURS.values(), ids=BEHAVIOURS)
def test_a_server_that_breaks_the_rules_is_hung_up_on(
    behaviour: str, reason: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    said, *_ = met(behaviour, tmp_path_factory)

    assert reason in said


def test_one_that_keeps_to_them_is_not_and_gets_no_agent(tmp_path_factory: pytest.TempPathFactory) -> None:
    behaviour = "channel.sendall(b'x' * 1000); channel.send_exit_status(0)"

    assert met(behaviour, tmp_path_factory)[:2] == ["still there", "[]"]


def test_one_that_only_chatters_leaves_others_their_turns(tmp_path_factory: pytest.TempPathFactory) -> None:
    said, _, turns = met("[transport.send_ignore(1) for _ in range(1 << 20)]", tmp_path_factory)

    assert "messages without end that carry nothing" in said
    assert turns == "others had their turns"


def test_no_person_is_asked_for_a_second_factor(tmp_path_factory: pytest.TempPathFactory) -> None:
    assert met("pass", tmp_path_factory, "ask")[:2] == ["SSHException it would ask for a second factor", "[]"]
