"""Every mistake of a fleet is named in one go, and before anything connects."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fleethands.settings import Secret, SettingsError, read_fleet
from tests.helpers.checkout import ROOT

FLEET = """
from fleethands.settings import Secret

boxes = [
    ("192.0.2.1", {
        "models": ["code llama", {"name": "b", "digest": "SHA256:" + "AB" * 32}, {"nam": "c"}],
        "ollama_hst": "0.0.0.0",
        "openhands_port": 70000,
        "openhands_flavor": "guii",
        "ssh_user": "root",
    }),
    ("192.0.2.2", {
        "ollama_version": "v0.24.0",
        "ollama_url": "mirror.example/ollama",
        "ollama_sha256": "abc",
        "ollama_host": "http://0.0.0.0:11434",
        "ollama_origins": ["*", "example.com", "https://a, https://b"],
        "ollama_keep_alive": "2 days",
        "_sudo": True,
    }),
    ("192.0.2.3", {
        "models": ["m"],
        "ollama_env": {"OLLAMA_NOPRUNE": "off", "OLLAMA_NUM_PARALEL": 2, "OLLAMA_MAX_QUEUE": -1, "OLLAMA_HOST": "x"},
        "ollama_models_dir": "models",
        "ollama_context_length": "32k",
        "model": "m",
    }),
    ("192.0.2.4", {
        "models": "m",
        "openhands_image": "https://ghcr.io/a/b:main",
        "openhands_bind": "localhost",
        "openhands_env": {"LLM_MODEL": "m", "1X": "y", "GITHUB_TOKEN": ["hunter2"]},
        "firewal": False,
        "datacenter": "north",
    }),
    ("192.0.2.5", {
        "models": ["m"],
        "firewall": "yes",
        "allow_from": ["10.20.0.7/16", "office"],
        "openhands_user": "Open Hands",
        "openhands_workspace": "/home/dev/work",
        "openhands_port": 11434,
    }),
]
"""
NAMED = """
192.0.2.1: `ollama_hst`: no such setting, nearest is `ollama_host`, got `0.0.0.0`
192.0.2.1: `models.0.name`: expected `model:tag`, such as `codellama:7b`, got `code llama`
192.0.2.1: `models.1.digest`: expected `HEX`, got `SHA256:HEX`
192.0.2.1: `models.2.name`: expected a model's name, such as `codellama:7b`
192.0.2.1: `models.2.nam`: no such key of a model, nearest is `name`, got `c`
192.0.2.1: `openhands_flavor`: expected `gui`, `canvas`, `source` or `off`, got `guii`, nearest is `gui`
192.0.2.1: `openhands_port`: expected a port from 1 to 65535, got `70000`
192.0.2.2: `ollama_version`: expected `0.24.0`, without a leading v, got `v0.24.0`
192.0.2.2: `ollama_url`: expected an address such as `https://mirror.example/ollama` or `file:///srv/ollama`, \
without spaces, got `mirror.example/ollama`
192.0.2.2: `ollama_sha256`: expected a sha256 as 64 lower-case hex digits, got `abc`
192.0.2.2: `ollama_host`: expected IP:PORT without a scheme, such as `0.0.0.0:11434`, got `http://0.0.0.0:11434`
192.0.2.2: `ollama_origins.1`: expected `*` or a scheme, such as `https://example.com`, got `example.com`
192.0.2.2: `ollama_origins.2`: expected one origin without spaces or commas, got `https://a, https://b`
192.0.2.2: `ollama_keep_alive`: expected a duration, such as `48h`: hours are the largest unit, got `2 days`
192.0.2.2: `models`: expected at least one, such as `["codellama:7b"]`: OpenHands needs a model
192.0.2.3: `model`: no such setting, nearest is `models`, got `m`
192.0.2.3: `ollama_context_length`: expected a whole number from 1, got `32k`
192.0.2.3: `ollama_env.OLLAMA_NOPRUNE`: expected False, got `off`, which Ollama takes for true
192.0.2.3: `ollama_env.OLLAMA_NUM_PARALEL`: Ollama reads no such variable, nearest is `OLLAMA_NUM_PARALLEL`, got `2`
192.0.2.3: `ollama_env.OLLAMA_MAX_QUEUE`: expected a whole number, got `-1`, which Ollama replaces by its default
192.0.2.3: `ollama_env.OLLAMA_HOST`: use the setting `ollama_host`, got `x`
192.0.2.3: `ollama_models_dir`: expected an absolute path, such as `/srv/ollama`, got `models`
192.0.2.4: `firewal`: no such setting, nearest is `firewall`, got `False`
192.0.2.4: `models`: expected a list of models, such as `["qwen3-coder:30b"]`, got `m`
192.0.2.4: `openhands_image`: expected an image without a scheme, such as `ghcr.io/a/b:main`, got `https://ghcr.io/a/b:main`
192.0.2.4: `openhands_bind`: expected an IP address, such as `127.0.0.1`, got `localhost`
192.0.2.4: `openhands_env.LLM_MODEL`: use the setting `openhands_model`: fleethands sets this variable \
from it, got `m`
192.0.2.4: `openhands_env.1X`: expected a variable's name: letters, digits and `_`, no digit first, got `y`
192.0.2.4: `openhands_env.GITHUB_TOKEN`: expected text or a whole number, got a list
192.0.2.5: `openhands_workspace`: expected a directory of its own, such as `/srv/workspace`, got `/home/dev/work`, \
where home directories are: their owner could replace it with a symlink
192.0.2.5: `openhands_user`: expected a user's name: at most 32 lower-case letters, digits, `_` and `-`, \
got `Open Hands`
192.0.2.5: `firewall`: expected True or False, got `yes`
192.0.2.5: `allow_from.0`: expected `10.20.0.0/16`, or `10.20.0.7/32` for that one address, got `10.20.0.7/16`
192.0.2.5: `allow_from.1`: expected a network, such as `10.20.0.0/16`, got `office`
192.0.2.5: `openhands_port`: expected another port than that of `ollama_host`, got `11434`
""".replace("`HEX`", f"`{'ab' * 32}`").replace("SHA256:HEX", "SHA256:" + "AB" * 32)
# Python calls an audit hook for every socket, also for one that a library makes.
WATCH = """
import os, sys

