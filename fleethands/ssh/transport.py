"""paramiko's SSH connection, with limits for what a hostile server may send."""

from __future__ import annotations

import time
from typing import Any, ClassVar, NoReturn

import gevent  # type: ignore[import-untyped]
from paramiko import Channel, Message, SSHException, Transport, common
from paramiko.packet import Packetizer

from fleethands.ssh import remote_command
from fleethands.ssh.connection import send_at_once
from fleethands.ssh.sessions import Sessions

PACKET = (256 << 10) + 1024  # bytes; OpenSSH sends none that is larger (packet.c, PACKET_MAX_SIZE)
GREETING = 64 << 10  # bytes before and with the line that names the server's version
CHATTER = 20_000  # messages without content in `WITHIN` seconds
WITHIN = 60.0
TURN = 64  # messages, after which other hosts run
ITEMS = 64  # of what a message counts before it lists it
COUNTED = {common.MSG_EXT_INFO: 0, common.MSG_USERAUTH_INFO_REQUEST: 3}  # strings before the count
NOTHING = {
    common.MSG_IGNORE, common.MSG_DEBUG, common.MSG_UNIMPLEMENTED, common.MSG_GLOBAL_REQUEST, common.MSG_KEXINIT,
    common.MSG_CHANNEL_OPEN, common.MSG_CHANNEL_REQUEST, common.MSG_USERAUTH_BANNER,
}  # fmt: skip


class LimitedPackets(Packetizer):
    """Raises SSHException for a packet, a greeting or messages without content that exceed a limit."""

    def __init__(self, socket: Any) -> None:
        super().__init__(socket)
        self._greeted = self._messages = self._chatter = 0
        self._since = time.monotonic()

    def read_all(self, n: int, check_rekey: bool = False) -> bytes:
        if n > PACKET:
            raise SSHException(f"it sent a packet of {n} bytes")
        read: bytes = super().read_all(n, check_rekey)
        return read

    def read_message(self) -> tuple[int, Message]:
        kind, message = super().read_message()
        self._messages += 1
        if self._messages % TURN == 0:
            gevent.sleep(0)
        if time.monotonic() - self._since > WITHIN:  # a connection may be kept alive for weeks
            self._chatter, self._since = 0, time.monotonic()
        self._chatter += kind in NOTHING
        if self._chatter > CHATTER:
            raise SSHException("it sent messages without end that carry nothing")
        if kind in COUNTED and _items(message.asbytes(), COUNTED[kind]) > ITEMS:
            raise SSHException("it announced more than a message can hold")
        return kind, message

    def _read_timeout(self, timeout: float) -> bytes:
        block: bytes = super()._read_timeout(timeout)  # type: ignore[misc]
        self._greeted += len(block)
        if self._greeted > GREETING:
            raise SSHException("it greets without end, and names no version of SSH")
        return block


def _items(content: bytes, strings: int) -> int:
    """The number of items that a message announces. paramiko loops that often, even if they are not there."""
    message = Message(content)
    for _ in range(strings):
        message.get_binary()
    return int(message.get_int())


def _feed(channel: Channel, message: Message) -> None:
    channel._feed(message)  # type: ignore[attr-defined]
    _keep_to_window(channel)


def _feed_extended(channel: Channel, message: Message) -> None:
    channel._feed_extended(message)  # type: ignore[attr-defined]
    _keep_to_window(channel)


def _keep_to_window(channel: Channel) -> None:
    """paramiko stores everything that it receives, even beyond the window."""
    if len(channel.in_buffer) + len(channel.in_stderr_buffer) > channel.in_window_size:
        raise SSHException("it sent more than it was asked for")


class LimitedTransport(Transport):
    """A transport that ends if the server violates the protocol."""

    _channel_handler_table: ClassVar[Any] = {
        **Transport._channel_handler_table,  # type: ignore[attr-defined]
        common.MSG_CHANNEL_DATA: _feed,
        common.MSG_CHANNEL_EXTENDED_DATA: _feed_extended,
        common.MSG_CHANNEL_WINDOW_ADJUST: remote_command.adjust_window,
    }

    def __init__(self, sock: Any, **options: Any) -> None:
        send_at_once(sock)
        super().__init__(sock, packetizer_class=LimitedPackets, **options)
        self.sessions = Sessions(super().open_session)

    def open_session(self, *words: Any, **options: Any) -> Channel:
        """The session that was opened beforehand, if there is one, or a new one."""
        return self.sessions.take() or self.sessions.open(*words, **options)

    def auth_interactive_dumb(self, *_: object, **__: object) -> NoReturn:
        """paramiko would print the host's prompt and wait for input."""
        raise SSHException("it would ask for a second factor")

    def get_exception(self) -> Exception | None:
        """The error that ended the transport, of a type that callers expect."""
        error: Exception | None = super().get_exception()
        if error is None or isinstance(error, SSHException | EOFError | OSError):
            return error
        return SSHException(f"what it sent is not SSH ({type(error).__name__})")
