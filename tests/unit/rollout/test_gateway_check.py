"""The gateway as another machine sees it: a real server with TLS on loopback."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fleethands.rollout.gateway_check import check_gateway
from fleethands.settings.load import read_fleet
from fleethands.settings.lockfile import Lockfile
from fleethands.tls.authority import Authority
from tests.helpers.gateways import gateway_data


@contextmanager
def served(folder: Path, authority: Authority, *names: str) -> Iterator[int]:
    """The port of a server with a certificate of the authority."""
    issued = authority.issue(names, datetime.now(UTC))
    (folder / "chain").write_text(issued.chain_pem)
    (folder / "key").write_text(issued.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "chain", folder / "key")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            try:
                context.wrap_socket(connection, server_side=True).recv(1)
            except OSError:
                connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("names", "own", "ok", "said"),
    [
        (("gpu-1.example",), True, True, "answers this machine with TLSv1.3"),
        (("other.example",), True, False, "answers this machine with another certificate"),
        (("gpu-1.example",), False, False, "answers this machine with another certificate"),
    ],
)
def test_the_declared_certificate_is_expected(
    tmp_path: Path, names: tuple[str, ...], own: bool, ok: bool, said: str
) -> None:
    data = gateway_data(tmp_path)
    authority = Authority.read((tmp_path / "authority.pem").read_text())
    if not own:
        authority = Authority.create("another", datetime.now(UTC))
    with served(tmp_path, authority, *names) as port:
        settings = read_fleet({"host": {**data, "gateway": f"0.0.0.0:{port}"}}, Lockfile())["host"]

        (link,) = check_gateway(settings, ["127.0.0.1", "::1"])  # the gateway does not listen on the second

    assert (link.name, link.ok) == ("gateway-from-outside", ok)
    assert link.detail.startswith(f"127.0.0.1 port {port} {said}")


def test_no_connection_is_reported_and_breaks_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    settings = read_fleet({"host": gateway_data(tmp_path, gateway=f"[::]:{port}")}, Lockfile())["host"]

    (link,) = check_gateway(settings, ["127.0.0.1"])

    assert link.ok
    assert link.detail == (
        f"127.0.0.1 port {port} does not answer this machine (Connection refused): see the firewalls between them"
    )
    assert check_gateway(read_fleet({"host": {"models": ["tiny"]}}, Lockfile())["host"], ["127.0.0.1"]) == []
