"""Rolls an inventory out with a canary, prints progress, and writes the text of an issue about failed hosts."""

import sys
from pathlib import Path

from fleethands import Event, Fleet, PhaseEvent, Report, StepEvent, Strategy


def show(event: Event) -> None:
    match event:
        case PhaseEvent(text):
            print(f"== {text}", flush=True)
        case StepEvent(host, operation):
            print(f"{host}: {operation}", flush=True)


def describe_failures(report: Report) -> str:
    lines = [f"# {len(report.failed_hosts)} of {len(report.hosts)} hosts did not succeed"]
    for name, host in report.failed_hosts.items():
        lines += ["", f"## {name}: {host.status}", "", host.reason, "", *(f"- {hint}" for hint in host.hints)]
    return "\n".join([*lines, ""])


report = Fleet.load(sys.argv[1]).apply(Strategy(canary=1, batch="25%", max_fail=2), on_event=show)
if report.failed_hosts:
    Path("issue.md").write_text(describe_failures(report))
    sys.exit("some hosts did not succeed: see issue.md")
