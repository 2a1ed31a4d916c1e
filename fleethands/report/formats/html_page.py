"""A report as one HTML page without scripts and external files; readable on paper and without colour."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined, Template

from fleethands import __version__
from fleethands.report.formats import wording
from fleethands.report.host_summary import status_rows
from fleethands.report.model import BAD, Report, format_timestamp
from fleethands.report.step import Step
from fleethands.text.sanitize import sanitize

TEMPLATE = "report.html.j2"
PARTS = (TEMPLATE, "report.css")
MANY = 24  # hosts: with more of them, the times are folded
FEW = 3  # hosts, or changes: with more of them, the details are folded
ROOM = 9  # percent of the width that a bar with a name has at least
THIN = 0.15  # percent of the width that a bar has at least


@dataclass(frozen=True)
class Bar:
    """A step on the timeline, in percent of the run."""

    left: float
    width: float
    step: Step

    @property
    def label(self) -> str:
        """The operation, if the bar has room for it."""
        return self.step.name.rpartition(" | ")[2] if self.width >= ROOM else ""


def render_html(report: Report) -> str:
    """The whole page."""
    found = list(wording.group_hosts(report))
    columns, overview = _overview(report)
    return _template().render(
        report=report,
        bad=[group for group in found if group.host.status in BAD],
        groups=found,
        longest=_longest(report),
        columns=columns,
        overview=overview,
        many=MANY,
        few=FEW,
        version=__version__,
    )


def _overview(report: Report) -> tuple[list[str], list[list[str]]]:
    """The columns and a row for each host of `status`; none for a report from a file, which has no probes."""
    if report.command != "status" or not any(host.has_facts for host in report.hosts.values()):
        return [], []
    return status_rows(report.hosts)


@cache
def _template() -> Template:
    folder = files("fleethands.report.formats")
    loader = DictLoader({name: folder.joinpath(name).read_text(encoding="utf-8") for name in PARTS})
    environment = Environment(
        loader=loader,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=_clean,
    )
    environment.filters |= {
        "took": wording.show_duration,
        "named": wording.join_names,
        "moment": _moment,
        "kind": _kind,
    }
    environment.globals |= {
        "commands": _commands,
        "changes": wording.summarize_changes,
        "word": wording.status_word,
        "marks": wording.MARKS,
        "verdict": wording.verdict,
        "counted": wording.summarize_statuses,
        "count": wording.count_hosts,
        "ordered": wording.ordered_statuses,
        "hosts": wording.number_of_hosts,
        "bars": bars,
        "held": _held,
    }
    return environment.get_template(TEMPLATE)


def _clean(value: Any) -> Any:
    return sanitize(value) if type(value) is str else value


def _moment(at: float) -> str:
    return format_timestamp(at).replace("T", " ").replace("Z", " UTC")


def _kind(line: str) -> str:
    """The CSS class of a line of a unified diff."""
    if line.startswith(("---", "+++", "@@")):
        return "where"
    return {"+": "more", "-": "less"}.get(line[:1], "same")


def _held(report: Report, name: str) -> str:
    proof = report.hosts[name].proof
    speed = f", {report.hosts[name].speed}" if report.hosts[name].speed else ""
    held = f"{sum(link.ok for link in proof)} of {len(proof)} links of the proof held" if proof else "no proof was made"
    return held + speed


def _commands(number: int) -> str:
    return f"{number} remote command" if number == 1 else f"{number} remote commands"


def _longest(report: Report) -> float:
    ends = [step.started + step.seconds for host in report.hosts.values() for step in host.steps]
    return max([report.started + report.seconds, *ends]) - report.started or 1.0


def bars(report: Report, name: str, longest: float) -> list[Bar]:
    """
    One host's steps on the timeline.

    + longest: length of the timeline in seconds
    """
    found = []
    for step in report.hosts[name].steps:
        left = min(max((step.started - report.started) / longest * 100, 0), 100 - THIN)
        found.append(Bar(left, min(max(step.seconds / longest * 100, THIN), 100 - left), step))
    return found
