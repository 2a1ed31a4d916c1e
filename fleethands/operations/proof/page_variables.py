"""What the proof's script has to know about OpenHands' page on the gateway."""

from __future__ import annotations

from dataclasses import dataclass

from fleethands import paths
from fleethands.settings import HostSettings
from fleethands.settings.gateway import closed_path, connect_to_page, page_url
from fleethands.settings.openhands import generation_of


@dataclass(frozen=True, kw_only=True)
class PageVariables:
    """
    Where the gateway serves OpenHands' page.

    + gateway_page: its URL, by the first name of the gateway; empty without the page
    + gateway_page_connect: where that is on the host itself, as curl's --connect-to takes it
    + page_ready: the path that answers when OpenHands is ready; page_closed: one that asks for a login or the key
    + page_sessions: the file with the sessions of its people
    """

    gateway_page: str
    gateway_page_connect: str
    page_ready: str
    page_closed: str
    page_sessions: str = paths.GATEWAY_SESSIONS


def page_variables(settings: HostSettings) -> PageVariables:
    """The variables of a host's page."""
    return PageVariables(
        gateway_page=page_url(settings),
        gateway_page_connect=connect_to_page(settings),
        page_ready=generation_of(settings).ready,
        page_closed=closed_path(settings),
    )
