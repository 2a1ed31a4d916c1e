"""Settings of OpenHands' page on the gateway: what is refused, what stays secret, and what a rollback keeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fleethands.report.redaction import Mask
from fleethands.settings import Secret
from fleethands.settings.gateway import connect_to_page, page_url
from fleethands.settings.load import read_fleet
from fleethands.settings.lockfile import Lockfile
from fleethands.settings.serialize import from_json, to_json
from tests.helpers.gateways import PASSWORDS, mistakes, page_data


def test_a_usual_page_is_accepted(tmp_path: Path) -> None:
    settings = read_fleet({"host": page_data(tmp_path)}, Lockfile())["host"]

    assert (page_url(settings), connect_to_page(settings)) == ("https://gpu-1.example:3443", "::[::1]:3443")
    assert mistakes(page_data(tmp_path, gateway_page=None, openhands_flavor="off")) == []  # the people are a group's
    assert mistakes(page_data(tmp_path, openhands_flavor="canvas", gateway_people=None)) == []  # it asks for its key
    assert page_url(read_fleet({"host": page_data(tmp_path, gateway_page=None)}, Lockfile())["host"]) == ""


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({"gateway": None}, "gateway_page: expected only with `gateway`, whose second address it is, got `[::]:3443`"),
        ({"openhands_flavor": "off"}, "gateway_page: expected no page, because `openhands_flavor` is `off`"),
        ({"gateway_people": None}, "gateway_people: expected at least one person with a password"),
        ({"gateway_page": "127.0.0.1:3443"}, "gateway_page: expected an address that other machines reach"),
        ({"gateway_page": "0.0.0.0:8443"}, "gateway_page: expected another port than those of `gateway`, got `8443`"),
        ({"gateway_page": "[::]:3000"}, "gateway_page: expected another port than those of `openhands_port`"),
        ({"gateway_page": "[::]:11434"}, "gateway_page: expected another port than those of `ollama_host`"),
        ({"gateway_people": {"Ann": Secret.env("HOME")}}, "gateway_people.Ann: expected a person's name"),
        ({"gateway_people": {"ann": "a-long-password"}}, "gateway_people.ann: expected a secret"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, more: dict[str, Any], found: str) -> None:
    (problem,) = mistakes(page_data(tmp_path, **more))

    assert problem.startswith(found)
    assert "a-long-password" not in problem


@pytest.mark.parametrize(
    "password", ["elevenchars", "x" * 73, " " + "x" * 20, "x" * 20 + "\t", "é" * 20, "x" * 20 + "\n1"]
)
def test_a_password_that_browsers_send_otherwise_is_refused_and_not_shown(tmp_path: Path, password: str) -> None:
    (problem,) = mistakes(page_data(tmp_path, {"ann": password}))

    assert problem.startswith("gateway_people.ann: expected a password of 12 to 72 characters of ASCII")
    assert password not in problem
    assert mistakes(page_data(tmp_path, {"ann": "correct: horse battery"})) == []


def test_its_passwords_are_masked_and_a_rollback_keeps_those_of_today(tmp_path: Path) -> None:
    then = read_fleet({"host": page_data(tmp_path)}, Lockfile())["host"]
    today = read_fleet({"host": page_data(tmp_path, {"eve": "e" * 20}, gateway_page="[::]:4443")}, Lockfile())["host"]
    kept = json.loads(json.dumps(to_json(then)))

    assert not [each for each in PASSWORDS.values() if each in Mask.from_settings([then]).text(str(PASSWORDS))]
    assert not [key for key in kept if key.startswith("gateway")]
    back = read_fleet({"host": from_json({**kept, "gateway_people": {"ann": {}}}, today)}, Lockfile())["host"]
    assert (list(back.gateway_people), str(back.gateway_page)) == (["eve"], "[::]:4443")
