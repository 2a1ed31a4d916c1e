"""Settings of a host with a gateway, and the secrets that they name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fleethands.settings import Secret, SettingsError
from fleethands.settings.load import read_fleet
from fleethands.settings.lockfile import Lockfile
from fleethands.tls.authority import Authority

TOKENS = {"alice": "alice-" + "a" * 30, "ops": "ops-" + "o" * 30}


def gateway_data(folder: Path, tokens: Mapping[str, str] = TOKENS, **more: Any) -> dict[str, Any]:
    """
    Host data with a gateway, whose authority and tokens are files.

    + folder: of these files
    + more: other settings; None removes one
    """
    authority = folder / "authority.pem"
    if not authority.exists():
        authority.write_text(Authority.create("test", datetime.now(UTC) - timedelta(days=400)).pem)
    for name, token in tokens.items():
        (folder / name).write_text(token + "\n")
    usual = {
        "models": ["codellama:7b"],
        "openhands_flavor": "off",
        "gateway": "[::]:8443",
        "gateway_names": ["gpu-1.example", "192.0.2.7", "2001:db8::7"],
        "gateway_tokens": {name: Secret.file(str(folder / name)) for name in tokens},
        "gateway_authority": Secret.file(str(authority)),
    }
    return {key: value for key, value in {**usual, **more}.items() if value is not None}


PASSWORDS = {"ann": "ann-correct-horse", "ben": "ben-battery-staple"}


def page_data(folder: Path, people: Mapping[str, str] = PASSWORDS, **more: Any) -> dict[str, Any]:
    """Host data with OpenHands' page on the gateway, whose passwords are files."""
    for name, password in people.items():
        (folder / f"{name}.password").write_text(password + "\n")
    usual = {
        "openhands_flavor": "gui",
        "gateway_page": "[::]:3443",
        "gateway_people": {name: Secret.file(str(folder / f"{name}.password")) for name in people},
    }
    return gateway_data(folder, **{**usual, **more})


def mistakes(data: dict[str, Any]) -> list[str]:
    """The mistakes of one host's data, each as `PATH: PROBLEM`."""
    try:
        read_fleet({"host": data}, Lockfile())
    except SettingsError as error:
        return [f"{each.path}: {each.problem}" for each in error.mistakes]
    return []
