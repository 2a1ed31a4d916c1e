"""`fleethands tunnel`."""

from __future__ import annotations

import re
import signal
import sys
import webbrowser
from contextlib import suppress
from dataclasses import replace

import click
import gevent  # type: ignore[import-untyped]

from fleethands.cli.output.report_writer import ReportWriter
from fleethands.cli.session import connect, open_checked_hosts, open_hosts
from fleethands.command_line import CommandLine
from fleethands.engine.engine import Engine
from fleethands.errors import FleethandsError, UsageError
from fleethands.fleet.targets import resolve_target
from fleethands.paths import CANVAS_KEY
from fleethands.settings import HostSettings
from fleethands.settings.openhands import generation_of, has_sandboxes
from fleethands.ssh.ssh_link import SshLink
from fleethands.ssh.tunnel import CANVAS_KEY_VALUE, Forward, forward_sandbox_ports, start_forward

NAME = re.compile(r"[A-Za-z0-9._-]+")
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run(writer: ReportWriter, port: int | None, ollama: bool, browse: bool) -> int:
    writer.line = _find_host(writer)
    engine = connect(open_checked_hosts(writer))
    name = _only_host(engine)
    if name in engine.monitor.unreachable:
        reason, hints = engine.monitor.unreachable[name]
        raise FleethandsError(f"{name}: {reason}", *hints)
    if getattr(engine.inventory.get_host(name).connector, "client", None) is None:
        hint = f"open its page: {engine.settings()[name].openhands_url}"
        raise FleethandsError(f"{name} is not reached by SSH", hint)
    _forward_until_signal(writer, engine, name, port, ollama=ollama, browse=browse)
    engine.close()
    return 0


def _find_host(writer: ReportWriter) -> CommandLine:
    """A plain name as TARGET is looked for in the user's own inventory first."""
    line = writer.line
    if not NAME.fullmatch(line.target) or line.hosts:
        return line
    with suppress(FleethandsError):
        own = replace(line, target=resolve_target(None))
        if line.target in open_hosts(writer, own).names:
            return replace(own, hosts=line.target)
    return line


def _only_host(engine: Engine) -> str:
    if len(engine.names) > 1:
        several = ", ".join(engine.names[:5]) + (" …" if len(engine.names) > 5 else "")
        one = engine.command_line.only(engine.names[0])
        raise UsageError(f"a tunnel leads to one host, and these match: {several}", f"name the host: {one}")
    return engine.names[0]


def _forward_until_signal(
    writer: ReportWriter, engine: Engine, name: str, port: int | None, *, ollama: bool, browse: bool
) -> None:
    stop = gevent.event.Event()
    for number in SIGNALS:
        gevent.signal_handler(number, stop.set)
    settings = engine.settings()[name]
    link = SshLink(engine.inventory.get_host(name), _print_warning)
    forward = _forward(link, settings, port, ollama=ollama)
    url = f"{_scheme(settings, ollama=ollama)}://localhost:{forward.port}"
    if writer.as_json:
        writer.print_json({"schema": 1, "command": "tunnel", "host": name, "url": url})
    else:
        _show(link, name, settings, url, ollama=ollama)
    if not ollama and has_sandboxes(settings):
        gevent.spawn(forward_sandbox_ports, link, _print_warning)
    if browse:
        webbrowser.open(url)
    stop.wait()
    forward.stop()
    link.close()


def _forward(link: SshLink, settings: HostSettings, port: int | None, *, ollama: bool) -> Forward:
    page = settings.openhands_address
    remote = settings.ollama_server if ollama else (page.local_ip, page.port)
    try:
        return start_forward(link, *remote, port)
    except OSError as error:
        hint = "leave `--port` out, then fleethands chooses a free port"
        raise FleethandsError(f"cannot listen on port {port} of this machine: {error.strerror}", hint) from None


def _scheme(settings: HostSettings, *, ollama: bool) -> str:
    return settings.ollama_client_url.partition(":")[0] if ollama else "http"


def _show(link: SshLink, name: str, settings: HostSettings, url: str, *, ollama: bool) -> None:
    click.echo(f"{'Ollama' if ollama else 'OpenHands'} of {name}: {url}")
    if ollama and url.startswith("https"):
        server, port = settings.ollama_server
        local = url.removeprefix("https://")
        click.echo(f"with its certificate: curl --connect-to {server}:{port}:{local} https://{server}:{port}/api/tags")
    if generation_of(settings).needs_key and not ollama:
        _show_key(link, name)
    click.echo("Press Ctrl-C to end the tunnel", err=True)


def _show_key(link: SshLink, name: str) -> None:
    """The key of the page goes to a terminal only, never into a file, a pipe or a log."""
    if sys.stdout.isatty():
        key = "".join(link.lines(f"sed -n s/^LOCAL_BACKEND_API_KEY=//p {CANVAS_KEY}"))
        if not CANVAS_KEY_VALUE.fullmatch(key):
            reason = f"{name} gives no key for its page: {CANVAS_KEY} holds no 64 digits of hexadecimal"
            raise FleethandsError(reason, f"see what it holds, on the host: sudo cat -v {CANVAS_KEY}")
        click.echo(f"its page asks for this key: {key}")
    else:
        click.echo(f"its page asks for a key, which is on the host: sudo cat {CANVAS_KEY}")
    # the next page of its assistant would save another model (agent-canvas 1.16.0)
    click.echo("then `Skip for now`: the model is chosen already")


def _print_warning(line: str) -> None:
    click.echo(line, err=True)
