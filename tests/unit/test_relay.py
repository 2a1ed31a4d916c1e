"""The relay that makes a connection slow."""

from __future__ import annotations

import socket
import threading
import time

from bench.relay import DelayRelay

ROUND_TRIP = 0.2


def _echo(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        while block := connection.recv(1 << 16):
            connection.sendall(block)


def test_each_direction_waits_for_half_a_round_trip_and_a_new_connection_for_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_echo, args=(server,), daemon=True).start()
        with DelayRelay(server.getsockname(), ROUND_TRIP).open() as port:
            begun = time.monotonic()
            with socket.create_connection(("127.0.0.1", port)) as client:
                first = _seconds_until_echo(client, b"a")
                assert first >= 2 * ROUND_TRIP
                second = _seconds_until_echo(client, b"b" * 500_000)
                assert ROUND_TRIP <= second < first
                client.shutdown(socket.SHUT_WR)
                assert client.recv(1) == b""
            assert time.monotonic() - begun >= 4 * ROUND_TRIP


def _seconds_until_echo(client: socket.socket, data: bytes) -> float:
    begun = time.monotonic()
    client.sendall(data)
    length = 0
    while length < len(data):
        length += len(client.recv(1 << 16))
    return time.monotonic() - begun
