"""
Whether OpenHands' page on the gateway of a host answers this machine, and not without a login.

No password is sent: the host's root could read it, and use it at other hosts. The host itself proves the page with a
session.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable
from http.client import HTTPException, HTTPSConnection

from fleethands.operations.core.decision import APPLY_HINT
from fleethands.operations.core.proof_record import Link
from fleethands.rollout.gateway_check import SECONDS, listens_on, trust
from fleethands.settings import HostSettings
from fleethands.settings.gateway import closed_path
from fleethands.settings.openhands import generation_of

LINK = "page-from-outside"


def check_page(settings: HostSettings, addresses: Iterable[str]) -> list[Link]:
    """
    The link of OpenHands' page as another machine sees it; none where the gateway does not serve it.

    + addresses: of the host, as this machine reaches them

    No connection breaks nothing, as for the gateway itself.
    """
    page = settings.gateway_page
    if settings.gateway is None or page is None:
        return []
    begun, said = time.monotonic(), []
    try:
        context = trust(settings)
    except ValueError as error:
        return [Link(LINK, False, 0, str(error), "on this machine: fleethands check")]
    for address in (each for each in addresses if listens_on(page, each)):
        try:
            ok, words = _try(settings, context, address, page.port)
        except (OSError, HTTPException) as error:
            why = getattr(error, "reason", "") or getattr(error, "strerror", "") or "no answer"
            said.append(f"{address} port {page.port} does not answer this machine ({why}): see the firewalls between")
            continue
        said.append(f"{address} port {page.port} {words}")
        if not ok:
            return [Link(LINK, False, time.monotonic() - begun, said[-1], APPLY_HINT)]
    return [Link(LINK, True, time.monotonic() - begun, "; ".join(said))] if said else []


def _try(settings: HostSettings, context: ssl.SSLContext, address: str, port: int) -> tuple[bool, str]:
    """Whether the page is as declared, and what it does."""
    if (status := _status(settings, context, address, port, closed_path(settings))) != 401:
        return False, f"answers this machine with {status} without a login"
    if settings.gateway_people:
        return True, "asks this machine for a login"
    if (status := _status(settings, context, address, port, generation_of(settings).ready)) != 200:
        return False, f"answers this machine with {status}"
    return True, "shows this machine OpenHands, and its settings only with the key"


def _status(settings: HostSettings, context: ssl.SSLContext, address: str, port: int, path: str) -> int:
    """The status of an answer. The address is checked by the gateway's first name, so no name has to be resolved."""
    connection = _Connection(address, port, context, settings.gateway_names[0])
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


class _Connection(HTTPSConnection):
    """A connection to an address, whose certificate is for a name."""

    def __init__(self, address: str, port: int, context: ssl.SSLContext, name: str) -> None:
        super().__init__(address, port, timeout=SECONDS, context=context)
        self._secure, self._name = context, name

    def connect(self) -> None:
        self.sock = self._create_connection((self.host, self.port), self.timeout)  # type: ignore[attr-defined]
        self.sock = self._secure.wrap_socket(self.sock, server_hostname=self._name)
