"""Unit files are read as systemd reads them. Written values are read unchanged, and lines keep their numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fleethands.text.systemd import assignment
from fleethands.text.systemd_unit import Setting, parse_assignments, parse_environment_file, parse_settings

TEXT = r"""# a comment
[Service]
Environment="A=one two" B=3 'C=it''s' D=\x41\ttab \
  # not a part of it
  "E=100%%"
; another
ExecStart = /bin/true
"""


@given(st.text(alphabet=st.characters(blacklist_characters="\0", blacklist_categories=["Cs"])))
def test_what_we_write_is_read_back(value: str) -> None:
    line = f"[Service]\nEnvironment={assignment('NAME', value)}\n"
    (found,) = parse_settings(line)
    assert parse_assignments(found.value) == [("NAME", value)]


def test_quotes_escapes_comments_and_continued_lines() -> None:
    environment, command = parse_settings(TEXT)

    assert (environment.line, environment.section) == (3, "Service")
    assert parse_assignments(environment.value) == [
        ("A", "one two"), ("B", "3"), ("C", "its"), ("D", "A\ttab"), ("E", "100%"),
    ]  # fmt: skip
    assert command == Setting("Service", "ExecStart", "/bin/true", 7)


def test_a_file_of_variables() -> None:
    text = "# mine\n\nA=b c\nD='e f'\nnothing\nG=\n"

    assert list(parse_environment_file(text)) == [("A", "b c", 3), ("D", "e f", 4), ("G", "", 6)]
