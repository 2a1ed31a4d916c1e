"""Run a gateway with TLS and tokens in front of Ollama, and OpenHands' page, for clients on other machines."""

from fleethands import paths
from fleethands.operations.gateway import acme, backends, certificate, people, requests, service, tokens
from fleethands.operations.removal import removal
from fleethands.operations.system import system
from fleethands.settings import HostSettings
from fleethands.settings.values.names import ListenAddress
from fleethands.tasks import docker, firewall, ollama, preflight, render
from fleethands.tasks.task import task


@task("Gateway", preflight.check, docker.install, firewall.close, ollama.serve)
def serve(settings: HostSettings) -> None:
    """Run the declared gateway, or remove it where none is declared."""
    if settings.gateway is None:
        remove(settings)
        return
    system.create_user(
        name="Create its user", settings=settings, user=paths.GATEWAY_USER, home=paths.GATEWAY, roots_home=True
    )
    backends.write_trust(name="Write whose certificates the hosts behind it have", settings=settings)
    backends.write_backends(name="Write the hosts behind it", settings=settings, content=render_backends(settings))
    config = render_config(settings, settings.gateway)
    system.write_file(name="Write its configuration", settings=settings, path=paths.GATEWAY_CONFIG, content=config)
    tokens.write_tokens(name="Write the tokens of its clients", settings=settings)
    people.write_people(name="Write who may log in to OpenHands' page", settings=settings)
    if settings.gateway_acme is None:
        acme.remove(name="Stop renewing its certificate", settings=settings)
        certificate.write_certificate(name="Write its certificate", settings=settings)
    else:
        acme.obtain(name="Get its certificate", settings=settings, unit=render_renewal(), timer=render_timer())
    system.write_file(name="Write the unit", settings=settings, path=paths.GATEWAY_UNIT, content=render_unit())
    service.load(name="Use these files", settings=settings, address=settings.gateway)


def remove(settings: HostSettings) -> None:
    """Remove the gateway and its user."""
    acme.remove(name="Stop renewing its certificate", settings=settings)
    service.remove(name="Remove the gateway", settings=settings)
    removal.remove_account(
        name="Remove its user", settings=settings, user=paths.GATEWAY_USER, home=paths.GATEWAY, content=False
    )


def render_config(settings: HostSettings, address: ListenAddress) -> str:
    """The text of nginx's configuration."""
    backend = ListenAddress(settings.ollama_host.local_ip, settings.ollama_host.port)
    return render(
        "gateway.nginx.conf.j2",
        listen=address,
        is_dual=address.ip == "::",
        backend=backend,
        backends=tuple(settings.gateway_backends),
        backends_file=paths.GATEWAY_BACKENDS,
        managers=settings.gateway_managers,
        watchers=settings.gateway_watchers,
        metrics=f"{paths.METRICS_RUNTIME}/{paths.METRICS_FILE}",
        uses=requests.USES,
        manages=requests.MANAGES,
        largest_body=requests.LARGEST_BODY,
        refusals=requests.REFUSALS,
        tokens=paths.GATEWAY_TOKENS,
        certificate=paths.GATEWAY_CERTIFICATE,
        key=paths.GATEWAY_KEY,
        runtime=paths.GATEWAY_RUNTIME,
        cache=paths.GATEWAY_CACHE,
        **_page(settings),
    )


def render_backends(settings: HostSettings) -> str | None:
    """The text of the part about the hosts behind the gateway; None without any. Raises ValueError for its secret."""
    if not settings.gateway_backends or settings.gateway_backends_token is None:
        return None
    return render(
        "gateway_backends.conf.j2",
        backends=tuple(backends.find_backends(settings)),
        token=settings.gateway_backends_token.reveal(),
        trust=paths.GATEWAY_TRUST,
        drained=paths.GATEWAY_DRAINED,
        runtime=paths.GATEWAY_RUNTIME,
    )


def _page(settings: HostSettings) -> dict[str, object]:
    """The values of OpenHands' page in that configuration."""
    openhands = settings.openhands_address
    return {
        "page": settings.gateway_page,
        "page_is_dual": settings.gateway_page is not None and settings.gateway_page.ip == "::",
        "openhands": ListenAddress(openhands.local_ip, openhands.port),
        "people": paths.GATEWAY_PEOPLE if settings.gateway_people else "",
        "sessions": paths.GATEWAY_SESSIONS,
    }


def render_unit() -> str:
    """The text of the gateway's unit."""
    return render(
        "gateway.service.j2",
        user=paths.GATEWAY_USER,
        config=paths.GATEWAY_CONFIG,
        unit=paths.GATEWAY_UNIT,
        read=" ".join(service.READ),
        loaded=paths.GATEWAY_LOADED,
        runtime=paths.GATEWAY_RUNTIME,
        cache=paths.GATEWAY_CACHE,
    )


def render_renewal() -> str:
    """The text of the unit that renews the certificate."""
    return render("gateway_renew.service.j2", renew=paths.ACME_RENEW, folders=f"{paths.ACME} {paths.GATEWAY}")


def render_timer() -> str:
    """The text of its timer."""
    return render("gateway_renew.timer.j2")
