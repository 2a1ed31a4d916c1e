"""Release records: what hosts store of a proven state, and the rollback to it without a network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.lab import fleet, observe
from tests.lab.flavors import GUIDE
from tests.lab.fleet import changes, fleethands
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.test_ollama_service import BAD, offer, version

OLLAMA: dict[str, Any] = {
    "ollama_version": "0.24.1",
    "ollama_origins": ["https://b.example"],
    "ollama_keep_alive": "7m",
}
ALL: dict[str, Any] = {**OLLAMA, "openhands_env": {"CHOICE": "b"}}
INVENTORY = """\
import runpy
from pathlib import Path
from fleethands.settings import Secret
lab = [
    (name, {{**data, "openhands_flavor": "off", "ollama_env": {{"OLLAMA_API_KEY": Secret.env("LAB_KEY")}}, **{more}}})
    for name, data in runpy.run_path("inventory/lab.py")["lab"] if name == "lab-1"
]
"""


def record(host: Host, number: int = 0) -> dict[str, Any]:
    """A release record, the newest first."""
    name = f"record-{number}.json" if number else "record.json"
    found: dict[str, Any] = json.loads(host.run(f"cat /var/lib/fleethands/{name}").stdout)
    return found


def declared(host: Host) -> dict[str, str]:
    """What of the settings the running processes have."""
    ollama = {key: value for key, value in observe.environment(host).items() if key.startswith("OLLAMA_")}
    container = host.run("docker inspect openhands-app --format '{{range .Config.Env}}{{println .}}{{end}}'").stdout
    choice = [line for line in container.splitlines() if line.startswith("CHOICE=")]
    return {**ollama, "version": version(host), "choice": "".join(choice)}


def is_unchanged(**data: Any) -> bool:
    """Whether a second apply of these changes nothing."""
    code, again = fleethands("apply", **data)
    return (code, changes(again)) == (0, [])


@contextmanager
def nothing_beyond(lab: Lab, host: Host) -> Iterator[None]:
    """The host reaches no web server and no name server."""
    host.run("nft add table inet cut && nft add chain inet cut out '{ type filter hook output priority -9; }'")
    host.run("nft add rule inet cut out oifname host0 tcp dport '{ 53, 80, 443, 5000 }' drop")
    host.run("nft add rule inet cut out oifname host0 udp dport 53 drop")
    assert host.run("curl -sS -m 2 https://registry.ollama.ai/v2/", check=False).returncode == 28
    asked = len(lab.internet.requests())
    try:
        yield
        assert len(lab.internet.requests()) == asked
    finally:
        host.run("nft delete table inet cut")


@pytest.mark.parametrize(
    "other", [pytest.param(OLLAMA, id="Ollama"), pytest.param(ALL, id="all", marks=pytest.mark.soak)]
)
def test_back_and_forth_between_two_records_without_any_network(
    lab: Lab, converged: Host, other: dict[str, Any]
) -> None:
    first = declared(converged)
    assert fleethands("apply", **other)[0] == 0
    second = declared(converged)
    assert (first["version"], second["version"]) == ("0.24.0", "0.24.1")
    assert second["OLLAMA_ORIGINS"] == "https://b.example"

    with nothing_beyond(lab, converged):
        code, back = fleethands("rollback")
        assert code == 0, back
        assert (declared(converged), observe.proven(converged)) == (first, True)
        assert any("restores the state that was proven on 20" in note for note in back["hosts"]["lab-1"]["notes"])
        assert is_unchanged()
        code, forth = fleethands("rollback")
        assert code == 0, forth
        assert (declared(converged), observe.proven(converged)) == (second, True)
        assert is_unchanged(**other)

    kept = [record(converged, number)["versions"]["ollama"] for number in range(4)]
    assert kept == ["0.24.1", "0.24.0", "0.24.1", "0.24.0"]


@pytest.mark.soak
@pytest.mark.parametrize("bad", ["a release that exits", "an address that no container reaches"])
def test_after_a_bad_change_it_goes_back_to_what_was_proven_last(converged: Host, bad: str) -> None:
    first = declared(converged)
    release, address = offer(converged, "0.24.9", BAD["exits at its start"][0]), {"ollama_host": "127.0.0.1:11434"}
    wanted = release if bad == "a release that exits" else address
    assert fleethands("apply", "--no-rollback", **wanted)[0] == 1
    assert not observe.proven(converged)

    code, back = fleethands("rollback")

    assert code == 0, back
    assert (declared(converged), observe.proven(converged)) == (first, True)
    assert is_unchanged()
    code, refused = fleethands("rollback")
    assert (code, refused["hosts"]["lab-1"]["status"]) == (1, "refused")
    assert refused["hosts"]["lab-1"]["reason"] == ("the host has no previous release record")


@pytest.mark.soak
def test_the_image_of_then_serves_though_its_tag_moved(lab: Lab, converged: Host) -> None:
    image = converged.run(f"docker image inspect --format '{{{{.Id}}}}' {GUIDE}").stdout
    converged.run("docker commit --change 'LABEL moved=yes' openhands-app moved && docker rm -f openhands-app")
    converged.run(f"docker tag moved {GUIDE} && docker rmi moved")
    assert fleethands("apply", **ALL)[0] == 0
    assert converged.run("docker inspect openhands-app --format '{{.Image}}'").stdout != image

    with nothing_beyond(lab, converged):
        code, back = fleethands("rollback")

    assert code == 0, back
    assert "OpenHands | Restore the image's tag" in changes(back)
    assert converged.run("docker inspect openhands-app --format '{{.Image}}'").stdout == image
    assert observe.proven(converged)
    assert is_unchanged()


@pytest.mark.parametrize("runs", [2, pytest.param(6, marks=pytest.mark.soak)])
def test_five_records_are_kept_and_no_secret_in_them(
    clean: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runs: int
) -> None:
    monkeypatch.setenv("LAB_KEY", "hunter2")
    inventory = tmp_path / "fleet.py"

    def apply(command: str = "apply", **more: Any) -> tuple[int, str]:
        inventory.write_text(INVENTORY.format(more=more))
        return fleet.typed(f"fleethands {command} {inventory} --yes --json")

    assert apply("rollback")[0] == 1  # nothing is there yet
    for number in range(runs):
        code, said = apply(ollama_keep_alive=f"{number}m")
        assert code == 0, said
    code, again = apply(ollama_keep_alive=f"{runs - 1}m")
    assert (code, json.loads(again)["result"]) == (0, "unchanged")

    listed = clean.run("cd /var/lib/fleethands && stat -c '%n %a %U' record*").stdout.splitlines()
    count = min(runs, 5)
    assert listed == [*(f"record-{number}.json 600 root" for number in range(1, count)), "record.json 600 root"]
    kept = [record(clean, number) for number in range(count)]
    assert [each["declared"]["ollama_keep_alive"] for each in kept] == [f"{runs - 1 - age}m" for age in range(count)]
    assert kept[0]["declared"]["ollama_env"] == {"OLLAMA_API_KEY": {"secret": "env", "place": "LAB_KEY"}}
    assert clean.run("grep -l hunter2 /var/lib/fleethands/record*", check=False).stdout == ""
    code, said = fleet.typed(f"fleethands status {inventory}")
    assert f"{kept[0]['time'][:10]} {kept[0]['time'][11:16]} UTC by {kept[0]['by']}" in said, said

    monkeypatch.delenv("LAB_KEY")
    inventory.write_text(INVENTORY.format(more={"ollama_env": {}}))
    code, said = fleet.typed(f"fleethands rollback {inventory} --yes --json")

    assert code == 1
    host = json.loads(said)["hosts"]["lab-1"]
    assert host["status"] == "refused"
    assert "names Secret.env('LAB_KEY') for `ollama_env.OLLAMA_API_KEY`" in host["reason"]
    assert host["changes"] == []
    assert fleet.typed(f"fleethands uninstall {inventory} --yes")[0] == 0
    assert clean.run("ls /var/lib/fleethands", check=False).stdout == "made\n"
