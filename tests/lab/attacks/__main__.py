"""Writes the table of docs/attacks.md: `python -m tests.lab.attacks`."""

from __future__ import annotations

from tests.lab.attacks import ATTACKS, Attack, Position

HEAD = """\
# Attacks that the tests carry out

Each row is a test of `tests/lab/test_attacks.py`. The test attacks a real host that fleethands manages, and then checks
what must be true. To run one, as root:

    .venv/bin/python -m pytest -m '' 'tests/lab/test_attacks.py::test_an_attack_fails[NAME]'

A *race* runs 10 rounds in `make test`, and 200 rounds in `make soak`, under the name `NAME-200`. *Long* attacks run in
`make soak` only. A number such as F3 is the finding of a security review that the attack reproduces.
[security.md](security.md) explains what fleethands promises.
"""


def page() -> str:
    """The whole page, as Markdown."""
    return "\n".join([HEAD, *(_section(position) for position in Position)])


def _section(position: Position) -> str:
    attacks = sorted((each for each in ATTACKS if each.position is position), key=lambda each: each.name)
    title = str(position)
    rows = [_row(each) for each in attacks]
    head = ["| attack | what it tries | what must be true afterwards |", "| --- | --- | --- |"]
    return "\n".join([f"## {title[0].upper()}{title[1:]}", "", *head, *rows, ""])


def _row(attack: Attack) -> str:
    remarks = [attack.finding, "race" if attack.race else "", "long" if attack.slow else ""]
    notes = ", ".join(filter(None, remarks))
    return f"| `{attack.name}`{f' ({notes})' if notes else ''} | {attack.tries} | {attack.holds} |"


if __name__ == "__main__":
    print(page(), end="")
