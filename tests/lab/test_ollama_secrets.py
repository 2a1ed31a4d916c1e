"""Secrets of Ollama's on a host: its process has them, root can read them, and no other account can."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fleethands.paths import OLLAMA_OVERRIDE, OLLAMA_SECRETS
from tests.lab import fleet, observe
from tests.lab.host import Host

VALUE = "hunter2 two\nlines\t\"of\" 'it' $HOME `id` 100%n \\ \x01\x7f é\u2028"
INVENTORY = """
import runpy
from fleethands.settings import Secret
WANTED = {{"openhands_flavor": "off", "ollama_env": {{name: Secret.env(name) for name in {names!r}}}}}
lab = [(name, {{**data, **WANTED}}) for name, data in runpy.run_path({lab!r})["lab"]]
"""


def run(inventory: Path, command: str, *names: str) -> tuple[int, str, dict[str, Any]]:
    """Exit code, all output, and the document of a command on an inventory whose secrets have these names."""
    inventory.write_text(INVENTORY.format(names=names, lab=str(fleet.ROOT / "inventory/lab.py")))
    yes = "" if command in fleet.READERS else "--yes"
    words = f"fleethands {command} {inventory} --hosts lab-1 --json {yes}"
    code, said = fleet.typed(f"{words} 2>{inventory}.narration; status=$?; cat {inventory}.narration >&2; exit $status")
    document, _ = json.JSONDecoder().raw_decode(said)
    return code, said, document


def learnt(host: Host, user: str) -> str:
    """What a user can find out of the service."""
    asked = "systemctl show ollama; systemctl cat ollama; ps axeww; cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ"
    files = f"grep -rs . /etc/systemd /etc/fleethands /var/lib/fleethands /run/fleethands {OLLAMA_SECRETS}"
    return host.run(f"({asked}; {files}; journalctl -b) 2>/dev/null", check=False, user=user).stdout


def test_a_secret_reaches_the_process_and_nobody_else(
    converged: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", VALUE)
    inventory = tmp_path / "secret.py"

    code, said, _ = run(inventory, "plan", "OLLAMA_API_KEY")
    assert (code, "hunter2" in said) == (2, False), said
    code, said, done = run(inventory, "apply", "OLLAMA_API_KEY")

    assert (code, "hunter2" in said) == (0, False), said
    pid = converged.run("systemctl show ollama -p MainPID --value").stdout.strip()
    environ = converged.run(f"cat /proc/{pid}/environ").stdout.split("\0")
    assert f"OLLAMA_API_KEY={VALUE}" in environ
    assert converged.run(f"stat -c '%a %U' {OLLAMA_SECRETS} {OLLAMA_OVERRIDE}").stdout == "600 root\n644 root\n"
    assert "hunter2" not in learnt(converged, "plain")
    code, _, again = run(inventory, "apply", "OLLAMA_API_KEY")
    assert (code, again["result"]) == (0, "unchanged"), fleet.changes(again)

    monkeypatch.setenv("OLLAMA_API_KEY", "hunter3")
    code, said, done = run(inventory, "apply", "OLLAMA_API_KEY")

    assert (code, "hunter" in said) == (0, False), said
    assert fleet.changes(done)[:2] == ["Ollama | Write its secrets", "Ollama | Serve this revision"]
    assert observe.environment(converged)["OLLAMA_API_KEY"] == "hunter3"

    code, said, done = run(inventory, "apply")  # declared no more

    assert (code, "hunter" in said) == (0, False), said
    assert "OLLAMA_API_KEY" not in observe.environment(converged)
    assert converged.run(f"ls {OLLAMA_SECRETS}", check=False).returncode != 0
    code, _, again = run(inventory, "apply")
    assert (code, again["result"]) == (0, "unchanged"), fleet.changes(again)


@pytest.mark.soak
def test_a_proxy_s_password_is_not_in_what_a_failed_ollama_said(
    converged: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ollama logs all its settings when it starts, so the journal lines of a failure contain them."""
    monkeypatch.setenv("HTTPS_PROXY", "http://ana:hunter2@proxy.example:3128")
    before = observe.environment(converged)
    converged.run("chmod 000 /usr/share/ollama/.ollama/models/blobs")

    code, said, _ = run(tmp_path / "secret.py", "apply", "HTTPS_PROXY")

    assert "HTTPS_PROXY:http://ana:hunter2@" in converged.run("journalctl -u ollama").stdout
    assert code == 1, said
    assert "last lines of its journal" in said
    assert "hunter2" not in said
    assert "HTTPS_PROXY" not in before
