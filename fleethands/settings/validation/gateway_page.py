"""Checks the settings of OpenHands' page on the gateway against the others."""

from __future__ import annotations

from collections.abc import Iterator

from fleethands.settings.host import HostSettings
from fleethands.settings.openhands import generation_of, inner_ports, rehearsal_ports
from fleethands.settings.schema.gateway_page import check_password
from fleethands.settings.validation.declared_secret import find_problem_of_secret

Found = tuple[str, str, tuple[str, ...]]  # path, problem, the other settings that it follows from


def find_conflicts_of_gateway_page(settings: HostSettings) -> Iterator[Found]:
    """Each mistake, with its path and the other settings that it follows from."""
    if settings.gateway_page is None:  # the people may be those of a group, for hosts that have the page
        return
    shown = f"got `{settings.gateway_page}`"
    if settings.gateway is None:
        yield "gateway_page", f"expected only with `gateway`, whose second address it is, {shown}", ("gateway",)
    if settings.openhands_flavor == "off":
        problem = f"expected no page, because `openhands_flavor` is `off`, {shown}"
        yield "gateway_page", problem, ("openhands_flavor",)
    elif not settings.gateway_people and not generation_of(settings).needs_key:
        problem = "expected at least one person with a password, because this OpenHands itself asks for none"
        yield "gateway_people", problem, ("gateway_page", "openhands_flavor", "openhands_image")
    yield from _port(settings, settings.gateway_page.port)
    for name, secret in settings.gateway_people.items():
        yield from find_problem_of_secret(settings, f"gateway_people.{name}", secret, check_password)


def _port(settings: HostSettings, port: int) -> Iterator[Found]:
    inner = dict.fromkeys((*inner_ports(settings), *rehearsal_ports(settings)), "openhands_flavor")
    taken = {**inner, settings.openhands_port: "openhands_port", settings.ollama_host.port: "ollama_host"}
    if settings.gateway is not None:
        taken[settings.gateway.port] = "gateway"
    if key := taken.get(port):
        problem = f"expected another port than those of `{key}`, got `{port}`"
        yield "gateway_page", problem, (key, "openhands_flavor", "gateway")
