"""A dashboard for Grafana and alert rules for Prometheus, which show the metrics of hosts."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

NAMES = ("grafana-dashboard.json", "prometheus-rules.yml")


@cache
def dashboard_files() -> dict[str, bytes]:
    """Name → content of each file."""
    place = files("fleethands.dashboards")
    return {name: place.joinpath(name).read_bytes() for name in NAMES}
