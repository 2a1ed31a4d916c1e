"""Values of secrets go from every text that a report holds, in each way in which they may be written there."""

from __future__ import annotations

import base64
import html
import json
import shlex
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from fleethands.operations.core.proof_record import Link
from fleethands.report.formats import html_page, junit, markdown
from fleethands.report.model import ChangeReport, HostReport, Report
from fleethands.report.redaction import Mask
from fleethands.report.secret_forms import secret_forms
from fleethands.settings import Secret
from fleethands.settings.values.secret import MASK
from fleethands.text.systemd import file_assignment, quote_word
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
    return Mask.from_settings([settings])


def forms(value: str) -> list[str]:
    return [value, json.dumps(value), quote(value, safe=""), quote_word(value), f"x{value}y", f"\n{value}\n"]


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
        change = ChangeReport("Task", "Operation", value, value, value, value, value, f"-{value}\n+{value}")
        link = Link("list", False, 1.0, value, value)
        host = HostReport("failed", value, [value], [value], [value], 1.0, 1, [change], [link])
        host.loaded_facts = {"deep": [{"er": value}]}
        report = Report("apply", {"gpu-1": host}, error=value, hints=[value], words="inventory/prod.py")
        report.mask_all(mask)
        host.loaded_facts = mask.all(host.loaded_facts)
        for text in (
            json.dumps(report.to_json()),
            html_page.render_html(report),
            junit.render_junit(report),
            markdown.render_markdown(report),
        ):
            assert not [form for form in (value, json.dumps(value)[1:-1], quote(value, safe="")) if form in text]


def in_base64(before: int, variant: Callable[[bytes], bytes]) -> Callable[[str], str]:
    """As a part of what is encoded, after `before` other bytes."""
    return lambda value: variant(b"\xfb" * before + value.encode() + b"\xfe" * 2).decode()


WAYS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "sh, by shlex": shlex.quote,
    "sh": lambda value: "'" + value.replace("'", "'\\''") + "'",
    "sh, in double quotes": lambda value: '"' + "".join(f"\\{c}" if c in '\\"$`' else c for c in value) + '"',
    "sh, by backslashes": lambda value: "".join(c if c.isalnum() else f"\\{c}" for c in value),
    "EnvironmentFile": lambda value: file_assignment("A", value),
    "Environment": quote_word,
    "compose": lambda value: value.replace("$", "$$"),
    "json": json.dumps,
    "json, in UTF-8": lambda value: json.dumps(value, ensure_ascii=False),
    "json, by Go": lambda value: (
        json.dumps(value).replace("<", "\\u003c").replace(">", "\\u003E").replace("&", "\\u0026")
    ),
    "json in json": lambda value: json.dumps(json.dumps(value)),
    "json in json in json": lambda value: json.dumps(json.dumps({"a": json.dumps([value])})),
    "sh in json": lambda value: json.dumps(shlex.quote(value)),
    "repr": repr,
    "repr of bytes": lambda value: repr(value.encode()),
    "url": lambda value: quote(value, safe=""),
    "path": quote,
    "query": quote_plus,
    "url in url": lambda value: quote(quote(value, safe=""), safe=""),
    "html": html.escape,
    "hex": lambda value: value.encode().hex(),
    "HEX": lambda value: value.encode().hex().upper(),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64, unpadded": lambda value: base64.b64encode(value.encode()).decode().rstrip("="),
    "base64 for addresses": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
    "base64 for addresses, unpadded": lambda value: base64.urlsafe_b64encode(value.encode()).decode().rstrip("="),
    **{
        f"base64 {name}, {before} bytes in": in_base64(before, variant)
        for before in (0, 1, 2, 3, 4)
        for name, variant in (("of a part", base64.b64encode), ("of a part, for addresses", base64.urlsafe_b64encode))
    },
}
# what one can type, and then anything: with what shells, JSON and systemd escape, of which random text has little
typed = st.text(st.sampled_from("abXY09 '\"\\$`%&<>+/=~!#-_.:@{}()[]|;*?^,\n\t"), min_size=8, max_size=40)
anything = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Co", "Cn"], exclude_characters="\u2028\u2029"),
    min_size=8,
    max_size=30,
)
whole = (typed | anything).map(str.strip).filter(lambda value: len(value) >= 8 and value not in MASK)
around = st.text(st.characters(codec="utf-8"), max_size=20)


@profile(max_examples=40, deadline=None)
@given(st.data())
@pytest.mark.parametrize("way", WAYS)
def test_a_secret_goes_in_each_way_of_writing_it_amid_any_text(way: str, data: st.DataObject) -> None:
    value, before, after = data.draw(whole), data.draw(around), data.draw(around)
    written = WAYS[way](value)

    masked = Mask([value]).text(f"{before} {written} {after}")

    assert MASK in masked
    assert written not in masked.replace(MASK, "")
    core = max((each.core for each in secret_forms(value)), key=len)
    assert len(core) < 8 or core not in masked


@pytest.mark.parametrize("value", ['it\'s $HOME `id` "x" \\ 100%', "pass'word", "a$b`c\\d", "hunter2hunter2"])
@pytest.mark.parametrize("way", WAYS)
def test_nothing_of_a_secret_is_left_around_its_mask(way: str, value: str) -> None:
    if way.startswith("base64 of a part"):
        return  # its neighbours are left
    left = Mask([value]).text(f"<{WAYS[way](value)}>").replace(MASK, "")

    assert left.strip("<>'\"\\$b[]{}A=: a\n") == ""


def test_a_secret_goes_though_a_terminal_s_colours_stand_within_it() -> None:
    assert Mask(["hunter2hunter2"]).text("x hunter2\x1b[31mhunter2\x1b[0m y") == f"x {MASK} y"


def test_two_secrets_that_overlap_go_both() -> None:
    assert Mask(["abcdefgh", "efghijkl"]).text("<abcdefghijkl>") == f"<{MASK}>"


def test_of_a_thousand_secrets_each_goes() -> None:
    values = [f"token-{number:04}-secret" for number in range(1000)]
    mask = Mask([*values, "on", "é!"])

    assert mask.text(" ".join(values)) == " ".join([MASK] * 1000)
    assert mask.text("on é! and token") == f"{MASK} {MASK} and token"


@profile(max_examples=20, deadline=None)
@given(st.text(st.characters(max_codepoint=0x7F) | st.sampled_from("é\u202e\ud800😀")))
@pytest.mark.parametrize("between", ["", *map(chr, range(0x20)), "\x7f", "\x85", "\u202e", "\ud800", "\\"])
def test_nothing_to_hide_means_that_no_string_would_change(between: str, around: str) -> None:
    mask = Mask(["hunter2secret"])

    for value in (f"{around}hunter2{between}secret", around):
        if mask.has_nothing_to_hide(json.dumps({"a": [value]})):
            assert mask.text(value) == value


def test_facts_with_line_ends_and_backslashes_have_nothing_to_hide() -> None:
    assert Mask(["hunter2"]).has_nothing_to_hide(json.dumps('a\tb\n"c" d\\e /'))
