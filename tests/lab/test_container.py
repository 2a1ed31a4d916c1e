"""Ollama in upstream's container: installed, with its models, through a reboot, and removed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.lab import observe, sessions
from tests.lab.fleet import fleethands, trouble
from tests.lab.host import Host
from tests.lab.ollama_container import (
    CONTAINER_NAME,
    CONTAINER_SETTINGS,
    IMAGE,
    apply_settings,
    assert_unchanged,
    find_image,
)
from tests.lab.test_uninstall import listing


def list_lasting_files(host: Host) -> list[str]:
    """Every file and Docker object, without the directories that each boot creates."""
    return [line for line in listing(host) if not line.startswith("/var/tmp/systemd-private-")]


def test_a_new_host_is_proven_by_its_container(clean: Host) -> None:
    sessions.write_down(clean)

    code, done = fleethands("apply", **CONTAINER_SETTINGS)

    assert code == 0, trouble(done)
    assert (find_image(clean), observe.proven(clean, observe.OLLAMA_LINKS)) == (IMAGE, True)
    assert clean.run("ls /opt/ollama", check=False).returncode != 0  # no release
    mark = sessions.mark(clean)
    assert_unchanged(**CONTAINER_SETTINGS)
    assert list(sessions.since(clean, mark).values()) == [1]


@pytest.mark.soak
def test_openhands_has_it_a_boot_brings_it_back_and_a_removal_leaves_nothing(clean: Host) -> None:
    before = list_lasting_files(clean)
    data: dict[str, Any] = {"ollama_runtime": "container"}
    apply_settings(**data)
    assert observe.proven(clean)
    clean.reboot()
    clean.run("until curl -fs -o /dev/null localhost:11434/api/version; do sleep 0.1; done", timeout=60)
    assert_unchanged(**data)
    code, verified = fleethands("verify", **data)
    assert (code, find_image(clean)) == (0, IMAGE), trouble(verified)

    code, done = fleethands("uninstall", "--models", "--workspaces", **data)

    assert code == 0, trouble(done)
    assert list_lasting_files(clean) == before


@pytest.mark.soak
def test_models_are_made_loaded_and_pruned_through_it(contained: Host, tmp_path: Path) -> None:
    file = tmp_path / "Modelfile"
    file.write_text("FROM codellama:7b\nSYSTEM Say OK.\n")
    models: list[Any] = [{"name": "codellama:7b", "preload": True}, {"name": "mine", "modelfile": str(file)}]
    data = {**CONTAINER_SETTINGS, "models": models, "models_prune": True, "ollama_keep_alive": -1}

    apply_settings(**data)

    assert "mine:latest" in contained.run("curl -s localhost:11434/api/tags").stdout
    assert "codellama:7b" in contained.run("curl -s localhost:11434/api/ps").stdout
    assert "Models | Remove what is not listed" in apply_settings(**{**data, "models": models[:1]})
    code, verified = fleethands("verify", "--checksums", **{**data, "models": models[:1]})
    assert code == 0, trouble(verified)


@pytest.mark.soak
def test_models_behind_links_and_a_directory_of_their_own(clean: Host) -> None:
    clean.run("useradd -r -d /usr/share/ollama -s /bin/false ollama")
    clean.run("mkdir -p /data/store /data/own /usr/share/ollama && ln -s /data/store /usr/share/ollama/.ollama")
    clean.run("chown -hR ollama: /data/store /usr/share/ollama")
    apply_settings(**CONTAINER_SETTINGS)
    assert clean.run("ls /data/store/models/manifests").returncode == 0

    clean.run("ln -s /data/own /srv/models")
    apply_settings(
        **CONTAINER_SETTINGS, ollama_models_dir="/srv/models", ollama_env={"OLLAMA_API_KEY": "k", "OLLAMA_DEBUG": True}
    )

    assert clean.run("ls /data/own/manifests").returncode == 0


@pytest.mark.soak
def test_a_link_of_ollamas_own_brings_no_place_of_roots_into_the_container(clean: Host) -> None:
    apply_settings(**CONTAINER_SETTINGS)
    clean.run("mkdir /root/open && echo secret > /root/open/file && chmod 755 /root/open && systemctl stop ollama")
    as_ollama = "setpriv --reuid ollama --regid ollama --init-groups sh -c"
    clean.run(f"cd /usr/share/ollama && {as_ollama} 'mv .ollama mine && ln -s /root/open .ollama'")

    clean.run("systemctl start ollama")

    places = (
        f"docker ps -aq --filter name={CONTAINER_NAME} | xargs -r docker inspect --format '{{{{.HostConfig.Binds}}}}'"
    )
    seen = clean.run(f"for _ in $(seq 100); do {places} 2>/dev/null; sleep 0.05; done", timeout=60).stdout
    assert "/usr/share/ollama:/usr/share/ollama" in seen
    assert "/root" not in seen
