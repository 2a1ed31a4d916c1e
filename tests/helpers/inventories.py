"""Inventories as the product reads them, up to the settings of each host (`python -m tests.helpers.inventories`)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.helpers.checkout import ROOT

REACHED = ("ssh_hostname", "ssh_user", "ssh_port", "ssh_key", "ssh_password", "ssh_config_file", "ssh_known_hosts_file")


def laid(place: Path, texts: Mapping[str, str]) -> Path:
    """A directory with these files, by their paths in it."""
    for name, text in texts.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return place


def asked(target: str, hosts: str = "*", exclude: str = "", **data: Any) -> dict[str, Any]:
    """What `read` takes: the words of a command."""
    return {"target": target, "hosts": hosts, "exclude": exclude, "data": data}


def read(here: Path, *questions: dict[str, Any], **environment: str) -> list[dict[str, Any]]:
    """
    For each question, from a directory: hosts → settings and how it is reached, and `warnings`; or `error` and `hints`.

    No host is contacted.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.helpers.inventories", json.dumps(questions)],
        cwd=here,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def _read(question: dict[str, Any]) -> dict[str, Any]:
    from fleethands.engine.engine import Engine  # noqa: PLC0415
    from fleethands.fleet.ansible.notes import UnsupportedConnection  # noqa: PLC0415
    from fleethands.fleet.inventory import InventoryError  # noqa: PLC0415
    from fleethands.fleet.selection import HostSelection, NoHostsError  # noqa: PLC0415
    from fleethands.settings import SettingsError  # noqa: PLC0415
    from fleethands.settings.serialize import to_json  # noqa: PLC0415

    try:
        engine = Engine.load(
            question["target"], ROOT, question["data"], HostSelection(question["hosts"], question["exclude"])
        )
        settings = engine.settings()
    except (NoHostsError, UnsupportedConnection, InventoryError) as error:
        return {"error": str(error), "hints": list(error.hints)}
    except SettingsError as error:
        return {"error": str(error), "hints": []}
    hosts = {}
    for name in engine.names:
        data = engine.host(name).data.dict()
        reached = {key: data[key] for key in REACHED if data.get(key) is not None}
        hosts[name] = {**to_json(settings[name]), **reached, "groups": sorted(engine.host(name).groups)}
    return {"hosts": hosts, "warnings": engine.warnings}


if __name__ == "__main__":
    print(json.dumps([_read(question) for question in json.loads(sys.argv[1])]))
