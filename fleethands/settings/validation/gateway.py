"""Checks the settings of the gateway against each other, and against its files on the controller."""

from __future__ import annotations

from collections.abc import Iterator

from fleethands.settings.expected import InvalidValue
from fleethands.settings.host import HostSettings
from fleethands.settings.openhands import inner_ports, rehearsal_ports
from fleethands.settings.schema.variables import check_token
from fleethands.settings.validation.acme import find_conflicts_of_acme
from fleethands.settings.validation.backends import find_conflicts_of_backends
from fleethands.settings.values.secret import MASK

Found = tuple[str, str, tuple[str, ...]]  # path, problem, the other settings that it follows from
OWN_WAYS = ("gateway_certificate", "gateway_key")


def find_conflicts_of_gateway(settings: HostSettings) -> Iterator[Found]:
    """Each mistake, with its path and the other settings that it follows from."""
    if settings.gateway is None:  # the other settings may be those of a group, for hosts that have one
        return
    if not settings.manages_ollama:
        problem = f"expected no gateway, because `ollama_runtime` is `external`, got `{settings.gateway}`"
        yield "gateway", problem, ("ollama_runtime",)
    if not settings.gateway_names:
        yield "gateway_names", "expected at least one name or address: the certificate is for these", ("gateway",)
    if not settings.gateway_tokens:
        yield "gateway_tokens", "expected at least one client: the gateway refuses all others", ("gateway",)
    for index, name in enumerate(settings.gateway_managers):
        if name not in settings.gateway_tokens:
            known = ", ".join(f"`{each}`" for each in settings.gateway_tokens) or "none"
            problem = f"expected a name of `gateway_tokens` ({known}), got `{name}`"
            yield f"gateway_managers.{index}", problem, ("gateway_tokens",)
    yield from _port(settings, settings.gateway.port)
    yield from find_conflicts_of_backends(settings)
    yield from _tokens(settings)
    yield from find_conflicts_of_acme(settings)
    if settings.gateway_acme is None:
        yield from _ways(settings)


def _port(settings: HostSettings, port: int) -> Iterator[Found]:
    taken = {settings.ollama_host.port: "ollama_host"}
    if settings.openhands_flavor != "off":
        inner = dict.fromkeys((*inner_ports(settings), *rehearsal_ports(settings)), "openhands_flavor")
        taken = {**inner, settings.openhands_port: "openhands_port", **taken}
    if key := taken.get(port):
        problem = f"expected another port than those of `{key}`, got `{port}`"
        yield "gateway", problem, (key, "openhands_flavor")


def _tokens(settings: HostSettings) -> Iterator[Found]:
    owners: dict[str, str] = {}
    for name, secret in settings.gateway_tokens.items():
        path = f"gateway_tokens.{name}"
        if path in settings.unread_secrets:
            continue
        try:
            check_token(token := secret.reveal())
        except InvalidValue as error:
            yield path, error.got(f"`{MASK}`"), ()
            continue
        except ValueError as error:
            yield path, str(error), ()
            continue
        if other := owners.get(token):
            yield path, f"expected a token of its own, got that of `{other}`", ()
        owners.setdefault(token, name)


def _ways(settings: HostSettings) -> Iterator[Found]:
    """Mistakes of the two ways to a certificate: the authority of the fleet, or files."""
    both = ("gateway_authority", *OWN_WAYS, "gateway_names", "gateway")
    own = [key for key in OWN_WAYS if getattr(settings, key) is not None]
    if settings.gateway_authority is not None and own and not settings.gateway_backends:
        for key in own:
            yield key, "expected only without `gateway_authority`, which issues the certificate", both
    elif settings.gateway_authority is None and not own:
        problem = "expected this or `gateway_certificate`: the gateway needs a certificate"
        yield "gateway_authority", f"{problem}; `fleethands authority create authority.pem` makes one", both
    elif len(own) == 1:
        missing = OWN_WAYS[1 - OWN_WAYS.index(own[0])]
        yield missing, f"expected with `{own[0]}`: the gateway needs the certificate and its key", both
    elif settings.gateway_names:
        yield from ((path, problem, both) for path, problem in _certificate(settings))


def _certificate(settings: HostSettings) -> Iterator[tuple[str, str]]:
    """What is wrong with the authority or the files, if this machine reads them."""
    from fleethands.settings.values import certificates  # noqa: PLC0415  only a gateway has a certificate

    if settings.unread_secrets & {"gateway_authority", "gateway_key"}:
        return
    if settings.gateway_certificate is not None:
        try:
            certificates.read_certificate(settings)
        except ValueError as error:
            yield "gateway_certificate", str(error)
    if settings.gateway_authority is not None:
        try:
            certificates.read_authority(settings.gateway_authority)
        except ValueError as error:
            yield "gateway_authority", str(error)
