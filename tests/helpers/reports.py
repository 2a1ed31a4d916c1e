"""Made-up reports of runs, for tests of their formats and of `report merge`."""

from __future__ import annotations

from fleethands.operations.core.proof_record import Link
from fleethands.report.model import ChangeReport, HostReport, Report
from fleethands.report.step import Step
from fleethands.report.timeline import CONNECT, READ

NOON = 1_795_608_000.0  # 2026-11-25 12:00 UTC
DIFF = "--- a on the host\n+++ a declared\n@@ -1 +1 @@\n-OLLAMA_HOST=127.0.0.1\n+OLLAMA_HOST=0.0.0.0"
# what a host could say to break out of a form: markup, CDATA, controls, lone surrogates, a turn of direction, columns
HOSTILE = "<script>alert(1)</script>]]>\x00\x1b[31m\x08\ud800\u202e|`*_[x](http://x)\r&amp;\"'{{ 7*7 }}"


def override() -> ChangeReport:
    return ChangeReport(
        "Ollama", "Write the override", "override.conf", "differs", "as declared", "why", "restart", DIFF
    )


def changed(seconds: float = 12.0) -> HostReport:
    steps = [
        Step(CONNECT, NOON, 0.2),
        Step(READ, NOON + 0.2, 0.3),
        Step("Ollama | Write the override", NOON + 0.6, seconds),
    ]
    links = [Link("list", True, 0.1, "m:1 is there"), Link("generate-on-host", True, 1.25, "answered")]
    host = HostReport("changed", changes=[override()], proof=links, steps=steps, remote_commands=4)
    host.notes = ["Ollama | Serve this revision: served again after 840 ms"]
    host.seconds = sum(step.seconds for step in steps)
    return host


def failed() -> HostReport:
    host = HostReport("failed", "Models | Pull what is missing: the registry has no model m:1", ["look for its name"])
    host.log, host.remote_commands, host.seconds = ["pulling manifest", "curl: (22) 404"], 3, 4.5
    host.steps = [Step(CONNECT, NOON, 0.5), Step("Models | Pull what is missing", NOON + 1, 4.0, ok=False)]
    host.proof = [Link("list", False, 0.1, "no model m:1", "ollama pull m:1")]
    return host


def apply(**hosts: HostReport) -> Report:
    """A run over a fleet of which each status is there, and these hosts."""
    fleet = {
        "gpu-1": changed(),
        "gpu-2": changed(20),
        "gpu-3": HostReport("unchanged", seconds=0.4, remote_commands=1),
        "gpu-4": failed(),
        "gpu-5": HostReport("unreachable", "no answer from 10.0.0.9", ["is it up? `ssh -v 10.0.0.9`"], seconds=10.0),
        "gpu-6": HostReport("refused", "port 11434 is held by `sshd`", ["see it: ss -ltnp"], seconds=0.4),
        "gpu-7": HostReport("not-run", "the rollout stopped before it"),
        "gpu-8": HostReport("rolled-back", "generate-on-host: no answer", seconds=31.0, remote_commands=9),
    }
    return run({**fleet, **hosts})


def run(hosts: dict[str, HostReport], command: str = "apply") -> Report:
    return Report(command, hosts, NOON, 42.0, words="inventory/prod.py", by="ana@build-2")
