"""The language check finds banned words in every kind of file, and nothing in plain English."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.language.rules import Rules

RULES = """
longest_sentence = 8
unchecked_prose = ["old"]
unchecked_names = ["old", "tool/old.py"]
exempt = ["recorded"]

[words]
"whoever" = ["the user who", "name who"]
"come back" = ["is restored", "the field's word"]

[names]
"told" = ["message", "a participle is no noun"]
"""
PLAIN = {
    "docs/table.md": "| a | b |\n| --- | --- |\n| `a \\| whoever` | an odd ` |\n| `whoever` | `` ` whoever `` |\n",
    "docs/page.md": "# A page\n\nThe host restarts Ollama.\n\n    whoever\n\n```\nwhoever\n```\n\nRun `whoever`.\n",
    "tool/a.py": '"""Restarts Ollama."""\n\nNAMES = ["whoever"]  # the unit may be stopped: `whoever` starts it\n',
    "tool/c.py": 'def f(whoever: str) -> None:\n    """\n    Restart.\n\n    + whoever: a name\n    """\n',
    "tool/b.sh": '# the unit may be stopped\nwhoever=1\nfail "Ollama does not answer" "journalctl -u ollama"\n',
    "Makefile": "help: ## what can be made\n",
}
BANNED = {
    "docs/a.md": "One line.\n\nA list:\n\n- for whoever asks\n",
    "docs/b.md": "| a | b |\n| --- | --- |\n| x | for whoever asks |\n\nTwo\nlines.\n",
    "docs/c.md": "The old container may come\nback.\n",
    "tool/a.py": '"""Answers whoever asks."""\n',
    "tool/b.py": "x = 1  # for whoever asks\n",
    "tool/c.py": 'option("--yes", help="Do not ask whoever runs it.")\n',
    "tool/d.py": 'raise ValueError(f"{name} is for whoever asks")\n',
    "tool/e.py": "class Told:\n    pass\n",
    "tool/f.py": "def _told() -> None: ...\n",
    "tool/told.py": "",
    "tool/g.sh": "true # for whoever asks\n",
    "tool/h.sh": 'fail "whoever started it" "ask them"\n',
    "tool/i.sh": "[ -e /x ] || note 'whoever started it'\n",
    "tool/j.j2": "# for whoever asks\nUser=ollama\n",
    "tool/k.yaml": "a: 1 # for whoever asks\n",
    "tool/Makefile": "x: ## for whoever asks\n",
}


def faults(name: str, text: str, place: Path) -> list[str]:
    path = place / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return list(Rules.load(RULES).check(name, path))


@pytest.mark.parametrize("name", PLAIN)
def test_plain_english_has_no_fault(name: str, tmp_path: Path) -> None:
    assert faults(name, PLAIN[name], tmp_path) == []


@pytest.mark.parametrize("name", BANNED)
def test_a_banned_word_is_found_once(name: str, tmp_path: Path) -> None:
    (fault,) = faults(name, BANNED[name], tmp_path)

    assert fault.startswith(f"{name}:")


def test_a_fault_names_the_line_the_replacement_and_the_reason(tmp_path: Path) -> None:
    text = "# A page\n\nPlain.\n\n1. Ask whoever knows.\n"

    assert faults("docs/a.md", text, tmp_path) == ["docs/a.md:5: `whoever`: the user who (name who)"]


def test_a_fault_names_its_own_line_of_a_docstring(tmp_path: Path) -> None:
    (fault,) = faults("tool/a.py", 'x = 1\n\n"""\nPlain.\n\n+ y: for\n  whoever asks\n"""\n', tmp_path)

    assert fault.startswith("tool/a.py:7:")


def test_a_long_sentence_of_markdown_is_found(tmp_path: Path) -> None:
    text = "One two three four five six seven eight. One two three.\n\nOne two three four\nfive six seven eight nine.\n"

    assert [fault.split(": ")[0] for fault in faults("docs/a.md", text, tmp_path)] == ["docs/a.md:3"]


def test_a_chain_of_semicolons_is_found(tmp_path: Path) -> None:
    assert faults("docs/a.md", "One; two.\n", tmp_path) == []
    assert len(faults("docs/a.md", "One; two; three.\n", tmp_path)) == 1


@pytest.mark.parametrize("name", ["old/a.md", "old/deep/a.md", "recorded/a.md"])
def test_what_is_left_out_is_not_checked(name: str, tmp_path: Path) -> None:
    assert faults(name, "For whoever asks.\n", tmp_path) == []


def test_a_folder_with_a_similar_name_is_checked(tmp_path: Path) -> None:
    assert len(faults("older/a.md", "For whoever asks.\n", tmp_path)) == 1


def test_prose_is_checked_where_names_are_not(tmp_path: Path) -> None:
    (fault,) = faults("tool/old.py", "def told() -> None: ...  # for whoever asks\n", tmp_path)

    assert "whoever" in fault


def test_the_rules_of_the_project_can_be_read() -> None:
    rules = Rules.load()

    assert len([*rules.faults("The table is loaded anew.")]) == 1
    assert [*rules.faults("The host restarts Ollama, such as after an update.", is_markdown=True)] == []
    assert [*rules.name_faults("prove"), *rules.name_faults("HostRun")] == []
