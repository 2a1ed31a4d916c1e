"""A command in few round trips: what is sent ahead, what a host may refuse, and the session for the next command."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import Any

import gevent  # type: ignore[import-untyped]
import pytest
from paramiko import Channel, ChannelException, Message, SSHException

from fleethands.ssh.remote_command import AHEAD, adjust_window, begin_command
from fleethands.ssh.sessions import Sessions
from fleethands.streams import require_reply

# a real client of pyinfra's, and SSH servers on loopback that run commands for real
PROGRAM = """
import json, sys, threading
import pyinfra_cli.util  # patches the standard library
import gevent, paramiko, socket, subprocess
from pathlib import Path
from pyinfra.connectors import ssh as connector
from pyinfra.connectors.util import CommandOutput
from fleethands import streams
from fleethands.engine.setup import prepare

prepare(Path.cwd())
KEY = paramiko.Ed25519Key.from_private_key_file("key")
order = []

class Server(paramiko.ServerInterface):
    def check_auth_publickey(self, user, key):
        return paramiko.common.AUTH_SUCCESSFUL
    def get_allowed_auths(self, user):
        return "publickey"
    def check_channel_request(self, kind, number):
        order.append("open")
        return paramiko.common.OPEN_SUCCEEDED
    def check_channel_exec_request(self, channel, command):
        order.append("exec")
        if command == b"refused":
            return False
        gevent.spawn(self.run, channel, command)
        return True
    def run(self, channel, command):
        text = b""
        while block := channel.recv(32768):
            text += block
        channel.sendall(b"%d bytes\\n" % len(text))
        channel.send_exit_status(0)
        channel.close()

def serve(listener):
    transport = paramiko.Transport(listener.accept()[0])
    transport.local_version = f"SSH-2.0-{sys.argv[1]}"
    transport.add_server_key(KEY)
    transport.start_server(server=Server())

listener = socket.create_server(("127.0.0.1", 0))
gevent.spawn(serve, listener)
client = connector.SSHClient()
Path("config").write_text("Host *\\n  StrictHostKeyChecking no\\n")
client.connect("127.0.0.1", port=listener.getsockname()[1], username="root", pkey=KEY, timeout=20,
               _pyinfra_ssh_config_file="config")

def said(command, text):
    with gevent.Timeout(20):
        stdin, stdout, stderr = client.exec_command(command)
        try:
            streams.write_input(text, stdin)
            output = streams.read_output(stdout, stderr, 20, False, "")
        except paramiko.SSHException as error:
            return str(error)
        return [output.stdout, stdout.channel.recv_exit_status()]

def wait_for(count):
    with gevent.Timeout(20):
        while len(order) < count:
            gevent.sleep(0.05)

