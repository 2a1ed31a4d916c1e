"""Settings of the gateway: what is refused, what stays secret, and what a rollback keeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fleethands.report.redaction import Mask
from fleethands.settings import Secret
from fleethands.settings.gateway import connect_to, gateway_url
from fleethands.settings.load import check_settings, read_fleet
from fleethands.settings.lockfile import Lockfile
from fleethands.settings.serialize import from_json, to_json
from tests.helpers.gateways import TOKENS, gateway_data, mistakes


def test_a_usual_gateway_is_accepted(tmp_path: Path) -> None:
    settings = read_fleet({"host": gateway_data(tmp_path)}, Lockfile())["host"]

    assert (gateway_url(settings), connect_to(settings)) == ("https://gpu-1.example:8443", "::[::1]:8443")
    assert mistakes({**gateway_data(tmp_path), "gateway": "0.0.0.0"}) == []  # port 443
    assert mistakes({**gateway_data(tmp_path), "gateway": None}) == []  # the rest may be a group's


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({"gateway": "127.0.0.1:8443"}, "gateway: expected an address that other machines reach"),
        ({"gateway": "0.0.0.0:11434"}, "gateway: expected another port than those of `ollama_host`, got `11434`"),
        (
            {"openhands_flavor": "gui", "gateway": "0.0.0.0:3000"},
            "gateway: expected another port than those of `openhands_port`, got `3000`",
        ),
        ({"gateway_names": []}, "gateway_names: expected at least one name or address"),
        ({"gateway_names": ["https://gpu-1"]}, "gateway_names.0: expected"),
        ({"gateway_names": ["*.example"]}, "gateway_names.0: expected"),
        ({"gateway_tokens": {}}, "gateway_tokens: expected at least one client"),
        ({"gateway_managers": ["bob"]}, "gateway_managers.0: expected a name of `gateway_tokens` (`alice`, `ops`)"),
        ({"gateway_managers": ["Bob"]}, "gateway_managers.0: expected a client's name"),
        ({"gateway_authority": None}, "gateway_authority: expected this or `gateway_certificate`"),
        ({"gateway_certificate": "x"}, "gateway_certificate: expected only without `gateway_authority`"),
        (
            {"gateway_authority": None, "gateway_certificate": "x"},
            "gateway_key: expected with `gateway_certificate`",
        ),
        (
            {"gateway_authority": None, "gateway_certificate": "missing.pem", "gateway_key": Secret.env("HOME")},
            "gateway_certificate: cannot read `missing.pem`: No such file or directory",
        ),
        ({"gateway_authority": Secret.env("HOME")}, "gateway_authority: expected a file of `fleethands authority"),
        ({"gateway_authority": "authority.pem"}, "gateway_authority: expected a secret"),
        (
            {"ollama_runtime": "external", "ollama_address": "http://10.0.0.5:11434"},
            "gateway: expected no gateway, because `ollama_runtime` is `external`",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence(tmp_path: Path, more: dict[str, Any], found: str) -> None:
    (problem,) = mistakes(
        gateway_data(tmp_path, **{"gateway_authority": None, **more} if "gateway_authority" in more else more)
    )

    assert problem.startswith(found)


@pytest.mark.parametrize("token", ["short", "x" * 201, "a" * 30 + "$", "a b" * 10, "é" * 30, "a" * 30 + "\n1"])
def test_a_token_that_nginx_would_read_otherwise_is_refused_and_not_shown(tmp_path: Path, token: str) -> None:
    (problem,) = mistakes(gateway_data(tmp_path, {"alice": token}))

    assert problem.startswith("gateway_tokens.alice: expected a token of 24 to 200 letters, digits, `_` and `-`")
    assert token not in problem


def test_a_token_in_the_inventory_is_refused_and_not_shown(tmp_path: Path) -> None:
    (problem,) = mistakes({**gateway_data(tmp_path), "gateway_tokens": {"alice": TOKENS["alice"]}})

    assert problem.startswith("gateway_tokens.alice: expected a secret")
    assert TOKENS["alice"] not in problem


def test_two_clients_have_two_tokens(tmp_path: Path) -> None:
    (problem,) = mistakes(gateway_data(tmp_path, {"alice": "t" * 30, "bob": "t" * 30}))

    assert problem == "gateway_tokens.bob: expected a token of its own, got that of `alice`"


def test_its_secrets_are_masked_everywhere(tmp_path: Path) -> None:
    settings = read_fleet({"host": gateway_data(tmp_path)}, Lockfile())["host"]
    key = (tmp_path / "authority.pem").read_text()

    said = Mask.from_settings([settings]).text(f"{TOKENS['alice']} {TOKENS['ops']} {key}")

    assert not [each for each in (*TOKENS.values(), "PRIVATE KEY") if each in said]


def test_a_rollback_keeps_the_tokens_of_today(tmp_path: Path) -> None:
    then = read_fleet({"host": gateway_data(tmp_path, gateway_managers=["ops"])}, Lockfile())["host"]
    today = read_fleet({"host": gateway_data(tmp_path, {"carol": "c" * 30}, gateway="[::]:9443")}, Lockfile())["host"]
    kept = json.loads(json.dumps(to_json(then)))

    assert not [key for key in kept if key.startswith("gateway")]
    back = read_fleet({"host": from_json({**kept, "gateway_tokens": {"alice": {}}}, today)}, Lockfile())["host"]

    assert (list(back.gateway_tokens), back.gateway_managers, str(back.gateway)) == (["carol"], (), "[::]:9443")


def test_check_needs_no_secret(tmp_path: Path) -> None:
    """A CI job that checks an inventory has neither the tokens nor the authority."""
    data = gateway_data(tmp_path)
    for path in tmp_path.iterdir():
        path.unlink()
    data["gateway_tokens"]["ops"] = Secret.command("touch ran")

    _, wrong, unread = check_settings({"host": data}, Lockfile())

    assert wrong == []
    assert {each.path for each in unread} == {"gateway_tokens.alice", "gateway_tokens.ops", "gateway_authority"}
    assert not Path("ran").exists()
