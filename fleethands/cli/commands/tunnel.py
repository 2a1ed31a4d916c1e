"""`fleethands tunnel`."""

from __future__ import annotations

import re
import signal
import sys
import webbrowser
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from fleethands.cli.command_line import typed
from fleethands.cli.errors import USAGE, Trouble
from fleethands.cli.output.json_document import tell
from fleethands.cli.session import chosen, connected, fleet_options, unconnected

if TYPE_CHECKING:
    from fleethands.engine.engine import Engine
    from fleethands.settings import HostSettings
    from fleethands.ssh.tunnel import Forward, Link

WORD = re.compile(r"[A-Za-z0-9._-]+")
KEY = re.compile(r"[0-9a-f]{64}")  # as openhands.sh makes it
INTERRUPTED = (signal.SIGINT, signal.SIGTERM)


@click.command()
@fleet_options
@click.option("--port", type=click.IntRange(1, 65535), help="Port of this machine; else the host's, or a free one.")
@click.option("--ollama", is_flag=True, help="Ollama's API instead of OpenHands.")
@click.option("--open", "browse", is_flag=True, help="Open the page in a browser.")
def tunnel(target: str | None, as_json: bool, port: int | None, ollama: bool, browse: bool, **options: Any) -> None:
    """Bring one host's OpenHands to a port of this machine, until Ctrl-C. Exit 0: it was ended; 1: no way there."""
    engine = _reached(target, **options)
    name = _only(engine)
    if name in engine.monitor.unreachable:
        reason, hints = engine.monitor.unreachable[name]
        raise Trouble(f"{name}: {reason}", *hints)
    if getattr(engine.inventory.get_host(name).connector, "client", None) is None:
        raise Trouble(f"{name} is not reached by SSH", f"its page: {engine.settings()[name].openhands_url}")
    _lead(engine, name, port, as_json, ollama, browse)
    engine.close()


def _reached(target: str | None, **options: Any) -> Engine:
    """The engine of a target; a plain name is first looked for in the inventory of one's own."""
    if target is not None and WORD.fullmatch(target) and options["hosts"] == "*":
        names: list[str] = []
        with suppress(Trouble):
            own = chosen(None)
            names = unconnected(own, **options).names
        if target in names:
            return connected(own, **{**options, "hosts": target})
    return connected(chosen(target), **options)


def _only(engine: Engine) -> str:
    from fleethands.report.rerun_hints import only  # noqa: PLC0415

    if len(engine.names) > 1:
        several = ", ".join(engine.names[:5]) + (" …" if len(engine.names) > 5 else "")
        reason = f"a tunnel leads to one host, and these match: {several}"
        one = only(engine.monitor.words, engine.names[0])
        raise Trouble(reason, f"name it: fleethands tunnel {typed(one)}", code=USAGE)
    return engine.names[0]


def _lead(engine: Engine, name: str, port: int | None, as_json: bool, ollama: bool, browse: bool) -> None:
    """Until a signal ends it."""
    import gevent  # type: ignore[import-untyped]  # noqa: PLC0415

    from fleethands.ssh.tunnel import Link, follow  # noqa: PLC0415

    stop = gevent.event.Event()
    for number in INTERRUPTED:
        gevent.signal_handler(number, stop.set)
    settings = engine.settings()[name]
    link = Link(engine.inventory.get_host(name), _say)
    forward = _forward(link, settings, port, ollama)
    url = f"{_scheme(settings, ollama)}://localhost:{forward.port}"
    _show(link, name, settings, url, as_json, ollama)
    if not ollama and _has_sandboxes(settings):
        gevent.spawn(follow, link, _say)
    if browse:
        webbrowser.open(url)
    stop.wait()
    forward.stop()
    link.close()


def _forward(link: Link, settings: HostSettings, port: int | None, ollama: bool) -> Forward:
    from fleethands.ssh.tunnel import forwarded  # noqa: PLC0415

    page = settings.openhands_address
    there = settings.ollama_server if ollama else (page.local_ip, page.port)
    try:
        return forwarded(link, *there, port)
    except OSError as error:
        hint = "leave `--port` out, and a free one is taken"
        raise Trouble(f"port {port} of this machine can't be had: {error.strerror}", hint) from None


def _scheme(settings: HostSettings, ollama: bool) -> str:
    return settings.ollama_client_url.partition(":")[0] if ollama else "http"


def _has_sandboxes(settings: HostSettings) -> bool:
    from fleethands.operations.firewall.firewall import has_sandboxes  # noqa: PLC0415

    return has_sandboxes(settings)


def _show(link: Link, name: str, settings: HostSettings, url: str, as_json: bool, ollama: bool) -> None:
    from fleethands.paths import CANVAS_KEY  # noqa: PLC0415
    from fleethands.settings.generations import generation_of  # noqa: PLC0415

    if as_json:
        tell({"schema": 1, "command": "tunnel", "host": name, "url": url})
        return
    click.echo(f"{'Ollama' if ollama else 'OpenHands'} of {name}: {url}")
    if ollama and url.startswith("https"):
        server, port = settings.ollama_server
        here = url.removeprefix("https://")
        click.echo(f"with its certificate: curl --connect-to {server}:{port}:{here} https://{server}:{port}/api/tags")
    if generation_of(settings).keyed and not ollama:
        if sys.stdout.isatty():  # never into a file, a pipe or a log
            key = "".join(link.lines(f"sed -n s/^LOCAL_BACKEND_API_KEY=//p {CANVAS_KEY}"))
            if not KEY.fullmatch(key):
                reason = f"{name} gives no key for its page: {CANVAS_KEY} holds no 64 digits of hexadecimal"
                raise Trouble(reason, f"see what it holds, on the host: sudo cat -v {CANVAS_KEY}")
            click.echo(f"its page asks for this key: {key}")
        else:
            click.echo(f"its page asks for a key, which lies on the host: sudo cat {CANVAS_KEY}")
        # the next page of its assistant would save another model (agent-canvas 1.16.0)
        click.echo("then `Skip for now`: the model is chosen already")
    click.echo("Ctrl-C ends it", err=True)


def _say(line: str) -> None:
    click.echo(line, err=True)
