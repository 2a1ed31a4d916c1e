"""Commands in hints about an external Ollama. How it runs on its server is not known."""

from __future__ import annotations

import json
import shlex

from fleethands.settings.values.names import is_local

SERVER = "on that server, where systemd runs its Ollama"


def command_place(url: str) -> str:
    """Where commands for it are typed: on the host if its address is loopback."""
    return "on the host" if is_local(url) else SERVER


def api_command(url: str, path: str) -> str:
    """A command that calls its API, for any machine that reaches it."""
    return f"curl -sS --noproxy '*' {shlex.quote(f'{url}/api/{path}')}"


def pull_hint(url: str, model: str) -> str:
    """How to pull a model there."""
    return f"on the host: {api_command(url, 'pull')} -d {shlex.quote(json.dumps({'model': model}))}"
