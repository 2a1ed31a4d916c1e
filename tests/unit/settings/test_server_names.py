"""Names of servers: a DNS name or an IP address, and for everything else the form that is accepted."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleethands.settings.expected import InvalidValue
from fleethands.settings.values.server_names import check_server_name

LONGEST = ".".join(["a" * 63] * 3 + ["a" * 61])
SUGGESTION = re.compile(r"`([^`]+)`\Z")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("gpu-1.example.com", "gpu-1.example.com"),
        ("GPU-1.Example.COM", "gpu-1.example.com"),
        ("gpu-1", "gpu-1"),
        ("1a.2b", "1a.2b"),
        ("xn--mller-kva.example", "xn--mller-kva.example"),
        ("a" * 63, "a" * 63),
        (LONGEST, LONGEST),
        ("10.0.0.5", "10.0.0.5"),
        ("FD00:0:0::5", "fd00::5"),
    ],
)
def test_names_are_in_lower_case_and_addresses_in_their_shortest_form(text: str, name: str) -> None:
    assert check_server_name(text) == name


@pytest.mark.parametrize(
    ("text", "form", "suggestion"),
    [
        ("https://gpu-1.example.com", "without a scheme", "gpu-1.example.com"),
        ("https://gpu-1.example.com:11434/v1?a#b", "without a port", "gpu-1.example.com"),
        ("https://[fd00::5]/", "without brackets", "fd00::5"),
        ("gpu-1.example.com/v1", "without a path", "gpu-1.example.com"),
        ("GPU-1:443", "without a port", "gpu-1"),
        ("10.0.0.5:443", "without a port", "10.0.0.5"),
        ("[fd00::5]:443", "without brackets or port", "fd00::5"),
        ("[fd00::5]", "without brackets or port", "fd00::5"),
        ("fe80::1%eth0", "without a zone", "fe80::1"),
        ("gpu-1.example.com.", "without a final dot", "gpu-1.example.com"),
        ("gpu_1.example", "without `_`", "gpu-1.example"),
        ("müller.example", "in ASCII", "xn--mller-kva.example"),
        ("\N{KELVIN SIGN}.example", "in ASCII", "k.example"),
        ("::ffff:10.0.0.5", "in its own form", "10.0.0.5"),
    ],
)
def test_a_mistake_is_shown_with_the_right_form(text: str, form: str, suggestion: str) -> None:
    with pytest.raises(InvalidValue) as error:
        check_server_name(text)

    assert form in error.value.form
    assert error.value.form.endswith(f"such as `{suggestion}`")


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "a b", "a..b", ".a", "-a", "a-", "a.-b", "a" * 64, f"{LONGEST}a", "*.example.com", "*",
        "010.0.0.1", "10.0.0.256", "10.0.0", "1", "a.1", "fd00::5::1", "fd00::5:zz", "a@b", "a,b", "[]", "[", "%", "://",
        "0.0.0.0", "::", "224.0.0.1", "ff02::1", "a\n", "a\0", "\ud800", "___", "...", "://://", "ü" * 300,
    ],
)  # fmt: skip
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        check_server_name(text)


@given(st.text(alphabet="ab1.-_:/[]%*ÜfF @\n", max_size=30) | st.text(max_size=30))
def test_a_name_and_a_suggestion_are_always_accepted(text: str) -> None:
    try:
        name = check_server_name(text)
    except InvalidValue as error:
        suggested = SUGGESTION.search(error.form)
        name = suggested[1] if suggested else "gpu-1"

    assert check_server_name(name) == name
