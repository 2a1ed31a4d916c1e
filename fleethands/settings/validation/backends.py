"""Checks the settings of the hosts behind a gateway against each other."""

from __future__ import annotations

from collections.abc import Iterator

from fleethands.settings.host import HostSettings
from fleethands.settings.schema.variables import check_token
from fleethands.settings.validation.declared_secret import find_problem_of_secret
from fleethands.settings.values.names import ListenAddress

Found = tuple[str, str, tuple[str, ...]]
MOST = 250  # hosts for which the memory of nginx's zone is enough
TOKEN = "gateway_backends_token"  # noqa: S105  the name of a setting


def find_conflicts_of_backends(settings: HostSettings) -> Iterator[Found]:
    """Each mistake, with its path and the other settings that it follows from."""
    if not settings.gateway_backends:
        return
    for index, name in enumerate(settings.gateway_managers):
        problem = (
            f"expected none with `gateway_backends`, got `{name}`: "
            "the models of a host are managed through its own gateway"
        )
        yield f"gateway_managers.{index}", problem, ("gateway_backends",)
    if settings.gateway_authority is None:
        problem = "expected the authority that issued the certificates of `gateway_backends`"
        yield "gateway_authority", problem, ("gateway_backends",)
    if len(settings.gateway_backends) > MOST:
        yield "gateway_backends", f"expected at most {MOST} hosts, got {len(settings.gateway_backends)}", ()
    owners: dict[ListenAddress, str] = {}
    for name, address in settings.gateway_backends.items():
        if other := owners.get(address):
            yield f"gateway_backends.{name}", f"expected an address of its own, got that of `{other}`", ()
        owners.setdefault(address, name)
    yield from _token(settings)


def _token(settings: HostSettings) -> Iterator[Found]:
    secret = settings.gateway_backends_token
    if secret is None:
        yield TOKEN, "expected with `gateway_backends`: their gateways ask for a token", ("gateway_backends",)
    else:
        yield from find_problem_of_secret(settings, TOKEN, secret, check_token)