def note(event, args):
    if event.startswith("socket."):
        os.write(log, f"{event} {args[1:]}\\n".encode())

log = os.open(os.environ["SOCKETS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
sys.addaudithook(note)
"""


def plan(place: Path, inventory: str) -> tuple[subprocess.CompletedProcess[str], str]:
    """`fleethands plan` of an inventory, and what it did with sockets."""
    (place / "hook").mkdir()
    (place / "hook" / "sitecustomize.py").write_text(WATCH)
    (place / "fleet.py").write_text(inventory)
    (place / "sockets").touch()
    done = subprocess.run(
        [sys.executable, "-c", "from fleethands.cli.main import main; main()", "plan", str(place / "fleet.py")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{place / 'hook'}:{ROOT}", "SOCKETS": str(place / "sockets")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done, (place / "sockets").read_text()


def test_thirty_mistakes_over_five_hosts_are_named_in_one_go_and_no_socket_is_opened(tmp_path: Path) -> None:
    done, sockets = plan(tmp_path, FLEET)

    lines = NAMED.strip().splitlines()
    assert len(lines) == len(set(lines)) >= 30
    assert [line.removeprefix("error: ") for line in done.stderr.splitlines()[: len(lines)]] == lines
    assert f"error: {len(lines)} mistakes in the inventory, no host was contacted" in done.stderr
    assert (done.returncode, done.stdout) == (1, "")
    assert "hunter2" not in done.stderr
    assert sockets == ""


def test_the_same_watch_sees_the_sockets_of_an_inventory_that_is_right(tmp_path: Path) -> None:
    right = {"models": ["m"], "ssh_port": 1, "ssh_look_for_keys": False, "ssh_allow_agent": False}

    done, sockets = plan(tmp_path, f"boxes = [('127.0.0.1', {right!r})]\n")

    assert done.returncode == 1
    assert "socket.connect (('127.0.0.1', 1),)" in sockets


def said(**data: Any) -> list[str]:
    """The lines of the error about one host's data, without the host."""
    with pytest.raises(SettingsError) as caught:
        read_fleet({"a": {"models": ["m"], **data}})
    return [line.removeprefix("error: a: ") for line in str(caught.value).splitlines()]


def test_what_hosts_share_is_said_once_and_every_mistake_counts() -> None:
    with pytest.raises(SettingsError) as caught:
        read_fleet({host: {"models": ["m"], "openhands_port": 0} for host in "abc"})

    assert str(caught.value) == "error: a, b, c (3 hosts): `openhands_port`: expected a port from 1 to 65535, got `0`"
    assert len(caught.value.mistakes) == 3


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("model", "models"),
        ("firewal", "firewall"),
        ("allow_form", "allow_from"),
        ("gpus", "gpu"),
        ("ollama-host", "ollama_host"),
        ("OLLAMA_HOST", "ollama_host"),
        ("models_purge", "models_prune"),
        ("open_hands_port", "openhands_port"),
    ],
)
def test_a_misspelled_key_is_named_with_the_nearest(key: str, nearest: str) -> None:
    assert said(**{key: 1}) == [f"`{key}`: no such setting, nearest is `{nearest}`, got `1`"]


