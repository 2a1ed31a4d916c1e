"""What comes from outside is read into types with limits; all else is one kind of error."""

from __future__ import annotations

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
        untrusted.document(text)


def test_a_document_is_read() -> None:
    assert untrusted.document(b'{"size": 5, "name": "\xc3\xa9"}') == {"size": 5, "name": "é"}


@pytest.mark.parametrize("value", [float("inf"), 1.5, True, "5", -1, 1 << 60, None, [1]])
def test_a_count_is_a_whole_number_in_its_limits(value: Any) -> None:
    with pytest.raises(ValueError, match="whole number"):
        untrusted.count(value)


@pytest.mark.parametrize("value", ["a\nb", "\x1b[2J", "\x9b2J", "a" * 1001, b"a", 5, None, "\udcff"])
def test_a_line_has_no_control_characters(value: Any) -> None:
    with pytest.raises(ValueError, match="one line"):
        untrusted.line(value)


def test_rows_and_mappings_have_their_types() -> None:
    assert untrusted.rows([{"a": 1}]) == [{"a": 1}]
    wrongs: list[Any] = [{"a": 1}, [1], [{}] * 10_001, None]
    for wrong in wrongs:
        with pytest.raises(ValueError, match="not "):
            untrusted.rows(wrong)
