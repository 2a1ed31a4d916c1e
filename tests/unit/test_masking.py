"""Values of secrets go from every text that a report holds, in each way in which they may be written there."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleethands.operations.proof import Link
from fleethands.rollout.masking import Mask
from fleethands.rollout.report import Changed, HostReport, Report
from fleethands.rollout.written import junit, page, summary
from fleethands.settings import Secret
from fleethands.settings.secret import MASK
from fleethands.systemd import word
from tests.hosts import declared

PROXY = "http://ana:hunt%er2&x@proxy:3128"
TOKEN = 's3"cr\\et <tok>en'  # noqa: S105


@pytest.fixture
def mask(monkeypatch: pytest.MonkeyPatch) -> Mask:
    monkeypatch.setenv("PROXY", PROXY)
    monkeypatch.setenv("TOKEN", TOKEN)
    settings = declared(
        ollama_env={"HTTPS_PROXY": Secret.env("PROXY"), "OLLAMA_NUM_PARALLEL": 2},
        openhands_env={"GITHUB_TOKEN": Secret.env("TOKEN"), "PLAIN": "stays"},
    )
    return Mask.of([settings])


def forms(value: str) -> list[str]:
    return [value, json.dumps(value), quote(value, safe=""), word(value), f"x{value}y", f"\n{value}\n"]


@pytest.mark.parametrize("value", [PROXY, TOKEN])
def test_a_value_goes_in_each_way_of_writing_it(mask: Mask, value: str) -> None:
    for form in forms(value):
        assert MASK in mask.text(form)
        assert value not in mask.text(form)
        assert mask.text(form).replace(MASK, "").strip('"xy\n') == ""


def test_the_password_of_an_address_goes_alone_too(mask: Mask) -> None:
    assert "hunt%er2" not in mask.text("proxy refused user ana with password hunt%er2&x")


def test_what_is_no_secret_stays(mask: Mask) -> None:
    assert mask.text("PLAIN=stays, OLLAMA_NUM_PARALLEL=2") == "PLAIN=stays, OLLAMA_NUM_PARALLEL=2"


def test_a_short_value_goes_where_it_stands_alone() -> None:
    assert Mask(["on"]).text("connection on=on, once") == f"connection {MASK}={MASK}, once"


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["C"]), min_size=4).filter(str.strip))
def test_no_value_survives(value: str) -> None:
    masked = Mask([value]).text(f"before {value} after")
    assert value not in masked.replace(MASK, "")


def test_no_form_of_a_report_holds_a_secret(mask: Mask) -> None:
    for value in (PROXY, TOKEN):
        change = Changed("Task", "Operation", value, value, value, value, value, f"-{value}\n+{value}")
        link = Link("list", False, 1.0, value, value)
        host = HostReport("failed", value, [value], [value], [value], 1.0, 1, [change], [link])
        host.read = {"deep": [{"er": value}]}
        report = Report("apply", {"gpu-1": host}, error=value, hints=[value], words="inventory/prod.py")
        report.mask_all(mask)
        host.read = mask.all(host.read)
        for text in (json.dumps(report.document()), page.text(report), junit.text(report), summary.text(report)):
            assert not [form for form in (value, json.dumps(value)[1:-1], quote(value, safe="")) if form in text]