def test_a_misspelled_option_of_a_run_is_an_error_because_it_may_be_a_limit() -> None:
    (message,) = said(fleethands_max_slowdwn="20%")

    nearest = "nearest is `fleethands_max_slowdown`"
    assert message == f"`fleethands_max_slowdwn`: no such option of a run, {nearest}, got `20%`"
    assert read_fleet({"a": {"models": ["m"], "fleethands_max_slowdown": "20%", "fleethands_owner": "ana"}})


def test_a_key_in_the_wrong_place_is_sent_to_its_own() -> None:
    assert said(OLLAMA_NUM_PARALLEL=2) == [
        "`OLLAMA_NUM_PARALLEL`: no such setting: expected inside `ollama_env`, got `2`"
    ]
    assert said(ollama={"version": "1"}) == [
        "`ollama`: no such setting: keys are flat, such as `ollama_version`, got a dictionary"
    ]


@pytest.mark.parametrize(
    "key", ["ssh_user", "ssh_port", "_sudo", "docker_identifier", "datacenter", "rack", "role", "modules"]
)
def test_keys_of_others_are_left_alone(key: str) -> None:
    assert read_fleet({"a": {"models": ["m"], key: "x"}})


def test_secrets_are_never_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PARALLEL", "hunter2")
    (tmp_path / "binary").write_bytes(b"hunter2\xff")

    lines = said(
        ollama_env={
            "OLLAMA_NUM_PARALLEL": Secret.env("PARALLEL"),
            "OLLAMA_API_KEY": " hunter2",
            "HTTPS_PROXY": Secret.file(str(tmp_path / "binary")),
        },
        openhands_env={"API_TOKEN": True, "B": Secret.file("/nowhere/at/all"), "OPENAI_KEY": "hunter2\0"},
        ollama_url="ftp://me:hunter2@mirror",
        ollama_version=Secret.env("PARALLEL"),
        openhands_model_key="hunter2",
    )

    assert "hunter2" not in "\n".join(lines)
    assert lines == [
        "`openhands_model_key`: no such setting, nearest is `openhands_model`, got `********`",
        "`ollama_version`: expected a release, such as `0.24.0`, got `********`",
        "`ollama_url`: expected an address such as `https://mirror.example/ollama` or `file:///srv/ollama`, "
        "without spaces, got `ftp://********@mirror`",
        "`ollama_env.OLLAMA_API_KEY`: expected text without quotes or spaces at its ends, got `********`, "
        "which Ollama takes off",
        "`openhands_env.API_TOKEN`: expected text, such as `true`, got `********`",
        "`openhands_env.OPENAI_KEY`: expected text without a zero byte, got `********`",
        "`ollama_env.OLLAMA_NUM_PARALLEL`: expected a whole number, got `********`, "
        "which Ollama replaces by its default",
        f"`ollama_env.HTTPS_PROXY`: cannot read `{tmp_path}/binary`: not text in UTF-8",
        "`openhands_env.B`: cannot read `/nowhere/at/all`: No such file or directory",
    ]


def test_a_value_is_shown_as_one_short_line() -> None:
    (line,) = said(openhands_user="x\n" * 200)

    assert "\\n" in line
    assert len(line) < 220


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"models": ["m", "m:latest"]}, "`models.1`: expected each model once, got `m:latest`"),
        ({"openhands_ref": "main"}, "`openhands_ref`: expected only where `openhands_flavor` is `source`, got `main`"),
        ({"models": [3]}, "`models.0`: expected a model's name or a dictionary, got `3`"),
        ({"models": None}, '`models`: expected a list of models, such as `["qwen3-coder:30b"]`, got `None`'),
        ({"ollama_origins": [1]}, "`ollama_origins.0`: expected text, got `1`"),
        (
            {"ollama_env": ["A=1"]},
            '`ollama_env`: expected a dictionary of variables, such as `{"OLLAMA_NUM_PARALLEL": 2}`, got a list',
        ),
        (
            {"models": [], "openhands_model": "a b"},
            "`openhands_model`: expected `model:tag`, such as `codellama:7b`, got `a b`",
        ),
    ],
)
def test_one_mistake_is_one_line(data: dict[str, Any], problem: str) -> None:
    assert said(**data) == [problem]


def test_a_misspelled_setting_is_not_missing_too() -> None:
    with pytest.raises(SettingsError) as caught:
        read_fleet({"box": {"model": ["codellama:7b"]}})

    assert [each.path for each in caught.value.mistakes] == ["model"]