answers = [said("sh -s", "x" * 99_999), said("refused", "x" * 99_999), said("sh -s", "y")]
before = len(order) + 1
client.get_transport().sessions.prepare()
wait_for(before)
answers.append(said("sh -s", "z"))
wait_for(before + 2)
print(json.dumps({"answers": answers, "first": order[:2], "after": order[before:]}))
"""


class Server:
    """A transport that notes what is sent through it."""

    def __init__(self, version: str) -> None:
        self.remote_version, self.sent = version, list[Any]()

    def _send_user_message(self, message: Message) -> None:
        self.sent.append(message)


def session(version: str, window: int = 0) -> Any:
    channel: Any = Channel(1)
    channel.transport, channel.out_window_size, channel.remote_chanid = Server(version), window, 0
    channel.lock = threading.Lock()
    channel.out_buffer_cv = threading.Condition(channel.lock)
    return channel


def granted(count: int) -> Message:
    message = Message()
    message.add_int(count)
    return Message(message.asbytes())


def test_openssh_gets_input_ahead_of_its_window_and_no_more_than_it_grants() -> None:
    channel = session("SSH-2.0-OpenSSH_9.9p1 Debian")

    begin_command(channel, "sh -s")

    assert channel.out_window_size == AHEAD
    channel.out_window_size -= 1000  # were sent
    adjust_window(channel, granted(2 << 20))
    assert channel.out_window_size == (2 << 20) - 1000
    adjust_window(channel, granted(500))
    assert channel.out_window_size == (2 << 20) - 500


def test_a_smaller_window_counts_all_that_was_sent_ahead() -> None:
    channel = session("SSH-2.0-OpenSSH_9.9p1")
    begin_command(channel, "sh -s")
    channel.out_window_size = 0

    adjust_window(channel, granted(AHEAD - 10))
    adjust_window(channel, granted(15))

    assert channel.out_window_size == 5


@pytest.mark.parametrize(("version", "window"), [("SSH-2.0-dropbear_2024.85", 24576), ("SSH-2.0-Go", 0)])
def test_another_server_gets_no_more_than_its_window(version: str, window: int) -> None:
    channel = session(version, window)

    begin_command(channel, "sh -s")

    assert channel.out_window_size == window


def test_a_refused_command_is_an_error_and_an_accepted_one_is_none() -> None:
    channel = session("SSH-2.0-x")
    begin_command(channel, "sh -s")

    with pytest.raises(SSHException, match="Channel closed"):
        require_reply(channel)
    channel._request_success(None)
    require_reply(channel)


@pytest.mark.parametrize("version", ["OpenSSH_9.9p1", "other"])
def test_a_real_client_and_server_agree(version: str, tmp_path: Any) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, version],
        cwd=tmp_path,
        input="",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    found = json.loads(done.stdout or json.dumps(done.stderr))

    assert found["answers"] == [["100000 bytes", 0], "Channel closed.", ["2 bytes", 0], ["2 bytes", 0]]
    assert found["first"] == ["open", "exec"]
    assert found["after"] == ["exec", "open"]  # the session was open, and the next one is opened behind the command


class Opening:
    """A host that allows a number of sessions."""

    def __init__(self, most: int) -> None:
        self.most, self.opened = most, list[Any]()

    def __call__(self, timeout: float | None = None) -> Any:
        gevent.sleep(0.01)
        if sum(not each.closed for each in self.opened) >= self.most:
            raise ChannelException(1, "Administratively prohibited")
        self.opened.append(Channel(len(self.opened)))
        return self.opened[-1]


def test_the_second_session_waits_for_the_next_command() -> None:
    opening = Opening(3)
    sessions = Sessions(opening)

    first = sessions.open_two(5)

    assert {first, sessions.take()} == set(opening.opened)
    assert sessions.take() is None
    assert sessions.round_trip is not None
    assert 0.01 <= sessions.round_trip < 1


def test_a_host_that_allows_one_session_is_asked_for_no_second_one_again() -> None:
    opening = Opening(1)
    sessions = Sessions(opening)

    with pytest.raises(ChannelException):
        sessions.open_two(5)

    sessions.take()
    opening.opened.clear()
    sessions.prepare()
    assert sessions.take() is None or opening.opened


def test_a_session_that_was_opened_after_a_short_command_had_ended_is_not_taken_for_a_second_one() -> None:
    sessions = Sessions(Opening(1))
    sessions.prepare()
    command = sessions.take()
    assert command is not None
    command.closed = True
    sessions.prepare()

    with pytest.raises(ChannelException):
        sessions.open_two(5)


def test_a_session_that_was_opened_next_to_a_command_is_a_second_one() -> None:
    opening = Opening(2)
    sessions = Sessions(opening)
    sessions.prepare()
    command = sessions.take()
    assert command is not None
    sessions.prepare()
    gevent.sleep(0.05)
    command.closed = True

    assert sessions.open_two(5) is opening.opened[1]


def test_a_session_that_the_host_has_closed_is_not_used() -> None:
    opening = Opening(2)
    sessions = Sessions(opening)
    sessions.prepare()
    gevent.sleep(0.05)
    opening.opened[0].closed = True

    assert sessions.take() is None
