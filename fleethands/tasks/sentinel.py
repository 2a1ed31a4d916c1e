"""Prove the host by a timer, without a controller."""

from pyinfra.context import ctx_host

from fleethands.operations.sentinel import sentinel
from fleethands.paths import SENTINEL, SENTINEL_SCRIPT, SENTINEL_SECRETS
from fleethands.settings import HostSettings, Secret
from fleethands.settings.schema.ollama_env import PROXY_VARIABLES
from fleethands.tasks import render
from fleethands.tasks.task import task
from fleethands.text.systemd import file_assignment


@task("Sentinel")
def watch(settings: HostSettings) -> None:
    """Make the proof each night and after each boot, if `sentinel` is on. Runs after the proof."""
    if not settings.sentinel:
        sentinel.remove(name="Remove the timer", settings=settings)
        return
    name = str(ctx_host.get().name)
    sentinel.watch(
        name="Make the proof by a timer",
        settings=settings,
        host="" if name.startswith("@") else name,  # a connector of pyinfra's, such as `@local`
        unit=render("sentinel.service.j2", folder=SENTINEL, script=SENTINEL_SCRIPT, secrets=SENTINEL_SECRETS),
        timer=render("sentinel.timer.j2", at=settings.sentinel_at),
        secrets=render_secrets(settings),
    )


def render_secrets(settings: HostSettings) -> str:
    """The file with the webhook's address, its key and the host's proxy; empty without a webhook."""
    if settings.sentinel_webhook is None:
        return ""
    environment = {**settings.ollama_environment, **settings.openhands_variables}
    variables = {"SENTINEL_WEBHOOK": _text(settings.sentinel_webhook)}
    variables |= {"SENTINEL_KEY": _text(settings.sentinel_key)} if settings.sentinel_key is not None else {}
    variables |= {name: environment[name] for name in PROXY_VARIABLES if name in environment}
    lines = (f"{file_assignment(name, value)}\n" for name, value in variables.items())
    return "".join(["# Written by fleethands from the inventory: change the secret there.\n", *lines])


def _text(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value
