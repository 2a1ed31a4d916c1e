"""What comes from outside is read into types with limits; all else is one kind of error."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fleethands import untrusted


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[" * 200_000, b"\xff", b'{"size": NaN}', b"-Infinity", b'"' + b"a" * (1 << 22) + b'"', b"9" * 5000],
    ids=["empty", "half", "deep", "no-utf-8", "nan", "infinity", "long", "digits"],
)
def test_a_document_that_is_none_is_a_value_error(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        untrusted.parse_json(text)


def test_a_document_is_read() -> None:
    assert untrusted.parse_json(b'{"size": 5, "name": "\xc3\xa9"}') == {"size": 5, "name": "é"}


@pytest.mark.parametrize("value", [float("inf"), 1.5, True, "5", -1, 1 << 60, None, [1]])
def test_a_count_is_a_whole_number_in_its_limits(value: Any) -> None:
    with pytest.raises(ValueError, match="whole number"):
        untrusted.count(value)


@pytest.mark.parametrize(
    "value", ["a\nb", "a\u202eb", "a\u2028b", "\x1b[2J", "\x9b2J", "a" * 1001, b"a", 5, None, "\udcff"]
)
def test_a_line_has_no_control_characters(value: Any) -> None:
    with pytest.raises(ValueError, match="one line"):
        untrusted.line(value)


def test_rows_and_mappings_have_their_types() -> None:
    assert untrusted.rows([{"a": 1}]) == [{"a": 1}]
    wrongs: list[Any] = [{"a": 1}, [1], [{}] * 10_001, None]
    for wrong in wrongs:
        with pytest.raises(ValueError, match="not "):
            untrusted.rows(wrong)


def test_words_are_one_line_of_so_many_characters() -> None:
    assert untrusted.printable("a  b\r\n\x1b[31mc\x1b[0m\x9b\u202e\u2028d") == "a  b c\ufffd\ufffd d"
    assert untrusted.printable("x" * 10**6, 10) == "xxxxxxxxx…"
    for wrong in (b"a", 5, None, ["a"]):
        with pytest.raises(ValueError, match="not text"):
            untrusted.printable(wrong)


@pytest.mark.parametrize("value", [float("inf"), {"a": [float("nan")]}, json.loads("[" * 30 + "]" * 30)])
def test_a_tree_can_be_written_again(value: Any) -> None:
    assert untrusted.tree({"a": [1.5, None, {"b": "c"}]}) == {"a": [1.5, None, {"b": "c"}]}
    with pytest.raises(ValueError, match=r"number without an end|too deep"):
        untrusted.tree(value)
