"""
Begins a command on a host in one round trip: its request, its input and the end of its input follow each other.

paramiko waits for the reply to the request, and then for a window, before it sends any input. RFC 4254 allows to send
more before the reply (5.4). OpenSSH announces the window of a session together with that reply: it has set the window
before it reads the input behind the request (session.c `session_set_fds`, channels.c `channel_set_fds`, 9.9p1).
"""

from __future__ import annotations

from typing import Any

from paramiko import Channel, Message, common

AHEAD = 1 << 20  # bytes of input before the window is announced; OpenSSH announces 2 MiB (channels.h, 9.9p1)
OPENSSH = "SSH-2.0-OpenSSH_"


def begin_command(channel: Channel, command: str) -> None:
    """
    Request a command, and wait for no reply. `streams.require_reply` tells afterwards whether the host refused it.

    + channel: an open session
    """
    session: Any = channel  # paramiko's own exec_command uses these names
    message = Message()
    message.add_byte(common.cMSG_CHANNEL_REQUEST)
    message.add_int(session.remote_chanid)
    message.add_string("exec")
    message.add_boolean(True)
    message.add_string(command)
    session._event_pending()
    session.transport._send_user_message(message)
    if session.transport.remote_version.startswith(OPENSSH):
        _open_window(session)


def _open_window(session: Any) -> None:
    """Send input ahead of the window that the host is about to announce."""
    with session.lock:
        if session.out_window_size == 0 and not session.closed:
            session.out_window_size = session.ahead = AHEAD


def adjust_window(channel: Channel, message: Message) -> None:
    """The host announces a window: what was sent ahead is a part of it."""
    session: Any = channel
    granted, ahead = message.get_int(), getattr(session, "ahead", 0)
    session.ahead = max(0, ahead - granted)
    rest = Message()
    rest.add_int(max(0, granted - ahead))
    session._window_adjust(Message(rest.asbytes()))
