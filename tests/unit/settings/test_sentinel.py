"""Settings of the sentinel, and its secrets."""

from __future__ import annotations

from typing import Any

import pytest

from fleethands.report.redaction import Mask
from fleethands.settings import Secret, SettingsError, read_fleet
from fleethands.settings.load import check_settings
from fleethands.settings.lockfile import Lockfile, LockfileContents
from tests.hosts import declared

KEY = "correct horse battery staple"
URL = "https://hooks.example/services/T0/token"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", KEY)
    monkeypatch.setenv("URL", URL)
    monkeypatch.setenv("SHORT", "too short")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"sentinel": True, "models": []}, "`sentinel`: expected False, because no model is declared"),
        ({"sentinel_at": "3:30"}, "`sentinel_at`: expected a time of the day from `00:00` to `23:59`"),
        ({"sentinel_at": "24:00"}, "`sentinel_at`: expected a time of the day"),
        ({"sentinel_at": 810}, "`sentinel_at`: expected a time such as `03:30`, got `810`"),  # YAML's 13:30
        ({"sentinel_webhook": "ftp://a.example"}, "`sentinel_webhook`: expected an address such as"),
        ({"sentinel_webhook": "https://user:hunter2@a.example"}, "without a password, got `********`"),
        ({"sentinel_webhook": "https://a.example/\nheader: x"}, "`sentinel_webhook`: expected one line"),
        ({"sentinel_webhook": 'https://a.example/"'}, "`sentinel_webhook`: expected an address"),
        ({"sentinel_webhook": "https://"}, "`sentinel_webhook`: expected an address"),
        ({"sentinel_webhook": Secret.env("KEY")}, "`sentinel_webhook`: expected an address such as"),
        ({"sentinel_webhook": Secret.env("NONE")}, "environment variable `NONE` is not set"),
        ({"sentinel_key": Secret.env("KEY")}, "`sentinel_key`: expected only with `sentinel_webhook`"),
        ({"sentinel_webhook": URL, "sentinel_key": KEY}, "`sentinel_key`: expected a Secret of at least 16"),
        ({"sentinel_webhook": URL, "sentinel_key": Secret.env("SHORT")}, "`sentinel_key`: expected 16 to 1024"),
    ],
)
def test_a_mistake_is_reported_without_the_secret(data: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_fleet({"host": {"models": ["a"], "openhands_flavor": "off", **data}})

    assert words in str(caught.value)
    assert not any(value in str(caught.value) for value in (KEY, "hunter2", "too short", "token"))


def test_both_secrets_are_masked_everywhere() -> None:
    settings = declared(sentinel=True, sentinel_webhook=Secret.env("URL"), sentinel_key=Secret.env("KEY"))

    assert Mask.from_settings([settings]).text(f"{KEY} {URL}") == "******** ********"


def test_a_check_does_not_need_the_secrets() -> None:
    data = {
        "models": ["a"], "sentinel": True, "sentinel_webhook": Secret.command("print-it"),
        "sentinel_key": Secret.env("NONE"),
    }  # fmt: skip
    lock = Lockfile(LockfileContents(), None)

    _, mistakes, unread = check_settings({"host": data}, lock)

    assert mistakes == []
    assert [(each.path, each.problem) for each in unread] == [
        ("sentinel_webhook", "the value was not checked: `print-it` was not run"),
        ("sentinel_key", "the value was not checked: environment variable `NONE` is not set"),
    ]
