"""The unit of Ollama's container: what it passes to `docker run`."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fleethands import paths
from fleethands.operations.ollama import service
from fleethands.tasks import render

IMAGE = "ollama/ollama:0.24.0"


def command(unit: str) -> list[str]:
    """Words of its ExecStart, as systemd would take them apart."""
    line = re.search(r"^ExecStart=((?:.*\\\n)*.*)$", unit, re.MULTILINE)
    assert line is not None
    text = line[1].replace("\\\n", " ").replace("$$", "$").replace("%%", "%")
    found = re.findall(r"'([^']*)'|\"((?:[^\"\\]|\\.)*)\"|(\S+)", text)
    return [first or second or third for first, second, third in found]


@pytest.fixture
def start(tmp_path: Path) -> Any:
    """Runs the unit's command with a `docker` that says its arguments, and an `id` that knows `ollama`."""
    for name, text in {
        "docker": 'printf "%s\\n" "$@"',
        "setpriv": 'shift 5; exec "$@"',
        "id": "case $1 in -u) echo 901;; -g) echo 902;; -G) echo 902 44;; esac",
    }.items():
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / "bin" / name).chmod(0o755)

    def run(home: Path, arguments: tuple[str, ...] = (), **environment: str) -> list[str]:
        unit = render(
            "ollama-container.service.j2", image=IMAGE, docker="docker.service", gpus=arguments, home=str(home),
            models_dir=None, name=paths.OLLAMA_CONTAINER, label=service.LABEL,
        )  # fmt: skip
        known = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "FLEETHANDS_HOME": str(home), "INVOCATION_ID": "i"}
        done = subprocess.run(
            command(unit), capture_output=True, text=True, check=True, env={**known, **environment}, timeout=20
        )
        return done.stdout.splitlines()

    return run


def values_of(said: list[str], option: str) -> set[str]:
    return {said[index + 1] for index, word in enumerate(said) if word == option}


def test_variables_go_by_name_and_none_of_systemds(start: Any, tmp_path: Path) -> None:
    said = start(tmp_path, OLLAMA_HOST="0.0.0.0:1", OLLAMA_API_KEY="secret'\nX=y z", MINE="1", LANG="C", HOME="/x")

    assert values_of(said, "--env") == {"OLLAMA_HOST", "OLLAMA_API_KEY", "MINE", "X", f"HOME={tmp_path}"}
    assert "secret" not in " ".join(said)
    assert said[-2:] == [IMAGE, "serve"]
    assert (values_of(said, "--user"), values_of(said, "--group-add")) == ({"901:902"}, {"902", "44"})
    assert {"--network", "--rm", "--cap-drop"} <= set(said)
    assert values_of(said, "--pull") == {"never"}


def test_directories_are_mounted_at_their_own_paths_and_where_links_lead(start: Any, tmp_path: Path) -> None:
    home, disk, own, leads = (tmp_path / name for name in ("home", "disk", "own dir", "leads"))
    for each in (home, disk, own):
        each.mkdir()

    def volumes(**environment: str) -> set[str]:
        return {each for each in values_of(start(home, **environment), "--volume") if not each.startswith("/etc/ssl")}

    assert volumes() == {f"{home}:{home}"}
    (home / ".ollama").symlink_to(disk)
    assert volumes() == {f"{home}:{home}", f"{disk}:{disk}"}
    leads.symlink_to(own)
    both = {f"{home}:{home}", f"{disk}:{disk}", f"{leads}:{leads}", f"{own}:{own}"}
    assert volumes(OLLAMA_MODELS=str(leads)) == both
    assert f"{own}:{own}:ro" in volumes(SSL_CERT_DIR=str(own))
    assert volumes(OLLAMA_MODELS=str(tmp_path / "absent")) == {f"{home}:{home}", f"{disk}:{disk}"}


def test_arguments_for_gpus_stand_before_the_image(start: Any, tmp_path: Path) -> None:
    said = start(tmp_path, ("--device", "/dev/kfd", "--gpus", "all"))
    assert said[-6:] == ["--device", "/dev/kfd", "--gpus", "all", IMAGE, "serve"]
