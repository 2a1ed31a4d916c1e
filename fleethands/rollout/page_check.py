"""Whether OpenHands' page on the gateway of a host answers this machine, after a login and not without one."""

from __future__ import annotations

import ssl
import time
from base64 import b64encode
from collections.abc import Iterable
from http.client import HTTPException, HTTPSConnection

from fleethands.operations.core.decision import APPLY_HINT
from fleethands.operations.core.proof_record import Link
from fleethands.rollout.gateway_check import SECONDS, listens_on, trust
from fleethands.settings import HostSettings
from fleethands.settings.openhands import generation_of

LINK = "page-from-outside"
TOO_MANY = 429  # as the gateway answers when it tries no more passwords


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
        login, context = _login(settings), trust(settings)
    except ValueError as error:
        return [Link(LINK, False, 0, str(error), "on this machine: fleethands check")]
    for address in (each for each in addresses if listens_on(page, each)):
        try:
            ok, words = _try(settings, context, address, page.port, login)
        except (OSError, HTTPException) as error:
            why = getattr(error, "reason", "") or getattr(error, "strerror", "") or "no answer"
            said.append(f"{address} port {page.port} does not answer this machine ({why}): see the firewalls between")
            continue
        said.append(f"{address} port {page.port} {words}")
        if not ok:
            return [Link(LINK, False, time.monotonic() - begun, said[-1], APPLY_HINT)]
    return [Link(LINK, True, time.monotonic() - begun, "; ".join(said))] if said else []


def _login(settings: HostSettings) -> str:
    """The header of the first person; empty where no person is declared. Raises ValueError."""
    for name, secret in settings.gateway_people.items():
        return f"Basic {b64encode(f'{name}:{secret.reveal()}'.encode()).decode()}"
    return ""


def _try(settings: HostSettings, context: ssl.SSLContext, address: str, port: int, login: str) -> tuple[bool, str]:
    """Whether the page is as declared, and what it does."""
    generation = generation_of(settings)
    closed = generation.ready if login else generation.settings_api
    if (status := _status(settings, context, address, port, closed, "")) != 401:
        return False, f"answers this machine with {status} without a login"
    status = _status(settings, context, address, port, generation.ready, login)
    if status == TOO_MANY:  # someone who guesses passwords must not be able to fail a rollout
        return True, "takes no login now, because someone guesses passwords: on the host: journalctl -t fleethands_page"
    if status != 200:
        return False, f"answers a login of this machine with {status}"
    return True, "shows this machine OpenHands, and only after a login or with the key"


def _status(settings: HostSettings, context: ssl.SSLContext, address: str, port: int, path: str, login: str) -> int:
    """The status of an answer. The address is checked by the gateway's first name, so no name has to be resolved."""
    connection = _Connection(address, port, context, settings.gateway_names[0])
    try:
        connection.request("GET", path, headers={"Authorization": login} if login else {})
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
