"""Metrics of a real host, read by Debian's Prometheus: through the gateway, through node_exporter, and in trouble."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import pytest

from fleethands import paths
from tests.helpers.promtool import promtool
from tests.lab import fleet
from tests.lab.gateways import MODEL, Client, Gateway
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.metrics_trouble import COLLECT, Trouble
from tests.lab.prometheus import WATCHER, Prometheus, alert_names

PROMPT: dict[str, Any] = {"model": MODEL, "prompt": "Say OK.", "options": {"num_predict": 4}}
WATCHED = {"metrics": True, "gateway_watchers": [WATCHER]}
TEXTFILES = "/var/lib/prometheus/node-exporter"
FILE = f"{paths.METRICS_RUNTIME}/{paths.METRICS_FILE}"
LEFT = (
    f"ls -d {paths.METRICS} {paths.METRICS_RUNTIME} {paths.METRICS_STATE} {paths.METRICS_STATE_LINK} {TEXTFILES}/*.prom"
    f" {paths.METRICS_UNIT} {paths.METRICS_TIMER_UNIT} {paths.METRICS_ENABLED};"
    " systemctl list-units --all --no-legend 'fleethands-metrics*'"
)


@pytest.fixture
def gateway(lab: Lab, guarded: Host, tmp_path: Path) -> Gateway:
    """The gateway of lab-1, with a client that may read metrics."""
    made = Gateway.of_state(lab, guarded, tmp_path)
    made.tokens[WATCHER] = secrets.token_urlsafe(32)
    made.more = dict(WATCHED)
    return made


@pytest.fixture
def client(lab: Lab, gateway: Gateway) -> Client:
    """Another host of the same network, as Debian left it."""
    lab["lab-2"].restore("clean")
    return Client(lab["lab-2"], gateway)


def test_prometheus_reads_a_host_through_the_gateway_and_notices_its_end(gateway: Gateway, client: Client) -> None:
    host = gateway.host
    assert "Metrics | Collect every 30 seconds" in gateway.apply()
    assert gateway.plan() == []
    alice, watcher = gateway.tokens["alice"], gateway.tokens[WATCHER]
    wanted = [client.status("/metrics", token=each) for each in (watcher, alice, None)]
    assert (wanted, client.status("/v1/models", token=watcher)) == ([200, 403, 401], 403)
    assert client.ask("/api/generate", token=alice, body=PROMPT)[0] == 200
    host.run(COLLECT)
    code, text = client.ask("/metrics", token=watcher)
    assert (code, promtool("check", "metrics", given=text)) == (200, "")
    assert f'fleethands_gateway_requests_total{{client="alice",model="{MODEL}",status="200"}} ' in text

    prometheus = Prometheus(client.machine, gateway)
    prometheus.start()
    prometheus.await_value("count(fleethands_ollama_up == 1)", 1)
    assert set(prometheus.query("fleethands_proof_ok").values()) == {1}
    assert set(prometheus.query("fleethands_metrics_part_ok").values()) == {1}
    assert set(prometheus.query("fleethands_drift").values()) == {0}
    answers = prometheus.query(f'fleethands_gateway_answer_seconds_count{{client="alice",model="{MODEL}"}}')
    assert [*answers.values()] == [2]  # the proof's prompt is one of them
    assert prometheus.firing() == set()

    host.unplug()
    prometheus.await_alert("FleethandsHostGone", fires=True)
    host.plug()
    prometheus.await_alert("FleethandsHostGone", fires=False)

    gateway.more, _ = {}, gateway.tokens.pop(WATCHER)
    assert "Metrics | Remove the metrics" in gateway.apply()
    assert host.run(LEFT, check=False).stdout == ""
    assert client.status("/metrics", token=alice) == 403
    assert gateway.plan() == []


def test_metrics_without_a_gateway_and_a_release_of_ollama_that_changed(serving: Host) -> None:
    data: dict[str, Any] = {"openhands_flavor": "off", "metrics": True}
    code, document = fleet.fleethands("apply", **data)
    assert (code, fleet.changes(document)) == (0, ["Metrics | Collect every 30 seconds"]), fleet.trouble(document)
    assert fleet.changes(fleet.fleethands("plan", **data)[1]) == []
    text = serving.run(f"cat {FILE}", user="plain").stdout
    assert 'fleethands_drift{kind="version"} 0' in text
    assert "gateway" not in text
    before = serving.run(f"stat -c %Y {FILE}").stdout
    serving.run(f"until [ $(stat -c %Y {FILE}) -gt {before.strip()} ]; do sleep 1; done", timeout=45)
    assert serving.run("systemctl show fleethands-metrics -p Result --value").stdout.strip() == "success"

    code, document = fleet.fleethands("apply", **data, ollama_version="0.24.1")
    assert code == 0, fleet.trouble(document)
    assert fleet.changes(document)[-2:] == ["Metrics | Collect every 30 seconds", "Proof | Get an answer to a prompt"]
    assert (
        'fleethands_ollama_info{declared="0.24.1",running="0.24.1"} 1' in serving.run(f"{COLLECT}; cat {FILE}").stdout
    )
    assert fleet.changes(fleet.fleethands("plan", **data, ollama_version="0.24.1")[1]) == []


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_every_alert_fires_on_its_broken_way_and_ends_after_it(gateway: Gateway, client: Client) -> None:
    host = gateway.host
    with host.outward():
        install = "apt-get -q update && apt-get -q -y install --no-install-recommends prometheus-node-exporter"
        host.run(install, timeout=300)
    gateway.more["metrics_textfile"] = TEXTFILES
    gateway.apply()
    assert gateway.plan() == []
    host.run(COLLECT)  # the timer has not collected the proof of that apply yet
    prometheus = Prometheus(client.machine, gateway, by_node_exporter=True)
    prometheus.start()
    prometheus.await_value("count(fleethands_ollama_up == 1)", 2)
    assert prometheus.firing() == set()

    ways = Trouble(gateway, client).ways()
    assert set(ways) == set(alert_names())
    for alert, (breaks, heals) in ways.items():
        breaks()
        prometheus.await_alert(alert, fires=True, seconds=90)
        heals()
        prometheus.await_alert(alert, fires=False, seconds=90)
    del gateway.more["sentinel"]  # or its alert fires again after some seconds, because these rules are hasty
    gateway.apply()
    host.run(COLLECT)
    prometheus.await_value('count(ALERTS{alertstate="firing"}) or vector(0)', 0)
    assert gateway.plan() == []
    gateway.more, _ = {}, gateway.tokens.pop(WATCHER)
    gateway.apply()
    assert host.run(LEFT, check=False).stdout == ""
    assert host.run("systemctl is-active prometheus-node-exporter").stdout.strip() == "active"


@pytest.mark.soak
def test_bookworm_a_reboot_and_the_removal_of_all(lab: Lab) -> None:
    host = lab["lab-1"]
    host.restore("clean", suite="bookworm")
    data: dict[str, Any] = {"openhands_flavor": "off", "metrics": True}
    code, document = fleet.fleethands("apply", **data, timeout=600)
    assert code == 0, fleet.trouble(document)
    assert fleet.changes(fleet.fleethands("plan", **data)[1]) == []

    host.reboot()

    host.run(f"until grep -q 'ollama_up 1' {FILE}; do sleep 0.5; done", timeout=90)
    assert fleet.changes(fleet.fleethands("plan", **data)[1]) == []
    code, document = fleet.fleethands("uninstall", **data)
    assert code == 0, fleet.trouble(document)
    assert host.run(LEFT, check=False).stdout == ""
