"""Debian's Prometheus on a lab host, which reads the metrics of another one and checks the alert rules."""

from __future__ import annotations

import json
import re
import shutil
import time
from dataclasses import dataclass
from typing import Any

import yaml

from fleethands.dashboards import dashboard_files
from tests.helpers.promtool import prometheus_package
from tests.lab.gateways import NAME, PORT, Gateway
from tests.lab.host import Host
from tests.lab.shell import PATIENCE

WATCHER = "prometheus"  # the client of the gateway
INSTANCE = "lab-1"
NODE_EXPORTER = 9100


HASTY = {  # what an alert rule has → what it has for this test
    "fleethands_metrics_time_seconds > 300": "fleethands_metrics_time_seconds > 45",
    "fleethands_sentinel_time_seconds > 2 * 86400": "fleethands_sentinel_time_seconds > 45",
    "[5m]": "[15s]",
}


def alert_names() -> list[str]:
    """The names of all alert rules."""
    return re.findall(r"- alert: (\w+)", dashboard_files()["prometheus-rules.yml"].decode())


def hasty_rules() -> str:
    """A copy of the alert rules that waits for nothing, and looks at seconds in place of minutes and days."""
    text = re.sub(r"\bfor: \w+", "for: 0s", dashboard_files()["prometheus-rules.yml"].decode())
    for slow, hasty in HASTY.items():
        assert slow in text, slow
        text = text.replace(slow, hasty)
    return f"# Hasty copy for tests.\n{text}"


@dataclass(frozen=True)
class Prometheus:
    """
    A Prometheus that reads the metrics of a gateway with the token of the client `prometheus`.

    + machine: where it runs; gateway: of the other host
    + by_node_exporter: it reads the same metrics from the node_exporter of that host, too
    """

    machine: Host
    gateway: Gateway
    by_node_exporter: bool = False

    def start(self) -> None:
        """Run Debian's program with a configuration as docs/guides/metrics.md has it."""
        self.machine.run("mkdir -p /etc/watch /var/lib/watch")
        shutil.copy(prometheus_package() / "usr/bin/prometheus", self.machine.root / "usr/local/bin/prometheus")
        files = {
            "prometheus.yml": yaml.safe_dump(self._configuration()),
            "rules.yml": hasty_rules(),
            "token": self.gateway.tokens[WATCHER],
            "fleet.crt": self.gateway.trusted,
        }
        for name, text in files.items():
            self.machine.run(f"cat > /etc/watch/{name}", stdin=text)
        self.machine.run(
            "systemd-run --quiet --unit watch prometheus --config.file=/etc/watch/prometheus.yml"
            " --storage.tsdb.path=/var/lib/watch --web.listen-address=127.0.0.1:9090"
        )

    def query(self, expression: str) -> dict[str, float]:
        """What an expression finds now: labels such as `name="value",…` → value."""
        line = "curl -s --data-urlencode query@- http://127.0.0.1:9090/api/v1/query"
        answer = json.loads(self.machine.run(line, stdin=expression).stdout)
        assert answer["status"] == "success", answer
        return {_labels(row["metric"]): float(row["value"][1]) for row in answer["data"]["result"]}

    def firing(self) -> set[str]:
        """Names of the alerts that fire."""
        return {re.findall(r'alertname="(\w+)"', labels)[0] for labels in self.query('ALERTS{alertstate="firing"}')}

    def await_alert(self, alert: str, *, fires: bool, seconds: float = 60) -> None:
        """Wait until an alert fires, or ends. Fails after that time."""
        self.await_value(f'count(ALERTS{{alertstate="firing",alertname="{alert}"}}) or vector(0)', fires, seconds)

    def await_value(self, expression: str, wanted: float | bool, seconds: float = 60) -> None:
        """
        Wait until an expression has this value; True: a value above 0.

        + seconds: on a machine at rest; it fails after PATIENCE times as many
        """
        deadline = time.monotonic() + seconds * PATIENCE
        while True:
            values = [*self._known(expression).values()]
            if values and (values[0] > 0 if wanted is True else values[0] == wanted):
                return
            assert time.monotonic() < deadline, f"{expression}: {values}, not {wanted}; firing: {self.firing()}"
            time.sleep(0.5)

    def _known(self, expression: str) -> dict[str, float]:
        """As `query`; nothing from a Prometheus that is still starting."""
        try:
            return self.query(expression)
        except json.JSONDecodeError:
            return {}

    def _configuration(self) -> dict[str, Any]:
        host = self.gateway.host
        jobs: list[dict[str, Any]] = [
            {
                "job_name": "fleethands",
                "scheme": "https",
                "tls_config": {"ca_file": "/etc/watch/fleet.crt", "server_name": NAME},
                "authorization": {"credentials_file": "/etc/watch/token"},
                "static_configs": [{"targets": [f"{host.address}:{PORT}"], "labels": {"instance": INSTANCE}}],
            }
        ]
        if self.by_node_exporter:
            target = {"targets": [f"{host.address}:{NODE_EXPORTER}"], "labels": {"instance": INSTANCE}}
            jobs.append({"job_name": "node", "static_configs": [target]})
        # a node_exporter on a busy machine needs more than a second
        every = {"scrape_interval": "3s", "evaluation_interval": "1s", "scrape_timeout": "3s"}
        return {"global": every, "rule_files": ["/etc/watch/rules.yml"], "scrape_configs": jobs}


def _labels(metric: dict[str, str]) -> str:
    return ",".join(f'{name}="{value}"' for name, value in sorted(metric.items()))
