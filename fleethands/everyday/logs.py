"""Where the logs of Ollama and OpenHands are on a host."""

from __future__ import annotations

from collections.abc import Iterable

from fleethands import paths
from fleethands.everyday.fleet_command import Job

LOGS = ("ollama", "openhands")


def log_jobs(
    hosts: Iterable[str], logs: Iterable[str], *, lines: int, since: float | None, follow: bool
) -> dict[str, Job]:
    """
    A job for each host and each log. The host itself finds its log: what runs there may differ from the settings.

    + since: seconds; None for no limit of age
    """
    logs = list(logs)
    values = {
        "lines": str(lines),
        "since": "" if since is None else str(max(1, round(since))),
        "follow": "yes" if follow else "",
        "container": paths.CONTAINER,
    }
    return {
        f"{host} {log}" if len(logs) > 1 else host: Job(host, ("run_command", "logs"), {**values, "log": log})
        for host in hosts
        for log in logs
    }
