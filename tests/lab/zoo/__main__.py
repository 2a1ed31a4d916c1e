"""Writes docs/hosts.md: `python -m tests.lab.zoo`."""

from __future__ import annotations

import re

from tests.lab.zoo import STATES, Heading, State

HEAD = """\
# States in which people find their hosts

Each row is a state from a public report. `tests/lab/test_hosts.py` brings a real host into it. Then one of two things
must happen:

- *Proven*: `fleethands apply` does what the plan said, a prompt gets an answer, and a second plan is empty. Foreign
  packages, services, containers and files stay as they are, also after `fleethands uninstall`.
- *Refused*: plan and apply print the reason, and nothing changes. The test then types the hints, and the next plan
  gets further.

`make test` tries a few of them, marked \\*. `make soak` tries them all. To run one, as root:

    .venv/bin/python -m pytest -m '' 'tests/lab/test_hosts.py::test_a_host_as_people_have_it[NAME]'

The states are data: `tests/lab/hosts.yaml`. Do you know a state that is missing? It is the best report.
"""


def page() -> str:
    """The whole page, as Markdown."""
    return "\n".join([HEAD, *(_section(heading) for heading in Heading if _under(heading))])


def _under(heading: Heading) -> list[State]:
    return sorted((each for each in STATES if each.heading is heading), key=lambda each: each.state.lower())


def _section(heading: Heading) -> str:
    head = ["| the state | what happens | source |", "| --- | --- | --- |"]
    return "\n".join([f"## {heading}", "", *head, *map(_row, _under(heading)), ""])


def _row(state: State) -> str:
    name = state.state[0].upper() + state.state[1:] + (" \\*" if state.sample else "")
    sources = ", ".join(map(_link, [*state.source, *state.recorded.values()]))
    return f"| {_cell(name)} | {_cell(_happens(state))} | {sources} |"


def _happens(state: State) -> str:
    said = ", ".join(f"“{words}”" for words in state.words)
    if state.must == "proven":
        return f"Proven. The plan says: {said}" if said else "Proven"
    after = "a host that is proven" if state.then == "proven" else "a plan that gets further"
    reasons = "; ".join(dict.fromkeys(state.untyped.values()))
    return f"Refused: {said}. The hints lead to {after}" + (f". Not typed by the test: {reasons}" if reasons else "")


def _link(source: str) -> str:
    if source.startswith("https://"):
        return f"[{re.sub(r'^https://(www.)?', '', source).split('/')[0]}]({source})"
    repository, number = source.split("#")
    return f"[{source}](https://github.com/{repository}/issues/{number})"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(page(), end="")
