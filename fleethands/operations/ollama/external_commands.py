"""What a person types about an Ollama that is elsewhere: how it runs there is not known."""

from __future__ import annotations

import json
import shlex

from fleethands.settings.values.names import is_local

SERVER = "on that server, where systemd runs its Ollama"


def command_place(url: str) -> str:
    """Where commands for it are typed; an address of loopback is the host's own."""
    return "on the host" if is_local(url) else SERVER


def api_command(url: str, path: str) -> str:
    """A command that asks its API, from any machine that reaches it."""
    return f"curl -sS --noproxy '*' {shlex.quote(f'{url}/api/{path}')}"


def pull_hint(url: str, model: str) -> str:
    """The hint that brings a model there."""
    return f"on the host: {api_command(url, 'pull')} -d {shlex.quote(json.dumps({'model': model}))}"
